package trace

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// into puts the details where a history has them.
func (d details) into(event *types.HistoryEvent) {
	switch kind := string(event.Type); {
	case strings.HasSuffix(kind, "StateEntered"):
		event.StateEnteredEventDetails = &types.StateEnteredEventDetails{Name: d.Name, Input: d.Input}
	case strings.HasSuffix(kind, "StateExited"):
		event.StateExitedEventDetails = &types.StateExitedEventDetails{Name: d.Name, Output: d.Output}
	}
	switch event.Type {
	case types.HistoryEventTypeMapIterationStarted:
		event.MapIterationStartedEventDetails = &types.MapIterationEventDetails{Name: d.Name, Index: d.Index}
	case types.HistoryEventTypeTaskScheduled:
		event.TaskScheduledEventDetails = &types.TaskScheduledEventDetails{ResourceType: d.ResourceType}
	case types.HistoryEventTypeTaskSucceeded:
		event.TaskSucceededEventDetails = &types.TaskSucceededEventDetails{Output: d.Output}
	case types.HistoryEventTypeTaskFailed:
		event.TaskFailedEventDetails = &types.TaskFailedEventDetails{Error: d.Error, Cause: d.Cause}
	case types.HistoryEventTypeTaskTimedOut:
		event.TaskTimedOutEventDetails = &types.TaskTimedOutEventDetails{Error: d.Error, Cause: d.Cause}
	case types.HistoryEventTypeTaskStartFailed:
		event.TaskStartFailedEventDetails = &types.TaskStartFailedEventDetails{Error: d.Error, Cause: d.Cause}
	case types.HistoryEventTypeTaskSubmitFailed:
		event.TaskSubmitFailedEventDetails = &types.TaskSubmitFailedEventDetails{Error: d.Error, Cause: d.Cause}
	case types.HistoryEventTypeExecutionFailed:
		event.ExecutionFailedEventDetails = &types.ExecutionFailedEventDetails{Error: d.Error, Cause: d.Cause}
	case types.HistoryEventTypeExecutionTimedOut:
		event.ExecutionTimedOutEventDetails = &types.ExecutionTimedOutEventDetails{Error: d.Error, Cause: d.Cause}
	case types.HistoryEventTypeExecutionAborted:
		event.ExecutionAbortedEventDetails = &types.ExecutionAbortedEventDetails{Error: d.Error, Cause: d.Cause}
	}
}

func sortByID(events []types.HistoryEvent) {
	slices.SortFunc(events, func(a, b types.HistoryEvent) int { return cmp.Compare(a.Id, b.Id) })
}
