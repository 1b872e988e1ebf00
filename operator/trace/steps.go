package trace

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// Step is a state that an execution entered.
type Step struct {
	State   string     `json:"state"`
	Type    string     `json:"type"`           // Task, Choice, Map, …
	Item    int        `json:"item"`           // which of its Map's items this is for; -1 outside of a Map
	In      string     `json:"in,omitempty"`   // that Map
	Entered time.Time  `json:"entered"`        //
	Left    *time.Time `json:"left,omitempty"` // nil while it runs, or if the execution ended in it
	Input   string     `json:"input"`          // JSON; "" if the history does not hold it
	Output  string     `json:"output"`
	Tries   []Try      `json:"tries"`           // of a Task
	Error   string     `json:"error,omitempty"` // its last error, caught or not
	Cause   string     `json:"cause,omitempty"`
	Failed  bool       `json:"failed"` // the execution failed in this state
}

// Try is one call that a state made.
type Try struct {
	At       time.Time  `json:"at"`
	Resource string     `json:"resource"`
	Ended    *time.Time `json:"ended,omitempty"`
	Result   string     `json:"result,omitempty"` // JSON, if it succeeded
	Error    string     `json:"error,omitempty"`
	Cause    string     `json:"cause,omitempty"`
}

// Retried is how many tries were repeated.
func (s Step) Retried() int { return max(0, len(s.Tries)-1) }

// Caught reports whether the state ended with an error that the definition catches.
func (s Step) Caught() bool { return s.Error != "" && !s.Failed }

// place is where an event belongs: a step and, below a Map, an item.
type place struct {
	step int // index of the step, -1 before the first
	in   int // index of the Map's step, -1 outside
	item int
}

// walk follows a history. The previous event of each tells apart the items of a Map, which run concurrently.
type walk struct {
	steps  []Step
	places map[number]place // by event
}

// stepsOf turns an execution's history, complete and in its order, into the states that it entered.
func stepsOf(events []event) []Step {
	w := walk{steps: []Step{}, places: map[number]place{}}
	at := place{-1, -1, -1}
	for _, e := range events {
		if before, known := w.places[e.Previous]; known {
			at = before
		}
		at = w.take(at, e)
		w.places[e.ID] = at
	}
	return w.steps
}

// take adds an event that follows another one at the place, and returns the new place.
func (w *walk) take(at place, e event) place {
	switch {
	case e.is("StateEntered"):
		step := Step{State: aws.ToString(e.Name), Type: strings.TrimSuffix(string(e.Type), "StateEntered"), Item: -1,
			Entered: aws.ToTime(e.At), Input: aws.ToString(e.Input), Tries: []Try{}}
		if at.in >= 0 {
			step.Item, step.In = at.item, w.steps[at.in].State
		}
		at.step, w.steps = len(w.steps), append(w.steps, step)
	case e.is("StateExited"):
		return w.leave(at, e)
	case e.Type == types.HistoryEventTypeMapIterationStarted:
		if at.step >= 0 && w.steps[at.step].Type == "Map" {
			at.in = at.step
		}
		at.item = int(e.Index)
	case e.ended():
		w.fail(at, e)
	case at.step >= 0 && (e.of("Task") || e.of("LambdaFunction")):
		w.steps[at.step].call(e)
	}
	return at
}

// leave ends the step of that name. The event after the last step of a Map's item may be the end of the Map.
func (w *walk) leave(at place, e event) place {
	isOpen := func(s Step) bool { return s.State == aws.ToString(e.Name) && s.Left == nil }
	found := at.step
	if found < 0 || !isOpen(w.steps[found]) {
		for found = len(w.steps) - 1; found >= 0 && !isOpen(w.steps[found]); {
			found--
		}
	}
	if found < 0 {
		return at
	}
	step := &w.steps[found]
	step.Left, step.Output = e.At, aws.ToString(e.Output)
	if len(step.Tries) > 0 {
		last := step.Tries[len(step.Tries)-1]
		step.Error, step.Cause = last.Error, last.Cause
	}
	if found != at.step && step.In == "" {
		return place{step: found, in: -1, item: -1} // out of the Map
	}
	at.step = found
	return at
}

func (w *walk) fail(at place, e event) {
	if len(w.steps) == 0 {
		return
	}
	failed := max(at.step, 0)
	if w.steps[failed].Left != nil { // this item succeeded, and another one's failure ended the Map
		for i, other := range w.steps {
			if other.Left == nil {
				failed = i
			}
		}
	}
	step := &w.steps[failed]
	step.Failed = true
	step.Error, step.Cause = e.failure()
}

func (s *Step) call(e event) {
	if e.is("Scheduled") {
		s.Tries = append(s.Tries, Try{At: aws.ToTime(e.At), Resource: cmp.Or(aws.ToString(e.ResourceType), "lambda")})
		return
	}
	if len(s.Tries) == 0 || s.Tries[len(s.Tries)-1].Ended != nil {
		return
	}
	try := &s.Tries[len(s.Tries)-1]
	switch {
	case e.is("Failed", "TimedOut"):
		try.Ended = e.At
		try.Error, try.Cause = e.failure()
	case e.is("Succeeded"):
		try.Ended, try.Result = e.At, aws.ToString(e.Output)
	}
}

// event is an event of a history, or of a log as Step Functions writes it for a state machine
// (https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html).
type event struct {
	ID           number                 `json:"id"`
	Previous     number                 `json:"previous_event_id"`
	Type         types.HistoryEventType `json:"type"`
	Milliseconds number                 `json:"event_timestamp"` // of a log
	At           *time.Time             `json:"-"`
	details      `json:"details"`
}

// number is a number that a log writes as a text; 0 if it is none.
type number int64

func (n *number) UnmarshalJSON(raw []byte) error {
	is, _ := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	*n = number(is)
	return nil
}

type details struct {
	Name         *string `json:"name"`
	Index        int32   `json:"index"`
	Input        *string `json:"input"`
	Output       *string `json:"output"`
	ResourceType *string `json:"resourceType"`
	Error        *string `json:"error"`
	Cause        *string `json:"cause"`
}

// fromHistory converts an event of the SDK, which has a field with details for each type of event.
func fromHistory(from types.HistoryEvent) event {
	to := event{ID: number(from.Id), Previous: number(from.PreviousEventId), Type: from.Type, At: from.Timestamp}
	fields, into := reflect.ValueOf(from), reflect.ValueOf(&to.details).Elem()
	for i := range fields.NumField() {
		if !strings.HasSuffix(fields.Type().Field(i).Name, "EventDetails") || fields.Field(i).IsNil() {
			continue
		}
		for j := range into.NumField() {
			if value := fields.Field(i).Elem().FieldByName(into.Type().Field(j).Name); value.IsValid() {
				into.Field(j).Set(value)
			}
		}
	}
	return to
}

// is reports whether the type of the event ends with one of the endings.
func (e event) is(endings ...string) bool {
	return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(string(e.Type), ending) })
}

// of reports whether the event is about a task, an execution, …
func (e event) of(what string) bool { return strings.HasPrefix(string(e.Type), what) }

// ended reports whether the event ends an execution without success.
func (e event) ended() bool { return e.of("Execution") && e.is("Failed", "TimedOut", "Aborted") }

func (e event) failure() (err, cause string) {
	if err = aws.ToString(e.Error); err == "" && e.Type == types.HistoryEventTypeExecutionTimedOut {
		err = "States.Timeout"
	}
	return err, aws.ToString(e.Cause)
}
