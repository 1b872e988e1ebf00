package scenario

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"snapshot-status-checker/internal/snapshot"
)

// The functions' parser reads from a plan every file that arrives once, the duplicates, and the rejects.
func TestNewPlanMatchesTheShape(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shape := Shape{
			Run: "run-" + rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "run"), Seed: rapid.Uint64().Draw(t, "seed"),
			Collections: rapid.IntRange(1, 12).Draw(t, "collections"), Files: rapid.IntRange(1, 6).Draw(t, "files"),
			Duplicates: rapid.Float64Range(0, 1).Draw(t, "duplicates"),
			Malformed:  rapid.IntRange(0, 20).Draw(t, "malformed"),
		}
		shape.Blocked = rapid.IntRange(0, shape.Collections).Draw(t, "blocked")
		shape.Missing = rapid.IntRange(0, shape.Collections-shape.Blocked).Draw(t, "missing")
		shape.LateSent = rapid.IntRange(0, shape.Collections-shape.Blocked-shape.Missing).Draw(t, "late")
		most := shape.Collections - shape.Blocked - shape.Missing - shape.LateSent
		shape.Failing = rapid.IntRange(0, most).Draw(t, "failing")
		plan, err := NewPlan(shape)
		if err != nil {
			t.Fatal(err)
		}
		got, duplicates := measure(t, plan)
		if diff := cmp.Diff(shape, got); diff != "" {
			t.Errorf("planned (-want +got):\n%s", diff)
		}
		if duplicates != plan.Duplicates {
			t.Errorf("%d duplicates, the plan says %d", duplicates, plan.Duplicates)
		}
		if other, err := NewPlan(shape); err != nil || !cmp.Equal(plan, other) {
			t.Errorf("the same shape gives another plan: %v", err)
		}
	})
}

// measure derives the shape from the rows and the messages.
func measure(t *rapid.T, plan Plan) (shape Shape, duplicates int) {
	shape = Shape{Run: plan.CorrelationID, Seed: plan.Shape.Seed, Collections: len(plan.Collections),
		Files: plan.Shape.Files}
	arrived := map[string]map[string]bool{}
	files := 0
	for i, message := range plan.Messages {
		identity := "sqs-" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		input, err := json.Marshal([]map[string]string{{"messageId": identity, "body": message.Text}})
		if err != nil {
			t.Fatal(err)
		}
		for _, receipt := range snapshot.Unwrap(input, "execution") {
			key := receipt.Message.CollectionName
			switch {
			case receipt.Rejection != nil || key == "db.not.there":
				shape.Malformed++
				if len(message.Rejects) != 1 || receipt.Rejection != nil &&
					message.Rejects[0].Reason != receipt.Rejection.Reason {
					t.Errorf("%s is rejected with %v, expected %v", message.Text, receipt.Rejection, message.Rejects)
				}
				continue
			case arrived[key] == nil:
				arrived[key] = map[string]bool{}
			}
			if arrived[key][receipt.Identity] {
				duplicates++
				continue
			}
			arrived[key][receipt.Identity] = true
			files++
		}
	}
	for _, c := range plan.Collections {
		switch {
		case c.Status == blocked:
			shape.Blocked++
		case c.Missing > 0:
			shape.Missing++
		case c.SentLast:
			shape.LateSent++
		case c.Failing:
			shape.Failing++
		}
		if len(arrived[c.Name]) != c.Arriving() {
			t.Errorf("%d files of %s arrive, want %d", len(arrived[c.Name]), c.Name, c.Arriving())
		}
		if c.Status != blocked && c.Files != shape.Files {
			t.Errorf("%s has %d files", c.Name, c.Files)
		}
	}
	// The number of duplicates is whole, so the share may be off by half a message.
	if math.Abs(float64(duplicates)-plan.Shape.Duplicates*float64(files)) <= 0.5 {
		shape.Duplicates = plan.Shape.Duplicates
	}
	return shape, duplicates
}

func TestNewPlanDiffersBySeed(t *testing.T) {
	t.Parallel()
	shape := Shape{Run: "run", Collections: 20, Files: 5, Blocked: 3, Missing: 3, LateSent: 3}
	one, err := NewPlan(shape)
	if err != nil {
		t.Fatal(err)
	}
	shape.Seed++
	other, err := NewPlan(shape)
	if err != nil || cmp.Equal(one.Collections, other.Collections) || cmp.Equal(one.Messages, other.Messages) {
		t.Errorf("two seeds give one plan: %v", err)
	}
}

func TestNewPlanRefusesInvalidShapes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(*Shape)
		want  string
	}{
		"NoRun":        {func(s *Shape) { s.Run = "" }, "needs a correlation id"},
		"NoCollection": {func(s *Shape) { s.Collections = 0 }, "must be at least 1"},
		"NoFile":       {func(s *Shape) { s.Files = 0 }, "must be at least 1"},
		"Share":        {func(s *Shape) { s.Duplicates = 1.5 }, "from 0 to 1"},
		"NaN":          {func(s *Shape) { s.Duplicates = math.NaN() }, "from 0 to 1"},
		"Negative":     {func(s *Shape) { s.Malformed = -1 }, "no number may be negative"},
		"TooManyKinds": {func(s *Shape) { s.Blocked, s.Missing, s.Failing = 1, 1, 1 }, "2 collections are too few"},
	} {
		shape := Shape{Run: "run", Collections: 2, Files: 2}
		test.spoil(&shape)
		if _, err := NewPlan(shape); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// The case of ASCII letters does not matter, as in the pipe's filters; other letters never match.
func TestInStatusIgnoresTheCaseOfASCII(t *testing.T) {
	t.Parallel()
	rows := []Row{{Status: "Success"}, {Status: "SUCCESS"}, {Status: "\u017fuccess"}, {Status: "Received"}}
	if got := InStatus(rows, "Success"); got != 2 {
		t.Errorf("%d rows are Success, want 2", got)
	}
	if got := InStatus(rows, "Received", "Success"); got != 3 {
		t.Errorf("%d rows are Received or Success, want 3", got)
	}
}

// A run is as far as it can get when its own rows are, whatever other rows it has.
func TestMovedIgnoresOtherRows(t *testing.T) {
	t.Parallel()
	plan := Plan{Run: Run{Collections: []Collection{{Name: "db.b"}}}}
	other, own := Row{Name: "db.a", Status: "Sent"}, Row{Name: "db.b", Status: "Success"}
	if plan.moved([]Row{other}) || !plan.moved([]Row{other, own}) {
		t.Error("another row counts, or its own does not")
	}
}
