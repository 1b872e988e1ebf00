package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// counted is what a whole run cost in calls: its files and its _success files, to the second notification.
type counted struct {
	Feeding       feeding
	Shape         shape
	Functions     calls // of the functions
	Runner        calls // of the local runner or the event source mapping, polls of the stream left out
	Executions    int
	States        int                    // entered, also inside of the Map, by the executions' histories
	Definition    int                    // length of the state machine's definition in bytes
	Invocations   map[string]invocations // by task
	Express       bool
	Notifications int
	Seconds       float64 // of the files' part, through the counters
}

// invocations are the calls of one function.
type invocations struct {
	Calls    int
	MemoryMB float64 // that the function is given
	Seconds  float64 // together, as the engine measures them
	LogBytes int     // that CloudWatch Logs bills for their lines
}

func (c counted) files() float64 { return float64(c.Shape.total()) }

// perFile is a number of the run for each file.
func (c counted) perFile(n float64) float64 { return n / c.files() }

func (c counted) invocations() (all invocations) {
	for _, called := range c.Invocations {
		all.Calls += called.Calls
		all.Seconds += called.Seconds
		all.LogBytes += called.LogBytes
	}
	return all
}

// refusedUpdates is how many conditional updates of any item were refused.
func (c counted) refusedUpdates() int {
	return c.Functions.Failed["DynamoDB.UpdateItem ConditionalCheckFailedException"]
}

// tableCalls is how many calls of DynamoDB the functions made.
func (c counted) tableCalls() (n int) {
	for kind, calls := range c.Functions.Kinds {
		if strings.HasPrefix(kind, "DynamoDB.") {
			n += calls
		}
	}
	return n
}

// count sends a whole run through the system and counts what it costs.
func (w *testbed) count(ctx context.Context, s *system, r run, f feeding) (counted, error) {
	if err := w.settle(ctx, s); err != nil {
		return counted{}, err
	}
	before, err := w.invocations(ctx, s)
	if err != nil {
		return counted{}, err
	}
	if _, err := w.newStates(ctx, s); err != nil {
		return counted{}, err
	}
	w.functions.rows.Store(&s.statusTable)
	w.functions.take()
	w.runner.take()
	timed, err := w.measure(ctx, s, r, f)
	if err != nil {
		return counted{}, err
	}
	if err := w.send(ctx, s.inURL, r.successMessages()); err != nil {
		return counted{}, err
	}
	stop, err := w.feed(ctx, s, f)
	if err != nil {
		return counted{}, err
	}
	err = w.until(ctx, s, r, "Success")
	if err = errors.Join(err, stop()); err != nil {
		return counted{}, fmt.Errorf("run %s: %w", r.ID, err)
	}
	notifications, err := w.drain(ctx, s.notificationsURL, 1)
	if err != nil {
		return counted{}, err
	}
	if err := w.settle(ctx, s); err != nil {
		return counted{}, err
	}
	after, err := w.invocations(ctx, s)
	if err != nil {
		return counted{}, err
	}
	c := counted{Express: s.express, Definition: len(s.definition), Feeding: f, Shape: r.shape,
		Functions: w.functions.take(), Runner: w.runner.take(), Invocations: after,
		Notifications: timed.Notifications + notifications, Seconds: timed.Seconds}
	for task, called := range after {
		called.Calls -= before[task].Calls
		called.LogBytes -= before[task].LogBytes
		called.Seconds -= before[task].Seconds
		after[task] = called
	}
	for kind := range c.Runner.Kinds {
		if strings.HasPrefix(kind, "DynamoDBStreams.") || kind == "SQS.GetQueueUrl" {
			delete(c.Runner.Kinds, kind)
		}
	}
	c.Executions = c.Runner.Kinds["States.StartExecution"] + c.Runner.Kinds["States.StartSyncExecution"]
	c.States, err = w.newStates(ctx, s)
	return c, err
}

const settled = 1500 * time.Millisecond

// settle waits until the changes in the stream are reconciled and no execution runs.
func (w *testbed) settle(ctx context.Context, s *system) error {
	for quiet := time.Now(); time.Since(quiet) < settled; {
		if err := errors.Join(w.idle(ctx, s), sleep(ctx, poll)); err != nil {
			return err
		}
	}
	return nil
}

// executions lists the system's executions, the newest first.
func (w *testbed) executions(ctx context.Context, s *system) (arns []string, err error) {
	if s.machine == "" {
		return nil, nil
	}
	pages := sfn.NewListExecutionsPaginator(w.machines, &sfn.ListExecutionsInput{StateMachineArn: &s.machine})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the executions: %w", err)
		}
		for _, execution := range page.Executions {
			arns = append(arns, aws.ToString(execution.ExecutionArn))
		}
	}
	return arns, nil
}

// newStates is how many states were entered by the executions that began since the last call, by their histories. (The
// engine keeps those of EXPRESS too.)
func (w *testbed) newStates(ctx context.Context, s *system) (states int, err error) {
	arns, err := w.executions(ctx, s)
	if err != nil {
		return 0, err
	}
	for _, arn := range arns {
		if s.seen[arn] {
			continue
		}
		s.seen[arn] = true
		pages := sfn.NewGetExecutionHistoryPaginator(w.machines, &sfn.GetExecutionHistoryInput{
			ExecutionArn: &arn, MaxResults: 1000, IncludeExecutionData: aws.Bool(false)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return 0, fmt.Errorf("reading an execution's history: %w", err)
			}
			for _, event := range page.Events {
				if strings.HasSuffix(string(event.Type), "StateEntered") {
					states++
				}
			}
		}
	}
	return states, nil
}

// invocations reads the functions' logs, by task: Lambda ends each call with a line that begins with REPORT. (The
// engine's metrics leave out the calls of a state machine.)
func (w *testbed) invocations(ctx context.Context, s *system) (map[string]invocations, error) {
	all := map[string]invocations{}
	logs := cloudwatchlogs.NewFromConfig(w.config)
	for _, function := range s.functions {
		lines, err := logLines(ctx, logs, function.name, time.Time{})
		if err != nil {
			return nil, err
		}
		sum := invocations{MemoryMB: function.memoryMB}
		for _, line := range lines {
			sum.add(line)
		}
		all[function.task] = sum
	}
	return all, nil
}

// logLines are the lines that the function wrote since a moment, the zero time for all.
func logLines(
	ctx context.Context, logs *cloudwatchlogs.Client, function string, since time.Time,
) (lines []string, err error) {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/" + function), StartTime: aws.Int64(max(0, since.UnixMilli()))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
			return nil, nil // never called
		}
		if err != nil {
			return nil, fmt.Errorf("reading the log of %s: %w", function, err)
		}
		for _, event := range page.Events {
			lines = append(lines, aws.ToString(event.Message))
		}
	}
	return lines, nil
}

// add counts a line of a log.
func (i *invocations) add(line string) {
	var milliseconds float64
	_, report, found := strings.Cut(line, "\tDuration: ")
	if found && strings.HasPrefix(line, "REPORT ") {
		if _, err := fmt.Sscanf(report, "%g ms", &milliseconds); err == nil {
			i.Calls++
			i.Seconds += milliseconds / 1000
		}
	}
	i.LogBytes += len(line) + logOverhead
}

// logOverhead is what CloudWatch Logs adds to each line before it bills it.
const logOverhead = 26
