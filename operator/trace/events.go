package trace

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// kindOf is the state's type in the name of the event that enters it.
func kindOf(event types.HistoryEventType) string {
	return strings.TrimSuffix(string(event), "StateEntered")
}

// call records what an event says about a call of the step.
func (w *walk) call(at place, event types.HistoryEvent) {
	if at.step < 0 {
		return
	}
	step := w.steps[at.step]
	switch {
	case event.TaskScheduledEventDetails != nil:
		step.Tries = append(step.Tries, Try{At: aws.ToTime(event.Timestamp),
			Resource: aws.ToString(event.TaskScheduledEventDetails.ResourceType)})
	case event.LambdaFunctionScheduledEventDetails != nil:
		step.Tries = append(step.Tries, Try{At: aws.ToTime(event.Timestamp), Resource: "lambda"})
	}
	if len(step.Tries) == 0 {
		return
	}
	try := &step.Tries[len(step.Tries)-1]
	if try.Ended != nil {
		return
	}
	if failed := failure(event); failed != nil {
		try.Ended, try.Error, try.Cause = event.Timestamp, failed.Error, failed.Cause
	}
	switch {
	case event.TaskSucceededEventDetails != nil:
		try.Ended, try.Result = event.Timestamp, aws.ToString(event.TaskSucceededEventDetails.Output)
	case event.LambdaFunctionSucceededEventDetails != nil:
		try.Ended, try.Result = event.Timestamp, aws.ToString(event.LambdaFunctionSucceededEventDetails.Output)
	}
}

// errorCause is in every event of a failure.
type errorCause struct{ Error, Cause string }

func because(err, cause *string) *errorCause {
	return &errorCause{aws.ToString(err), aws.ToString(cause)}
}

// failure is the error of a failed call, nil for other events.
func failure(event types.HistoryEvent) *errorCause {
	switch {
	case event.TaskFailedEventDetails != nil:
		return because(event.TaskFailedEventDetails.Error, event.TaskFailedEventDetails.Cause)
	case event.TaskTimedOutEventDetails != nil:
		return because(event.TaskTimedOutEventDetails.Error, event.TaskTimedOutEventDetails.Cause)
	case event.TaskStartFailedEventDetails != nil:
		return because(event.TaskStartFailedEventDetails.Error, event.TaskStartFailedEventDetails.Cause)
	case event.TaskSubmitFailedEventDetails != nil:
		return because(event.TaskSubmitFailedEventDetails.Error, event.TaskSubmitFailedEventDetails.Cause)
	case event.LambdaFunctionFailedEventDetails != nil:
		return because(event.LambdaFunctionFailedEventDetails.Error, event.LambdaFunctionFailedEventDetails.Cause)
	case event.LambdaFunctionTimedOutEventDetails != nil:
		return because(event.LambdaFunctionTimedOutEventDetails.Error, event.LambdaFunctionTimedOutEventDetails.Cause)
	case event.LambdaFunctionScheduleFailedEventDetails != nil:
		return because(event.LambdaFunctionScheduleFailedEventDetails.Error,
			event.LambdaFunctionScheduleFailedEventDetails.Cause)
	}
	return nil
}

// ended is the error of an execution that did not succeed, nil for other events.
func ended(event types.HistoryEvent) *errorCause {
	switch {
	case event.ExecutionFailedEventDetails != nil:
		return because(event.ExecutionFailedEventDetails.Error, event.ExecutionFailedEventDetails.Cause)
	case event.ExecutionTimedOutEventDetails != nil:
		return because(event.ExecutionTimedOutEventDetails.Error, event.ExecutionTimedOutEventDetails.Cause)
	case event.ExecutionAbortedEventDetails != nil:
		return because(event.ExecutionAbortedEventDetails.Error, event.ExecutionAbortedEventDetails.Cause)
	case event.Type == types.HistoryEventTypeExecutionTimedOut:
		return &errorCause{Error: "States.Timeout"}
	}
	return nil
}
