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
)

// counted is what a whole run cost in calls: its files and its _success files, to the second news.
type counted struct {
	Feeding     feeding
	Shape       shape
	Functions   calls // of the functions
	Runner      calls // of what stands for the pipes or for the event source mapping, polls of the stream left out
	Executions  int
	States      int                    // entered, also inside of the Map
	Invocations map[string]invocations // by task
	Express     bool
	News        int
	Seconds     float64 // of the files' part, through the counters
}

// invocations are the calls of one function.
type invocations struct {
	Calls   int
	Seconds float64 // together, as the engine measures them
	// LogBytes is what CloudWatch Logs bills for their lines.
	LogBytes int
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

// lateUpdates is how many conditional updates of rows came too late, so that the row was read again.
func (c counted) lateUpdates() int {
	return c.Functions.Failed["DynamoDB.UpdateItem ConditionalCheckFailedException"]
}

// count sends a whole run through the subject and counts what it costs.
func (w *world) count(ctx context.Context, s *subject, r run, f feeding) (counted, error) {
	if err := w.settle(ctx, s); err != nil {
		return counted{}, err
	}
	before, err := w.invocations(ctx, s)
	if err != nil {
		return counted{}, err
	}
	w.functions.take()
	w.runner.take()
	timed, err := w.measure(ctx, s, r, f)
	if err != nil {
		return counted{}, err
	}
	if err := r.sendSuccessFiles(ctx, w.queues, s.inURL); err != nil {
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
	news, err := w.drain(ctx, s.newsURL, 1)
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
	c := counted{Express: s.express, Feeding: f, Shape: r.shape, Functions: w.functions.take(), Runner: w.runner.take(),
		Invocations: map[string]invocations{}, News: timed.News + news, Seconds: timed.Seconds}
	for task, called := range after {
		called.Calls -= before[task].Calls
		called.LogBytes -= before[task].LogBytes
		called.Seconds -= before[task].Seconds
		c.Invocations[task] = called
	}
	for kind := range c.Runner.Kinds {
		if strings.HasPrefix(kind, "DynamoDBStreams.") || kind == "SQS.GetQueueUrl" {
			delete(c.Runner.Kinds, kind)
		}
	}
	c.Executions = c.Runner.Kinds["States.StartExecution"] + c.Runner.Kinds["States.StartSyncExecution"]
	c.States = states(c)
	return c, nil
}

// settle waits until the stream's changes are looked at and nothing runs any more.
func (w *world) settle(ctx context.Context, s *subject) error {
	for quiet := time.Now(); time.Since(quiet) < settled; {
		if err := w.idle(ctx, s); err != nil {
			return err
		}
		if err := sleep(ctx, poll); err != nil {
			return err
		}
	}
	return nil
}

const settled = 1500 * time.Millisecond

// states is how many states were entered, without reading every history: each function is called by one state, and what
// follows on it is given by the definition:
// Route Event by Source and Look at Each Collection once for each execution, Increment Files Received for each of its
// calls; Check Collection, a Choice, and either the end or (after a request perhaps) Check All Collections; that, a
// Choice, and either the end or Notify Monitoring.
func states(c counted) int {
	if c.Executions == 0 {
		return 0
	}
	increments, checks := c.Invocations["increment"].Calls, c.Invocations["check-collection"].Calls
	alls, notifies := c.Invocations["check-all"].Calls, c.Invocations["notify"].Calls
	requests := notifies - c.News
	return 2*c.Executions + increments + 2*checks + (checks - alls) + requests + 3*alls
}

// invocations is what the functions' logs say so far, by task: Lambda ends each call with a line that begins with
// REPORT. (The engine's metrics leave out the calls of a state machine.)
func (w *world) invocations(ctx context.Context, s *subject) (map[string]invocations, error) {
	all := map[string]invocations{}
	logs := cloudwatchlogs.NewFromConfig(w.config)
	for _, name := range s.functions {
		var sum invocations
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(logs, &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: aws.String("/aws/lambda/" + name)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
				break // never called
			}
			if err != nil {
				return nil, fmt.Errorf("reading the log of %s: %w", name, err)
			}
			for _, event := range page.Events {
				sum.add(aws.ToString(event.Message))
			}
		}
		all[taskOf(name)] = sum
	}
	return all, nil
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

// taskOf is the task that a deployed function does: the end of its name.
func taskOf(function string) string {
	for _, task := range tasks {
		if strings.HasSuffix(function, "-"+task) {
			return task
		}
	}
	return function
}

// tasks are the stack's functions.
var tasks = []string{"increment", "check-collection", "check-all", "notify", "sweep"}
