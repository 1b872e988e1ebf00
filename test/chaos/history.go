package chaos

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"golang.org/x/sync/errgroup"
)

// history counts executions and their function calls.
type history struct {
	executions map[string]int // by status
	calls      atomic.Int64   // of functions
	failed     bag            // calls, by error
}

const readersOfHistory = 8

func (s *system) readHistory(ctx context.Context) (*history, error) {
	h := &history{executions: map[string]int{}}
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(readersOfHistory)
	pages := sfn.NewListExecutionsPaginator(s.machines,
		&sfn.ListExecutionsInput{StateMachineArn: &s.outputs.StateMachineArn})
	for pages.HasMorePages() && ctx.Err() == nil {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the executions: %w", err)
		}
		for _, execution := range page.Executions {
			h.executions[string(execution.Status)]++
			readers.Go(func() error { return s.readExecution(ctx, execution.ExecutionArn, h) })
		}
	}
	return h, readers.Wait()
}

func (s *system) readExecution(ctx context.Context, arn *string, h *history) error {
	pages := sfn.NewGetExecutionHistoryPaginator(s.machines,
		&sfn.GetExecutionHistoryInput{ExecutionArn: arn, MaxResults: 1000, IncludeExecutionData: aws.Bool(false)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading an execution's history: %w", err)
		}
		for _, event := range page.Events {
			switch event.Type {
			case sfntypes.HistoryEventTypeTaskScheduled:
				h.calls.Add(1)
			case sfntypes.HistoryEventTypeTaskFailed:
				if details := event.TaskFailedEventDetails; details != nil {
					h.failed.add(aws.ToString(details.Error))
				}
			case sfntypes.HistoryEventTypeTaskTimedOut:
				h.failed.add("States.Timeout")
			}
		}
	}
	return nil
}
