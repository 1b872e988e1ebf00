// Package trace reads executions of the state machine: which ones worked on a run, and the way of each through its
// definition, with the input, output, tries and errors of every state.
//
// A STANDARD execution has a history. An EXPRESS execution has none on AWS; its log is read instead, which has no
// inputs and outputs (infra/workflow.go leaves the messages' data out of it).
package trace

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
var ErrNotFound = errors.New("the state machine has no such execution (STANDARD keeps them for 90 days)")

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

// fromLog reads an EXPRESS execution from the log.
func (r *Reader) fromLog(ctx context.Context, id string, near time.Time) (Account, error) {
	from, to := near.Add(-time.Hour), near.Add(time.Hour)
	if near.IsZero() {
		from, to = time.Now().Add(-24*time.Hour), time.Now()
	}
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(r.Logs,
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: &r.LogGroup,
			FilterPattern: aws.String(`{ $.execution_arn = ` + strconv.Quote(id) + ` }`),
			StartTime:     aws.Int64(from.UnixMilli()), EndTime: aws.Int64(to.UnixMilli())})
	var lines []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Account{}, fmt.Errorf("reading the log of execution %s in %s: %w", Name(id), r.LogGroup, err)
		}
		for _, event := range page.Events {
			lines = append(lines, aws.ToString(event.Message))
		}
	}
	if len(lines) == 0 {
		return Account{}, fmt.Errorf("log group %s has no event of it within an hour of that time: %w", r.LogGroup,
			ErrNotFound)
	}
	events, err := parseLog(lines)
	if err != nil {
		return Account{}, err
	}
	account := accountOf(id, events)
	account.Graph, err = r.Graph(ctx)
	return account, err
}

// accountOf is an execution from its events.
func accountOf(id string, events []event) Account {
	account := Account{Express: true, Steps: stepsOf(events),
		Note: "EXPRESS: read from the log, which has no inputs and outputs (logs contain no data of messages)."}
	account.ID, account.Status = id, types.ExecutionStatusRunning
	for _, e := range events {
		switch {
		case e.Type == types.HistoryEventTypeExecutionStarted:
			account.Started = aws.ToTime(e.At)
		case e.Type == types.HistoryEventTypeExecutionSucceeded:
			account.Status, account.Stopped = types.ExecutionStatusSucceeded, e.At
		case e.ended():
			account.Status, account.Stopped = types.ExecutionStatusFailed, e.At
			account.Error, account.Cause = e.failure()
		}
	}
	return account
}

// parseLog turns the lines of a log into events, in the order of their ids.
func parseLog(lines []string) ([]event, error) {
	var events []event
	for _, line := range lines {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("reading a line of the state machine's log: %w", err)
		}
		e.At = aws.Time(time.UnixMilli(int64(e.Milliseconds)).UTC())
		events = append(events, e)
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.ID, b.ID) })
	return events, nil
}
