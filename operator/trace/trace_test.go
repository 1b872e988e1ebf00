package trace

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/statemachine"
)

var update = flag.Bool("update", false, "write the golden file anew")

// Each file is the log of an execution. The golden file has what it tells, and each step as the page gets it. Items of
// a Map run concurrently, and an item that failed ends its Map while others run.
func TestAccounts(t *testing.T) {
	t.Parallel()
	logs, err := filepath.Glob("testdata/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, name := range logs {
		log, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		events, err := parseLog(strings.Split(strings.TrimSpace(string(log)), "\n"))
		if err != nil {
			t.Fatal(name, err)
		}
		account := accountOf("x", events)
		fmt.Fprintf(&got, "%s: %s %s %s\n", name, account.Status, account.Error, account.Cause)
		if account.Stopped != nil {
			fmt.Fprintf(&got, "  started %s, stopped %s\n", account.Started.Format(time.TimeOnly),
				account.Stopped.Format(time.TimeOnly))
		}
		for _, step := range account.Steps {
			as, err := json.Marshal(step)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "  %s\n    retried %d, caught %t\n", as, step.Retried(), step.Caught())
		}
	}
	operatortest.Golden(t, *update, "accounts", got.String())
	if _, err := parseLog([]string{"not JSON"}); err == nil {
		t.Error("a line that is not JSON is taken")
	}
	if steps := stepsOf(nil); steps == nil || len(steps) > 0 {
		t.Errorf("%+v, want an empty list of steps", steps)
	}
}

// Every state of the real definition is drawn, and every way leads to one.
func TestGraphOfTheDefinition(t *testing.T) {
	t.Parallel()
	machine, err := statemachine.Parse(statemachine.Definition)
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]bool{}
	var check func(Graph)
	check = func(g Graph) {
		names := map[string]bool{}
		for _, node := range g.States {
			names[node.Name], drawn[node.Name] = true, true
			if node.Inside != nil {
				check(*node.Inside)
			}
		}
		outside := slices.ContainsFunc(g.Ways, func(way Edge) bool { return !names[way.From] || !names[way.To] })
		if outside || g.Ways == nil || g.Start != g.States[0].Name { // a script goes through the ways
			t.Errorf("it starts elsewhere, has no ways, or one leaves the graph: %+v", g)
		}
	}
	check(NewGraph(machine))
	for name := range machine.All() {
		if !drawn[name] {
			t.Errorf("%s is not drawn", name)
		}
	}
}

// An input names a run if one of its strings is the run's name, however deep in bodies it stands.
func TestNamingARunInsideOfBodies(t *testing.T) {
	t.Parallel()
	nested := func(text string, depth int) string {
		for range depth {
			raw, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			text = `[{"body":` + string(raw) + `}]`
		}
		return text
	}
	request := func(run string) string {
		return `{"reconcile":[{"correlation_id":"` + run + `","collection_name":"db.a"}]}`
	}
	for _, c := range []struct {
		run, in string
		want    bool
	}{
		{"run-1", "run-1", true}, {"run-1", "run-10", false}, {"run-1", "a-run-1", false}, {"run-1", `run-1\\`, false},
		{`a"b\c`, `a\"b\\c`, true}, {"a<b>&", "a<b>&", true}, {"a<b>&", `a\u003cb\u003e\u0026`, true}, {"é", "é", true},
		{"é", `\u00e9`, true},
		{"run-1", `run-1", this is no JSON`, true}, {"run-1", `run-10", this is no JSON`, false},
	} {
		for depth := range 5 {
			if got := names(nested(request(c.in), depth), c.run, 0); got != c.want {
				t.Errorf("%s in %s: %t, want %t", c.run, nested(request(c.in), depth), got, c.want)
			}
		}
	}
}

func TestOurs(t *testing.T) {
	t.Parallel()
	reader := &Reader{Machine: "arn:aws:states:eu-west-1:1:stateMachine:checker"}
	for id, want := range map[string]bool{
		"arn:aws:states:eu-west-1:1:execution:checker:x":    true,
		"arn:aws:states:eu-west-1:1:express:checker:x:y":    true,
		"arn:aws:states:eu-west-1:1:execution:other:x":      false,
		"arn:aws:states:eu-west-1:1:stateMachine:checker:x": false,
		"": false,
	} {
		if got := reader.Ours(id); got != want {
			t.Errorf("%q: %v, want %v", id, got, want)
		}
	}
}

// The details of an SDK's event are found in the field of its type.
func TestFromHistory(t *testing.T) {
	t.Parallel()
	at := aws.Time(time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		from types.HistoryEvent
		want details
	}{
		{types.HistoryEvent{Type: types.HistoryEventTypeTaskStateEntered, StateEnteredEventDetails: &types.
			StateEnteredEventDetails{Name: aws.String("a"), Input: aws.String("{}")}},
			details{Name: aws.String("a"), Input: aws.String("{}")}},
		{types.HistoryEvent{Type: types.HistoryEventTypeMapIterationStarted, MapIterationStartedEventDetails: &types.
			MapIterationEventDetails{Index: 3, Name: aws.String("a")}}, details{Name: aws.String("a"), Index: 3}},
		{types.HistoryEvent{Type: types.HistoryEventTypeLambdaFunctionFailed, LambdaFunctionFailedEventDetails: &types.
			LambdaFunctionFailedEventDetails{Error: aws.String("E"), Cause: aws.String("c")}},
			details{Error: aws.String("E"), Cause: aws.String("c")}},
		{types.HistoryEvent{Type: types.HistoryEventTypeExecutionTimedOut}, details{}},
	} {
		c.from.Id, c.from.PreviousEventId, c.from.Timestamp = 2, 1, at
		if diff := cmp.Diff(event{ID: 2, Previous: 1, Type: c.from.Type, At: at, details: c.want}, fromHistory(c.from),
			cmp.AllowUnexported(event{})); diff != "" {
			t.Error(diff)
		}
	}
}
