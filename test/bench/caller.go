package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/local"
)

// caller is how the function that gets a subject's messages is called.
type caller struct {
	task        string
	env         []string
	statusTable string
	keys        map[string][]string // of each table, the partition key first
	record      map[string]any      // a message as the pipe delivers it
	event       string              // JSON with placeholders for the records and the execution
}

// The placeholders of an event.
const recordsHere, executionHere = `"{records}"`, "{execution}"

// eventFor is the event that brings these bodies. Number makes the messages' ids and the execution's.
func (c caller) eventFor(bodies []string, number int) ([]byte, error) {
	var records []map[string]any
	for i, body := range bodies {
		record := map[string]any{}
		for name, value := range c.record {
			record[name] = value
		}
		record["messageId"], record["body"] = fmt.Sprintf("%08x-0000-4000-8000-%012d", number, i), body
		records = append(records, record)
	}
	raw, err := json.Marshal(records)
	if err != nil {
		return nil, fmt.Errorf("writing an event: %w", err)
	}
	execution := fmt.Sprintf("arn:aws:states:eu-west-1:123456789012:execution:bench:%032d", number)
	event := strings.ReplaceAll(c.event, executionHere, execution)
	return []byte(strings.Replace(event, recordsHere, string(raw), 1)), nil
}

// discoverCaller learns how the stack calls its first function: it puts a recorder in the place of every function and
// sends
// a message through the queue. The stack is of no use afterwards.
func (w *world) discoverCaller(ctx context.Context, s *subject) (caller, error) {
	if err := w.replaceFunctions(ctx, s); err != nil {
		return caller{}, err
	}
	sent := time.Now()
	r := run{ID: "bench-recorded", shape: shape{Collections: 1, Files: 1}}
	if err := r.sendFiles(ctx, w.queues, s.inURL); err != nil {
		return caller{}, err
	}
	stop, err := w.feed(ctx, s, feeding{Batch: 1, SideBySide: 1})
	if err != nil {
		return caller{}, err
	}
	function, event, err := w.recorded(ctx, s, r.ID, sent)
	if err = errors.Join(err, stop()); err != nil {
		return caller{}, err
	}
	execution, input, err := w.inputOf(ctx, s, r.ID)
	if err != nil {
		return caller{}, err
	}
	c := caller{task: function.task, statusTable: s.statusTable, env: function.environ()}
	if c.keys, err = w.tableKeys(ctx); err != nil {
		return caller{}, err
	}
	return c, c.learn(event, execution, input)
}

// learn makes the event with its placeholders of one that was recorded.
func (c *caller) learn(event, execution, input string) error {
	var called any
	var records []any
	if err := errors.Join(json.Unmarshal([]byte(event), &called), json.Unmarshal([]byte(input), &records)); err != nil {
		return fmt.Errorf("reading how %s is called: %w", c.task, err)
	}
	record, ok := records[0].(map[string]any)
	if !ok {
		return fmt.Errorf("reading how %s is called: its message is %v", c.task, records[0])
	}
	c.record = record
	found := 0
	var replace func(any) any
	replace = func(value any) any {
		if reflect.DeepEqual(value, any(records)) {
			found++
			return strings.Trim(recordsHere, `"`)
		}
		switch value := value.(type) {
		case string:
			return strings.ReplaceAll(value, execution, executionHere)
		case []any:
			for i := range value {
				value[i] = replace(value[i])
			}
		case map[string]any:
			for name := range value {
				value[name] = replace(value[name])
			}
		}
		return value
	}
	raw, err := json.Marshal(replace(called))
	if err != nil || found != 1 {
		return errors.Join(err, fmt.Errorf(
			"reading how %s is called: the batch is %d times in its event, want once: %s",
			c.task, found, event))
	}
	c.event = string(raw)
	return nil
}

func (w *world) replaceFunctions(ctx context.Context, s *subject) error {
	code, _, err := functionZip(ctx, w.Project, "./test/bench/recorder")
	if err != nil {
		return err
	}
	for _, function := range s.functions {
		_, err := w.lambdas.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &function.name,
			ZipFile: code})
		if err == nil {
			waiter := lambda.NewFunctionUpdatedV2Waiter(w.lambdas)
			err = waiter.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &function.name}, time.Minute)
		}
		if err != nil {
			return fmt.Errorf("putting a recorder in the place of %s: %w", function.name, err)
		}
	}
	return nil
}

// recorded waits for the call with this text, which came after a moment, and returns the function that got it and its
// event.
func (w *world) recorded(ctx context.Context, s *subject, with string, since time.Time) (deployed, string, error) {
	logs := cloudwatchlogs.NewFromConfig(w.config)
	begun := time.Now()
	for time.Since(begun) < stuckAfter {
		for _, function := range s.functions {
			lines, err := logLines(ctx, logs, function.name, since)
			if err != nil {
				return deployed{}, "", err
			}
			for _, line := range lines {
				if event, found := strings.CutPrefix(strings.TrimSpace(line), "EVENT "); found &&
					strings.Contains(event, with) {
					return function, event, nil
				}
			}
		}
		if err := sleep(ctx, poll); err != nil {
			return deployed{}, "", err
		}
	}
	return deployed{}, "", fmt.Errorf("no function was called with a message in %s", stuckAfter)
}

// inputOf is the execution whose input has this text, and that input.
func (w *world) inputOf(ctx context.Context, s *subject, with string) (arn, input string, err error) {
	executions, err := w.executions(ctx, s)
	if err != nil {
		return "", "", err
	}
	for _, arn := range executions { // the newest first
		described, err := w.machines.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err != nil {
			return "", "", fmt.Errorf("reading an execution: %w", err)
		}
		if strings.Contains(aws.ToString(described.Input), with) {
			return arn, aws.ToString(described.Input), nil
		}
	}
	return "", "", fmt.Errorf("none of %d executions has %s in its input", len(executions), with)
}

// tableKeys are the names of the key attributes of all tables.
func (w *world) tableKeys(ctx context.Context) (map[string][]string, error) {
	listed, err := w.table.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	keys := map[string][]string{}
	for _, name := range listed.TableNames {
		described, err := w.table.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return nil, fmt.Errorf("reading the keys of %s: %w", name, err)
		}
		for _, key := range described.Table.KeySchema {
			keys[name] = append(keys[name], aws.ToString(key.AttributeName))
		}
	}
	return keys, nil
}

// baselineCaller is how an event source mapping calls the baseline with records like those of the stack.
func baselineCaller(s caller) caller {
	return caller{
		task: baselineName, record: s.record, event: `{"Records":` + recordsHere + `}`,
		statusTable: "statuses", keys: map[string][]string{"statuses": {"CorrelationId", "CollectionName"}},
		env: []string{"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME=statuses"},
	}
}

// buildCalled builds the caller's function of this project into the folder.
func buildCalled(ctx context.Context, project local.Project, c caller, program string) error {
	if c.task == baselineName {
		return buildFunction(ctx, project, baselineFolder, program)
	}
	return buildFunction(ctx, project, folderOf(c.task), program)
}
