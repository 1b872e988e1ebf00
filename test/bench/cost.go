package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/internal/price"
	"snapshot-status-checker/operator/logs"
	"snapshot-status-checker/statemachine"
)

// count adds what a run that began then cost: its calls, states and usage.
func (s *system) count(ctx context.Context, m *measured, began time.Time) error {
	invoked := invocations{}
	for _, f := range s.functions {
		if err := s.readLog(ctx, f, began, &invoked); err != nil {
			return err
		}
	}
	states, err := s.newStates(ctx)
	if err != nil {
		return err
	}
	m.Calls, m.States = s.counter.take(), states
	m.Calls.Services["Lambda"] = invoked.calls
	m.Usage = s.usage(m.Calls, states, invoked).Times(1e6 / float64(m.Files))
	return nil
}

// invocations are calls of functions.
type invocations struct {
	calls     int
	seconds   float64 // as the engine measures them
	gbSeconds float64
	logBytes  float64 // that CloudWatch Logs bills
}

// logOverhead is what CloudWatch Logs adds to each line before it bills it, in bytes.
const logOverhead = 26

// readLog adds a function's calls since then: Lambda ends the log of each with a line that begins with REPORT. (The
// engine's metrics leave out the calls of a state machine.)
func (s *system) readLog(ctx context.Context, f deployed, since time.Time, all *invocations) error {
	const anyRun = "*" // has no pattern: all lines are read
	err := logs.OfRun(ctx, logs.New(s.config), "/aws/lambda/"+f.name, anyRun, since, func(line []byte) {
		all.logBytes += float64(len(line) + logOverhead)
		_, report, found := strings.Cut(string(line), "\tDuration: ")
		var milliseconds float64
		if !found || !strings.HasPrefix(string(line), "REPORT ") {
			return
		}
		if _, err := fmt.Sscanf(report, "%g ms", &milliseconds); err == nil {
			took := time.Duration(milliseconds * float64(time.Millisecond))
			all.calls++
			all.seconds += took.Seconds()
			all.gbSeconds += price.LambdaGBSeconds(took, f.memoryMB)
		}
	})
	if errors.Is(err, logs.ErrNoGroup) {
		return nil // never called
	}
	return err
}

// newStates is how many states the executions entered that began since the last call, by their histories. (The engine
// keeps those of EXPRESS too.)
func (s *system) newStates(ctx context.Context) (states int, err error) {
	if s.kind == baseline {
		return 0, nil
	}
	client := sfn.NewFromConfig(s.config)
	pages := sfn.NewListExecutionsPaginator(client, &sfn.ListExecutionsInput{StateMachineArn: &s.outputs.StateMachineArn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("listing the executions: %w", err)
		}
		for _, execution := range page.Executions {
			arn := aws.ToString(execution.ExecutionArn)
			if s.seen[arn] {
				continue
			}
			s.seen[arn] = true
			entered, err := statesOf(ctx, client, arn)
			if err != nil {
				return 0, fmt.Errorf("reading an execution's history: %w", err)
			}
			states += entered
		}
	}
	return states, nil
}

func statesOf(ctx context.Context, client *sfn.Client, execution string) (states int, err error) {
	pages := sfn.NewGetExecutionHistoryPaginator(client, &sfn.GetExecutionHistoryInput{
		ExecutionArn: &execution, MaxResults: 1000, IncludeExecutionData: aws.Bool(false)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		for _, event := range page.Events {
			if strings.HasSuffix(string(event.Type), "StateEntered") {
				states++
			}
		}
	}
	return states, nil
}

// usage is what AWS bills: receiving and deleting (up to 10 messages a request, without empty receives), the pipe, the
// workflow, the functions with the engine's durations, capacity units, requests and notifications, and the functions'
// log lines. Left out is what is the same for all or does not depend on the files: sending the messages, polling the
// stream, the sweep, storage, traces, and the workflow's execution log.
func (s *system) usage(c calls, states int, invoked invocations) price.Usage {
	executions := float64(c.Services[statesService])
	u := price.Usage{
		price.SQSRequest: float64(c.Services[queueService]), price.PipesRequest: c.Payloads,
		price.LambdaRequest: float64(invoked.calls), price.LambdaGBSecond: invoked.gbSeconds,
		price.LogGB:    invoked.logBytes / 1e9,
		price.ReadUnit: c.ReadUnits, price.WriteUnit: c.WriteUnits,
		price.SNSPublish: float64(c.Services[topicService]),
	}
	switch s.kind {
	case "Standard":
		u[price.StateTransition] = float64(states)
	case "Express":
		// The functions' time stands for the executions': the engine waits 0.15 s before each, AWS does not.
		mean := time.Duration(invoked.seconds / executions * float64(time.Second))
		payload := int(c.Payloads / executions * 64 * 1024)
		u[price.ExpressRequest] = executions
		u[price.ExpressGBSecond] = executions * price.ExpressGBSeconds(mean,
			price.ExpressMemoryMB(len(statemachine.Definition), payload, 1))
	}
	return u
}

// pricesBegin and pricesEnd enclose the table of prices in docs/reference.md.
const pricesBegin, pricesEnd = "<!-- prices: written by make bench -->", "<!-- end of prices -->"

// putPrices writes the table of prices into the file.
func putPrices(file string, r results) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("writing the prices: %w", err)
	}
	before, rest, begun := strings.Cut(string(raw), pricesBegin)
	_, after, ended := strings.Cut(rest, pricesEnd)
	if !begun || !ended {
		return fmt.Errorf("writing the prices: %s lacks %s or %s", file, pricesBegin, pricesEnd)
	}
	text := before + pricesBegin + "\n" + r.priceTable() + pricesEnd + after
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the prices: %w", err)
	}
	return nil
}

// priceTable shows the bill of each configuration of the present version by part.
func (r results) priceTable() string {
	parts := []struct {
		name string
		of   []price.Dimension
	}{
		{"receive, pipe", []price.Dimension{price.SQSRequest, price.PipesRequest}},
		{"workflow", []price.Dimension{price.StateTransition, price.ExpressRequest, price.ExpressGBSecond}},
		{"functions", []price.Dimension{price.LambdaRequest, price.LambdaGBSecond}},
		{"reads", []price.Dimension{price.ReadUnit}},
		{"writes", []price.Dimension{price.WriteUnit}},
		{"notifications", []price.Dimension{price.SNSPublish}},
		{"functions' logs", []price.Dimension{price.LogGB}},
	}
	head := []string{"USD for a million files", "total", "× baseline 1"}
	for _, part := range parts {
		head = append(head, part.name)
	}
	one, _ := r.run("", baseline, 1)
	var lines [][]string
	for _, m := range r.present() {
		bill := price.List.Bill(m.Usage)
		line := []string{m.name(), fmt.Sprintf("%.2f", bill.Total()), times(m.usd(), one.usd())}
		for _, part := range parts {
			line = append(line, fmt.Sprintf("%.2f", bill.USD(part.of...)))
		}
		lines = append(lines, line)
	}
	return table(head, lines)
}
