package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"snapshot-status-checker/internal/price"
)

// usageOf is what AWS bills for what was counted. Included are receiving and deleting (up to 10 messages a request,
// without empty receives), the pipe, the workflow, the functions with the engine's durations, capacity units, requests
// and notifications, and the functions' log lines. Left out is what is the same for all or does not depend on the
// files: sending the messages, polling the stream, the sweep, storage, traces, and the workflow's execution log.
func usageOf(c counted) price.Usage {
	var u price.Usage
	u[price.SQSRequest] = float64(c.Functions.Kinds["SQS.SendMessage"] + c.Runner.Kinds["SQS.ReceiveMessage"] +
		c.Runner.Kinds["SQS.DeleteMessageBatch"])
	u[price.PipesRequest] = c.Runner.Payloads
	switch {
	case c.Express:
		u[price.ExpressRequest] = float64(c.Executions)
		u[price.ExpressGBSecond] = expressGBSeconds(c)
	case c.Executions > 0:
		u[price.StateTransition] = float64(c.States)
	}
	for _, called := range c.Invocations {
		if called.Calls == 0 {
			continue
		}
		u[price.LambdaRequest] += float64(called.Calls)
		mean := time.Duration(called.Seconds / float64(called.Calls) * float64(time.Second))
		u[price.LambdaGBSecond] += float64(called.Calls) * price.LambdaGBSeconds(mean, called.MemoryMB)
		u[price.LogGB] += float64(called.LogBytes) / 1e9
	}
	u[price.ReadUnit], u[price.WriteUnit] = c.Functions.readUnits(), c.Functions.writeUnits()
	u[price.SNSPublish] = float64(c.Functions.Kinds["SNS.Publish"])
	return u
}

// expressGBSeconds takes the functions' time for the executions': the engine waits 0.15 s before each, AWS does not.
func expressGBSeconds(c counted) float64 {
	executions := float64(c.Executions)
	mean := time.Duration(c.invocations().Seconds / executions * float64(time.Second))
	payload := int(c.Runner.Payloads / executions * 64 * 1024)
	return executions * price.ExpressGBSeconds(mean, price.ExpressMemoryMB(c.Definition, payload, 1))
}

// priceOf is the list price in USD.
func priceOf(u price.Usage) float64 { return price.List.Bill(u).Total() }

// priceTable shows each configuration's bill by part.
func priceTable(r results) string {
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
	base, _ := r.cost("baseline 1")
	var lines [][]string
	for _, name := range names {
		counted, ok := r.cost(name)
		if !ok {
			continue
		}
		bill := price.List.Bill(counted.Usage)
		line := []string{name, fmt.Sprintf("%.2f", bill.Total()), times(bill.Total() / base.Million)}
		for _, part := range parts {
			line = append(line, fmt.Sprintf("%.2f", bill.USD(part.of...)))
		}
		lines = append(lines, line)
	}
	var out strings.Builder
	writeTable(&out, head, lines)
	return out.String()
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
	text := before + pricesBegin + "\n" + priceTable(r) + pricesEnd + after
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the prices: %w", err)
	}
	return nil
}

// allCalls are the calls by the functions, the runner's calls that were not in vain, and the calls of the functions.
func (c counted) allCalls() int {
	n := 0
	for kind, calls := range c.Functions.plus(c.Runner).Kinds {
		if !strings.HasSuffix(kind, " empty") {
			n += calls
		}
	}
	if c.Executions > 0 { // else the runner calls the function
		n += c.invocations().Calls
	}
	return n
}

// floor is the engine's time for a file in milliseconds, if its calls cost what they cost bare. It works on one core:
// no configuration is faster.
func (r results) floor(c cost) float64 {
	ms := map[string]float64{}
	for _, ceiling := range r.Ceilings {
		ms[ceiling.Call] = ceiling.EngineMS
	}
	sum := float64(c.invocations().Calls) * ms[bareInvoke]
	for kind, n := range c.Functions.plus(c.Runner).Kinds {
		switch kind {
		case "DynamoDB.UpdateItem", "DynamoDB.PutItem", "DynamoDB.DeleteItem":
			sum += float64(n) * ms[bareUpdateItem]
		case "DynamoDB.BatchGetItem", "DynamoDB.GetItem", "DynamoDB.Query":
			sum += float64(n) * ms[bareBatchGet]
		case "SQS.ReceiveMessage":
			sum += float64(n) * ms[bareTenMessages] * 2 / 3 // a third of it is the sending
		case "States.StartExecution":
			sum += float64(n) * ms[bareStart]
		case "States.StartSyncExecution":
			sum += float64(n) * ms[bareStartSync]
		}
	}
	return c.perFile(sum)
}
