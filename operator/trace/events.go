package trace

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

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
