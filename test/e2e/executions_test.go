package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// executions follows all executions of the state machine, so that a scenario knows when its own are over.
type executions struct {
	machines *sfn.Client
	machine  string
	mu       sync.Mutex
	byARN    map[string]*execution
	brought  map[string]*execution // by the id of a message that it was started with
}

type execution struct {
	input   string
	running bool
}

func newExecutions(machines *sfn.Client, machine string) *executions {
	return &executions{machines: machines, machine: machine, byARN: map[string]*execution{},
		brought: map[string]*execution{}}
}

// watch refreshes what is known until the context is done.
func (e *executions) watch(ctx context.Context) error {
	tick := time.NewTicker(2 * pollEvery)
	defer tick.Stop()
	for {
		if err := e.refresh(ctx); err != nil {
			return fmt.Errorf("watching the executions: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (e *executions) refresh(ctx context.Context) error {
	pages := sfn.NewListExecutionsPaginator(e.machines, &sfn.ListExecutionsInput{StateMachineArn: &e.machine})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, listed := range page.Executions {
			if err := e.note(ctx, listed); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *executions) note(ctx context.Context, listed types.ExecutionListItem) error {
	running := listed.Status == types.ExecutionStatusRunning
	e.mu.Lock()
	known := e.byARN[*listed.ExecutionArn]
	if known != nil {
		known.running = running
	}
	e.mu.Unlock()
	if known != nil {
		return nil
	}
	described, err := e.machines.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: listed.ExecutionArn})
	if err != nil {
		return err
	}
	found := &execution{input: aws.ToString(described.Input), running: running}
	var records []struct {
		MessageID string `json:"messageId"`
	}
	_ = json.Unmarshal([]byte(found.input), &records) // started by hand, it need not be records
	e.mu.Lock()
	defer e.mu.Unlock()
	e.byARN[*listed.ExecutionArn] = found
	for _, record := range records {
		e.brought[record.MessageID] = found
	}
	return nil
}

// unfinished says what is still to be done for these messages and for anything else that mentions the run, or nothing.
func (e *executions) unfinished(run string, messageIDs []string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range messageIDs {
		switch started := e.brought[id]; {
		case started == nil:
			return "no execution for message " + id
		case started.running:
			return "still running for message " + id
		}
	}
	for arn, execution := range e.byARN {
		if execution.running && strings.Contains(execution.input, run) {
			return "still running: " + arn
		}
	}
	return ""
}

// missing says that no execution has brought these texts, or nothing.
func (e *executions) missing(texts ...string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, execution := range e.byARN {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(execution.input, text) }) {
			return ""
		}
	}
	return fmt.Sprintf("an execution that brings %q", texts)
}
