package trace

import (
	"reflect"
	"slices"
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
	steps  []*Step
	places map[int64]place // by event
	last   place
}

// stepsOf turns an execution's history, complete and in its order, into the states that it entered.
func stepsOf(events []event) []Step {
	w := walk{places: map[int64]place{}, last: place{-1, -1, -1}}
	for _, e := range events {
		at := w.last
		if before, ok := w.places[e.Previous]; ok && e.Previous != 0 {
			at = before
		}
		at = w.take(at, e)
		w.places[e.ID], w.last = at, at
	}
	steps := make([]Step, 0, len(w.steps))
	for _, step := range w.steps {
		steps = append(steps, *step)
	}
	return steps
}

// take adds an event that follows another one at the place, and returns the new place.
func (w *walk) take(at place, e event) place {
	switch {
	case e.is("StateEntered"):
		return w.enter(at, e)
	case e.is("StateExited"):
		return w.leave(at, e)
	case e.Type == types.HistoryEventTypeMapIterationStarted:
		if at.step >= 0 && w.steps[at.step].Type == "Map" {
			at.in = at.step
		}
		at.item = int(e.Index)
		return at
	}
	w.call(at, e)
	w.end(at, e)
	return at
}

func (w *walk) enter(at place, e event) place {
	step := &Step{State: aws.ToString(e.Name), Type: strings.TrimSuffix(string(e.Type), "StateEntered"), Item: -1,
		Entered: aws.ToTime(e.At), Input: aws.ToString(e.Input), Tries: []Try{}}
	if at.in >= 0 {
		step.Item, step.In = at.item, w.steps[at.in].State
	}
	w.steps = append(w.steps, step)
	return place{step: len(w.steps) - 1, in: at.in, item: at.item}
}

// leave ends the step of that name. The event after the last step of a Map's item may be the end of the Map.
func (w *walk) leave(at place, e event) place {
	name := aws.ToString(e.Name)
	found := at.step
	if found < 0 || w.steps[found].State != name || w.steps[found].Left != nil {
		found = w.open(name)
	}
	if found < 0 {
		return at
	}
	step := w.steps[found]
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

// open is the last step of a state that has not ended.
func (w *walk) open(name string) int {
	for i := len(w.steps) - 1; i >= 0; i-- {
		if w.steps[i].State == name && w.steps[i].Left == nil {
			return i
		}
	}
	return -1
}

// end records the error that ended the execution in its step.
func (w *walk) end(at place, e event) {
	if !e.ended() || len(w.steps) == 0 {
		return
	}
	at.step = max(at.step, 0)
	if step := w.steps[at.step]; step.Left != nil { // this item succeeded, and another one's failure ended the Map
		for i, other := range w.steps {
			if other.Left == nil {
				at.step = i
			}
		}
	}
	step := w.steps[at.step]
	step.Failed = true
	step.Error, step.Cause = e.failure()
}

// event is an event of a history or of a log.
type event struct {
	ID, Previous int64
	Type         types.HistoryEventType
	At           *time.Time
	details
}

// details are the used details of events.
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
	to := event{ID: from.Id, Previous: from.PreviousEventId, Type: from.Type, At: from.Timestamp}
	fields, into := reflect.ValueOf(from), reflect.ValueOf(&to.details).Elem()
	for i := range fields.NumField() {
		if !strings.HasSuffix(fields.Type().Field(i).Name, "EventDetails") || fields.Field(i).IsNil() {
			continue
		}
		for j := range into.NumField() {
			value := fields.Field(i).Elem().FieldByName(into.Type().Field(j).Name)
			if value.IsValid() && value.Type() == into.Field(j).Type() {
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

// failure is the error and cause of an event.
func (e event) failure() (err, cause string) {
	if err = aws.ToString(e.Error); err == "" && e.Type == types.HistoryEventTypeExecutionTimedOut {
		err = "States.Timeout"
	}
	return err, aws.ToString(e.Cause)
}

// call records what an event says about a call of the step.
func (w *walk) call(at place, e event) {
	if at.step < 0 || !e.of("Task") && !e.of("LambdaFunction") {
		return
	}
	step := w.steps[at.step]
	if e.is("Scheduled") {
		resource := "lambda"
		if e.ResourceType != nil {
			resource = *e.ResourceType
		}
		step.Tries = append(step.Tries, Try{At: aws.ToTime(e.At), Resource: resource})
		return
	}
	if len(step.Tries) == 0 || step.Tries[len(step.Tries)-1].Ended != nil {
		return
	}
	try := &step.Tries[len(step.Tries)-1]
	switch {
	case e.is("Failed", "TimedOut"):
		try.Ended = e.At
		try.Error, try.Cause = e.failure()
	case e.is("Succeeded"):
		try.Ended, try.Result = e.At, aws.ToString(e.Output)
	}
}
