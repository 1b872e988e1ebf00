package trace

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/statemachine"
)

// history builds a history of events, each a second after the one before it in the list.
type history []event

var began = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

// add adds an event after another one and returns its id.
func (h *history) add(after int64, kind types.HistoryEventType, d details) int64 {
	id := int64(len(*h) + 1)
	*h = append(*h, event{id, after, kind, aws.Time(began.Add(time.Duration(id) * time.Second)), d})
	return id
}

func (h *history) entered(after int64, kind, state string) int64 {
	return h.add(after, types.HistoryEventType(kind+"StateEntered"),
		details{Name: &state, Input: aws.String(`{"to":"` + state + `"}`)})
}

func (h *history) left(after int64, kind, state string) int64 {
	return h.add(after, types.HistoryEventType(kind+"StateExited"),
		details{Name: &state, Output: aws.String(`{"from":"` + state + `"}`)})
}

func (h *history) failed(after int64, cause string) int64 {
	at := h.add(after, types.HistoryEventTypeTaskScheduled, details{ResourceType: aws.String("lambda")})
	return h.add(at, types.HistoryEventTypeTaskFailed, details{Error: aws.String("Unavailable"), Cause: &cause})
}

func (h *history) succeeded(after int64) int64 {
	at := h.add(after, types.HistoryEventTypeTaskScheduled, details{ResourceType: aws.String("lambda")})
	return h.add(at, types.HistoryEventTypeTaskSucceeded, details{Output: aws.String("{}")})
}

// line is a step in a line: what a person wants to know of it.
func line(s Step) string {
	text := s.State
	if s.In != "" {
		text += fmt.Sprintf(" [%d of %s]", s.Item, s.In)
	}
	if s.Retried() > 0 {
		text += fmt.Sprintf(" retried %d", s.Retried())
	}
	switch {
	case s.Failed:
		text += " FAILED " + s.Error + ": " + s.Cause
	case s.Caught():
		text += " caught " + s.Error + ": " + s.Cause
	case s.Left == nil:
		text += " running"
	case s.Output != `{"from":"`+s.State+`"}` || s.Input != `{"to":"`+s.State+`"}`:
		text += " mixed up " + s.Input + s.Output
	}
	return text
}

func lines(events history) []string {
	var got []string
	for _, step := range stepsOf(events) {
		got = append(got, line(step))
	}
	return got
}

// Two items of a Map run concurrently; each event names the previous one of its item.
func concurrentHistory() history {
	var h history
	at := h.add(0, types.HistoryEventTypeExecutionStarted, details{})
	at = h.left(h.entered(at, "Choice", "Route"), "Choice", "Route")
	at = h.entered(at, "Map", "Check All")
	at = h.add(at, types.HistoryEventTypeMapStateStarted, details{})
	item := func(index int32) int64 {
		return h.add(at, types.HistoryEventTypeMapIterationStarted, details{Name: aws.String("Check All"),
			Index: index})
	}
	first, second := item(0), item(1)
	first, second = h.entered(first, "Task", "Check"), h.entered(second, "Task", "Check")
	first = h.failed(first, "busy")
	second = h.failed(second, "gone")
	second = h.left(second, "Task", "Check")
	first = h.succeeded(first)
	second = h.left(h.entered(second, "Succeed", "Leave"), "Succeed", "Leave")
	first = h.left(first, "Task", "Check")
	h.add(second, types.HistoryEventTypeMapIterationSucceeded, details{Name: aws.String("Check All"), Index: 1})
	end := h.add(first, types.HistoryEventTypeMapIterationSucceeded, details{Name: aws.String("Check All")})
	end = h.left(h.add(end, types.HistoryEventTypeMapStateSucceeded, details{}), "Map", "Check All")
	end = h.left(h.entered(end, "Pass", "After"), "Pass", "After")
	h.add(end, types.HistoryEventTypeExecutionSucceeded, details{})
	return h
}

func TestStepsOfAConcurrentMap(t *testing.T) {
	t.Parallel()
	want := []string{"Route", "Check All", "Check [0 of Check All] retried 1",
		"Check [1 of Check All] caught Unavailable: gone",
		"Leave [1 of Check All]", "After"}
	if diff := cmp.Diff(want, lines(concurrentHistory())); diff != "" {
		t.Errorf("steps (-want +got)\n%s", diff)
	}
}

func TestStepsThatFail(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		write func(*history)
		want  []string
	}{
		"AFailState": {func(h *history) {
			at := h.left(h.entered(0, "Choice", "Request Pending?"), "Choice", "Request Pending?")
			at = h.entered(at, "Fail", "Unknown Outcome")
			h.add(at, types.HistoryEventTypeExecutionFailed, details{Error: aws.String("UnknownOutcome"),
				Cause: aws.String("no branch")})
		}, []string{"Request Pending?", "Unknown Outcome FAILED UnknownOutcome: no branch"}},
		"ATaskUncaught": {func(h *history) {
			at := h.failed(h.failed(h.entered(0, "Task", "Count"), "once"), "twice")
			h.add(at, types.HistoryEventTypeExecutionFailed, details{Error: aws.String("Unavailable"),
				Cause: aws.String("twice")})
		}, []string{"Count retried 1 FAILED Unavailable: twice"}},
		"TimedOut": {func(h *history) {
			h.add(h.entered(0, "Task", "Count"), types.HistoryEventTypeExecutionTimedOut, details{})
		}, []string{"Count FAILED States.Timeout: "}},
		"OneItemInItsMap": {func(h *history) {
			at := h.entered(0, "Map", "Check All")
			first := h.entered(h.add(at, types.HistoryEventTypeMapIterationStarted, details{}), "Task", "Check")
			second := h.entered(h.add(at, types.HistoryEventTypeMapIterationStarted, details{Index: 1}), "Fail", "Fail")
			h.left(h.succeeded(first), "Task", "Check")
			h.add(second, types.HistoryEventTypeExecutionFailed, details{Error: aws.String("E"),
				Cause: aws.String("c")})
		}, []string{"Check All running", "Check [0 of Check All]", "Fail [1 of Check All] FAILED E: c"}},
		"StillRunning": {func(h *history) { h.entered(0, "Task", "Count") }, []string{"Count running"}},
		"Nothing":      {func(*history) {}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h history
			test.write(&h)
			if diff := cmp.Diff(test.want, lines(h)); diff != "" {
				t.Errorf("steps (-want +got)\n%s", diff)
			}
		})
	}
}

// The log of an EXPRESS execution tells the same way, in whatever order its lines are found.
func TestExpressFromItsLog(t *testing.T) {
	t.Parallel()
	var log []string
	for _, line := range []string{
		`"id":"5","type":"ExecutionFailed","details":{"error":"UnknownOutcome","cause":"no branch"}`,
		`"id":"1","type":"ExecutionStarted","details":{"roleArn":"r","inputDetails":{"truncated":false}}`,
		`"id":"2","type":"ChoiceStateEntered","details":{"name":"Request Pending?"},"previous_event_id":"0"`,
		`"id":"4","type":"FailStateEntered","details":{"name":"Fail"},"previous_event_id":"3"`,
		`"id":"3","type":"ChoiceStateExited","details":{"name":"Request Pending?"},"previous_event_id":"2"`,
	} {
		log = append(log, `{"event_timestamp":"179547140`+line[6:7]+`000",`+line+`}`)
	}
	events, err := parseLog(log)
	if err != nil {
		t.Fatal(err)
	}
	account := accountOf("x", events)
	if account.Status != types.ExecutionStatusFailed || account.Error != "UnknownOutcome" || account.Cause != "no branch" {
		t.Errorf("%s: %s: %s, want that it failed with its cause", account.Status, account.Error, account.Cause)
	}
	if took := account.Stopped.Sub(account.Started); took != 4*time.Second {
		t.Errorf("it took %s, want 4 s", took)
	}
	if len(account.Steps) != 2 || account.Steps[0].State != "Request Pending?" || account.Steps[0].Left == nil ||
		!account.Steps[1].Failed {
		t.Errorf("steps %+v", account.Steps)
	}
	if _, err := parseLog([]string{"not JSON"}); err == nil {
		t.Error("a line that is not JSON is taken")
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
		for _, way := range g.Ways {
			if !names[way.From] || !names[way.To] {
				t.Errorf("the way from %q to %q leaves the graph", way.From, way.To)
			}
		}
		if g.Ways == nil {
			t.Errorf("a graph of one state has no list of ways, which a script could go through: %+v", g)
		}
		if g.Start != g.States[0].Name {
			t.Errorf("it starts with %q and not with %q", g.States[0].Name, g.Start)
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
	at := aws.Time(began)
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
		if diff := cmp.Diff(event{2, 1, c.from.Type, at, c.want}, fromHistory(c.from),
			cmp.AllowUnexported(event{})); diff != "" {
			t.Error(diff)
		}
	}
}
