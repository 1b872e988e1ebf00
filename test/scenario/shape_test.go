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

// Read by the functions' own parser, a plan holds every file that arrives once, the duplicates beside, and its rejects.
func TestPlanIsOfItsShape(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shape := Shape{
			Run: "run-" + rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "run"), Seed: rapid.Uint64().Draw(t, "seed"),
			Collections: rapid.IntRange(1, 12).Draw(t, "collections"), Files: rapid.IntRange(1, 6).Draw(t, "files"),
			Duplicates: rapid.Float64Range(0, 1).Draw(t, "duplicates"), Malformed: rapid.IntRange(0, 20).Draw(t,
				"malformed"),
		}
		shape.Blocked = rapid.IntRange(0, shape.Collections).Draw(t, "blocked")
		shape.Missing = rapid.IntRange(0, shape.Collections-shape.Blocked).Draw(t, "missing")
		shape.LateSent = rapid.IntRange(0, shape.Collections-shape.Blocked-shape.Missing).Draw(t, "late")
		shape.Failing = rapid.IntRange(0, shape.Collections-shape.Blocked-shape.Missing-shape.LateSent).Draw(t,
			"failing")
		plan, err := NewPlan(shape)
		if err != nil {
			t.Fatal(err)
		}
		got, again := measure(t, plan)
		if diff := cmp.Diff(shape, got); diff != "" {
			t.Errorf("planned (-want +got):\n%s", diff)
		}
		if again != plan.Duplicates {
			t.Errorf("%d duplicates, says %d", again, plan.Duplicates)
		}
		if other, err := NewPlan(shape); err != nil || !cmp.Equal(plan, other) {
			t.Errorf("planned again it is another: %v", err)
		}
	})
}

// measure reads a plan's shape off what is written and sent.
func measure(t *rapid.T, plan Plan) (shape Shape, again int) {
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
				again++
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
	// The share cannot be met more exactly than by a whole number of messages.
	if math.Abs(float64(again)-plan.Shape.Duplicates*float64(files)) <= 0.5 {
		shape.Duplicates = plan.Shape.Duplicates
	}
	return shape, again
}

func TestSeedsDiffer(t *testing.T) {
	t.Parallel()
	shape := Shape{Run: "run", Collections: 20, Files: 5, Blocked: 3, Missing: 3, LateSent: 3}
	one, err := NewPlan(shape)
	if err != nil {
		t.Fatal(err)
	}
	shape.Seed++
	other, err := NewPlan(shape)
	if err != nil || cmp.Equal(one.Collections, other.Collections) || cmp.Equal(one.Messages, other.Messages) {
		t.Errorf("two seeds, one plan: %v", err)
	}
}

func TestShapesThatCannotBe(t *testing.T) {
	t.Parallel()
	good := Shape{Run: "run", Collections: 2, Files: 2}
	for want, spoil := range map[string]func(*Shape){
		"the run has no name":                            func(s *Shape) { s.Run = "" },
		"at least one collection":                        func(s *Shape) { s.Collections = 0 },
		"a collection one file":                          func(s *Shape) { s.Files = 0 },
		"from 0 to 1":                                    func(s *Shape) { s.Duplicates = 1.5 },
		"no fewer than 0":                                func(s *Shape) { s.Malformed = -1 },
		"2 collections are too few for 1 that are block": func(s *Shape) { s.Blocked, s.Missing, s.Failing = 1, 1, 1 },
	} {
		shape := good
		spoil(&shape)
		if _, err := NewPlan(shape); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	nan := good
	nan.Duplicates = math.NaN()
	if _, err := NewPlan(nan); err == nil {
		t.Error("NaN is a share")
	}
}
