// Package trace reads executions of the state machine: which ones worked on a run, and the way of each through its
// definition, with the input, output, tries and errors of every state.
//
// A STANDARD execution has a history. An EXPRESS execution has none on AWS; its log is read instead, which has no
// inputs and outputs (infra/workflow.go leaves the messages' data out of it).
package trace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/statemachine"
)

// Execution is an execution of the state machine.
type Execution struct {
	ID      string     `json:"execution"` // its ARN
	Status  Status     `json:"status"`
	Started time.Time  `json:"started"`
	Stopped *time.Time `json:"stopped,omitempty"`
	Input   string     `json:"input"`
	Output  string     `json:"output"`
	Error   string     `json:"error,omitempty"`
	Cause   string     `json:"cause,omitempty"`
}

// Status is that of an execution, as Step Functions spells it.
type Status = types.ExecutionStatus

// Name is the last part of the execution's ARN.
func (e Execution) Name() string { return Name(e.ID) }

// Name is the last part of an execution's ARN.
func Name(id string) string { return id[strings.LastIndex(id, ":")+1:] }

// Failed reports whether it ended without success.
func (e Execution) Failed() bool {
	return e.Status != types.ExecutionStatusSucceeded && e.Status != types.ExecutionStatusRunning
}

// Account is an execution with its way through the definition.
type Account struct {
	Execution
	Graph   Graph  `json:"graph"`
	Steps   []Step `json:"steps"`
	Express bool   `json:"express"` // read from the log: without inputs and outputs
	Note    string `json:"note"`    // what is not shown, and why
}

// ErrNotFound is the error for an execution that does not exist, or no longer.
var ErrNotFound = errors.New(
	"the state machine has no such execution (STANDARD keeps them for 90 days)")

// Reader reads a deployment's executions. It is safe for concurrent use, and remembers executions that have ended.
type Reader struct {
	SFN      *sfn.Client
	Logs     *cloudwatchlogs.Client
	Machine  string // ARN of the state machine
	LogGroup string // of the state machine

	deployment deployment.Deployment

	mu    sync.Mutex
	ended map[string]Execution
}

// New reads the executions of a deployment's state machine.
func New(d deployment.Deployment) *Reader {
	stack := strings.TrimSuffix(d.FunctionName(""), "-")
	return &Reader{SFN: sfn.NewFromConfig(d.Config), Logs: cloudwatchlogs.NewFromConfig(d.Config),
		Machine: d.StateMachineArn, LogGroup: "/aws/vendedlogs/states/" + stack, deployment: d,
		ended: map[string]Execution{}}
}

// Ours reports whether an ARN is that of an execution of this state machine.
func (r *Reader) Ours(id string) bool {
	parts, machine := strings.Split(id, ":"), Name(r.Machine)
	return len(parts) >= 8 && parts[2] == "states" && (parts[5] == "execution" || parts[5] == "express") &&
		parts[6] == machine
}

// express reports whether an execution has only a log.
func express(id string) bool { return strings.Contains(id, ":express:") }

// Account reads an execution with its way. An EXPRESS one is searched in the log within an hour of the moment, or in
// the last day if that is zero.
func (r *Reader) Account(ctx context.Context, id string, near time.Time) (Account, error) {
	if !r.Ours(id) {
		return Account{}, ErrNotFound
	}
	if express(id) {
		return r.fromLog(ctx, id, near)
	}
	execution, err := r.describe(ctx, id)
	if err != nil {
		return Account{}, err
	}
	account := Account{Execution: execution}
	if account.Graph, err = r.graphOf(ctx, id); err != nil {
		return account, err
	}
	events, err := r.history(ctx, id)
	if err != nil {
		return account, err
	}
	account.Steps = stepsOf(events)
	return account, nil
}

func (r *Reader) history(ctx context.Context, id string) ([]event, error) {
	pages := sfn.NewGetExecutionHistoryPaginator(r.SFN, &sfn.GetExecutionHistoryInput{ExecutionArn: &id,
		IncludeExecutionData: aws.Bool(true), MaxResults: 1000})
	var events []event
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the history of execution %s: %w", Name(id), err)
		}
		for _, e := range page.Events {
			events = append(events, fromHistory(e))
		}
	}
	return events, nil
}

// graphOf draws the definition of a STANDARD execution, which may be older than today's.
func (r *Reader) graphOf(ctx context.Context, id string) (Graph, error) {
	described, err := r.SFN.DescribeStateMachineForExecution(ctx, &sfn.DescribeStateMachineForExecutionInput{
		ExecutionArn: &id})
	if err != nil {
		return r.Graph(ctx)
	}
	return parse(aws.ToString(described.Definition))
}

// Graph draws the deployed definition.
func (r *Reader) Graph(ctx context.Context) (Graph, error) {
	described, err := r.SFN.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: &r.Machine})
	if err != nil {
		return Graph{}, fmt.Errorf("reading the definition of state machine %s: %w", Name(r.Machine), err)
	}
	return parse(aws.ToString(described.Definition))
}

func parse(definition string) (Graph, error) {
	machine, err := statemachine.Parse(definition)
	return NewGraph(machine), err
}

func (r *Reader) describe(ctx context.Context, id string) (Execution, error) {
	r.mu.Lock()
	known, ok := r.ended[id]
	r.mu.Unlock()
	if ok {
		return known, nil
	}
	described, err := r.SFN.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &id})
	if errors.As(err, new(*types.ExecutionDoesNotExist)) {
		return Execution{}, ErrNotFound
	}
	if err != nil {
		return Execution{}, fmt.Errorf("reading execution %s: %w", Name(id), err)
	}
	execution := Execution{ID: id, Status: described.Status, Started: aws.ToTime(described.StartDate),
		Stopped: described.StopDate, Input: aws.ToString(described.Input), Output: aws.ToString(described.Output),
		Error: aws.ToString(described.Error), Cause: aws.ToString(described.Cause)}
	if execution.Status != types.ExecutionStatusRunning {
		r.remember(execution)
	}
	return execution, nil
}

// remembered is how many ended executions a Reader remembers.
const remembered = 2000

func (r *Reader) remember(execution Execution) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == nil || len(r.ended) >= remembered {
		r.ended = map[string]Execution{}
	}
	r.ended[execution.ID] = execution
}
