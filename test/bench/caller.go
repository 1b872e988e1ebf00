package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/local"
)

// caller is how the function that gets a system's messages is called.
type caller struct {
	task        string
	env         []string
	statusTable string
	keys        map[string][]string // of each table, the partition key first
	payload     string              // JSON with expressions for the records and the execution
}

// The expressions that a definition's payload may have.
const recordsHere, executionHere = `"{% $states.input %}"`, "{% $states.context.Execution.Id %}"

// eventFor is the event that brings these bodies. The messages' ids and the execution's follow from number.
func (c caller) eventFor(bodies []string, number int) ([]byte, error) {
	var messages []sqstypes.Message
	for i, body := range bodies {
		messages = append(messages, sqstypes.Message{
			MessageId:     aws.String(fmt.Sprintf("%08x-0000-4000-8000-%012d", number, i)),
			ReceiptHandle: aws.String(strings.Repeat("handle", 30)), Body: &body,
			MD5OfBody: aws.String(strings.Repeat("0", 32)), Attributes: map[string]string{
				"ApproximateReceiveCount": "1", "SenderId": "AIDAEXAMPLE", "SentTimestamp": "1735689600000",
				"ApproximateFirstReceiveTimestamp": "1735689600000"}})
	}
	records, err := local.RecordsInput("arn:aws:sqs:eu-west-1:123456789012:bench", messages)
	if err != nil {
		return nil, err
	}
	execution := fmt.Sprintf("arn:aws:states:eu-west-1:123456789012:execution:bench:%032d", number)
	event := strings.ReplaceAll(c.payload, executionHere, execution)
	return []byte(strings.Replace(event, recordsHere, records, 1)), nil
}

// callerOf reads from the stack's definition how it calls its first function.
func (w *testbed) callerOf(ctx context.Context, s *system) (caller, error) {
	called, payload, err := firstTask(s.definition)
	if err != nil {
		return caller{}, err
	}
	for _, function := range s.functions {
		if strings.HasSuffix(called, ":"+function.name) {
			keys, err := w.tableKeys(ctx)
			return caller{task: function.task, env: function.environ(), statusTable: s.statusTable, keys: keys,
				payload: payload}, err
		}
	}
	return caller{}, fmt.Errorf("the definition calls %s, which the stack does not have", called)
}

// firstTask returns the function and the payload of the definition's Task outside of its Maps.
func firstTask(definition string) (function, payload string, err error) {
	var machine struct {
		States map[string]struct {
			Type      string
			Arguments struct {
				FunctionName string
				Payload      json.RawMessage
			}
		}
	}
	if err := json.Unmarshal([]byte(definition), &machine); err != nil {
		return "", "", fmt.Errorf("reading the definition: %w", err)
	}
	for name, state := range machine.States {
		if state.Type != "Task" {
			continue
		}
		payload = string(state.Arguments.Payload)
		rest := strings.ReplaceAll(strings.Replace(payload, recordsHere, "", 1), executionHere, "")
		if rest == payload || strings.Contains(rest, "{%") {
			return "", "", fmt.Errorf("reading the definition: %s has the payload %s; add its expressions here", name,
				payload)
		}
		return state.Arguments.FunctionName, payload, nil
	}
	return "", "", errors.New("reading the definition: it has no Task")
}

// tableKeys are the names of the key attributes of all tables.
func (w *testbed) tableKeys(ctx context.Context) (map[string][]string, error) {
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

// baselineCaller is how an event source mapping calls the baseline, with records like those of the stack.
func baselineCaller() caller {
	return caller{
		task: baselineName, payload: `{"Records":` + recordsHere + `}`,
		statusTable: "statuses", keys: map[string][]string{"statuses": {"CorrelationId", "CollectionName"}},
		env: []string{"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME=statuses"},
	}
}

// folder is the package of the function's program.
func (c caller) folder() string {
	if c.task == baselineName {
		return baselineFolder
	}
	return folderOf(c.task)
}
