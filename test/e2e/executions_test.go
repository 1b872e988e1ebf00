package e2e

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

// executions tracks all executions of the state machine, so that a scenario knows when its own have ended.
type executions struct {
	machines *sfn.Client
	machine  string
	mu       sync.Mutex
	byARN    map[string]*execution
	byID     map[string]*execution // by the id of a message in its input
}

type execution struct {
	input   string
	running bool
}

func newExecutions(machines *sfn.Client, machine string) *executions {
	return &executions{machines: machines, machine: machine, byARN: map[string]*execution{},
		byID: map[string]*execution{}}
}

// watch refreshes until the context is done.
func (e *executions) watch(ctx context.Context) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := e.refresh(ctx); err != nil && ctx.Err() == nil {
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
	_ = json.Unmarshal([]byte(found.input), &records) // an execution started by hand may have another input
	e.mu.Lock()
	defer e.mu.Unlock()
	e.byARN[*listed.ExecutionArn] = found
	for _, record := range records {
		e.byID[record.MessageID] = found
	}
	return nil
}

// unfinished says which of these messages, or of the executions that mention the run, has not ended; "" if all have.
func (e *executions) unfinished(run string, messageIDs []string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range messageIDs {
		switch started := e.byID[id]; {
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

// of is the number of executions that these messages started.
func (e *executions) of(messageIDs []string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	started := map[*execution]bool{}
	for _, id := range messageIDs {
		started[e.byID[id]] = true
	}
	return len(started)
}

// missing says that no input of an execution contains these texts; "" if one does.
func (e *executions) missing(texts ...string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, execution := range e.byARN {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(execution.input, text) }) {
			return ""
		}
	}
	return fmt.Sprintf("an execution with %q", texts)
}
