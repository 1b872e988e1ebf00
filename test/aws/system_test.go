//go:build testaws

package aws_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/table/dynamo/dynamotest"
	"snapshot-status-checker/local"
	"snapshot-status-checker/statemachine"
	"snapshot-status-checker/test/aws/dynamodblocal"
	"snapshot-status-checker/test/aws/emulator"
	"snapshot-status-checker/test/aws/strict"
	"snapshot-status-checker/test/scenario"
)

const (
	sourceQueue  = "arn:aws:sqs:eu-west-1:111122223333:file-received"
	rejected     = "rejected"
	requests     = "export-state.fifo"
	concurrently = 2 // executions
)

// system is the stack without the local engine: the real functions in Lambda's emulator, tables and stream in DynamoDB
// Local, the definition under strict rules.
type system struct {
	*testing.T
	*cloud
	rows
	workflowType string
	player       *scenario.Player
	emulators    []map[string]string // for each concurrent execution; by the placeholders of the definition
	sweep        string              // its emulator
	streams      *dynamodbstreams.Client
	filters      local.Filters
	seen         int // records of the stream
	executions   int
	events       int // of the longest history
}

func newSystem(t *testing.T, workflowType string) *system {
	t.Helper()
	config := dynamodblocal.Config(t)
	client := dynamodb.NewFromConfig(config)
	status := createWithStream(t, client)
	ledger := dynamotest.Create(t, client, "ledger", "PK", "SK")
	s := &system{
		T: t, cloud: newCloud(t, aws.ToString(config.BaseEndpoint)), rows: rows{T: t, client: client, table: status},
		player:       scenario.NewPlayer(config, local.Outputs{ExportStatusTableName: status}),
		workflowType: workflowType, streams: dynamodbstreams.NewFromConfig(config),
		filters: parse(t, statemachine.StreamFilters(nil)),
	}
	environment := map[string]string{
		"AWS_REGION": local.Region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL": s.URL, "DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": status, "LEDGER_TABLE_NAME": ledger.Table,
		"REJECTED_MESSAGES_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/" + rejected,
		"EXPORT_STATE_SQS_QUEUE_URL":  "https://sqs.eu-west-1.amazonaws.com/111122223333/" + requests,
		"MONITORING_SNS_TOPIC_ARN":    "arn:aws:sns:eu-west-1:111122223333:monitoring",
		"STATE_MACHINE_ARN":           "arn:aws:states:eu-west-1:111122223333:stateMachine:status-checker",
		"PIPE_NAMES":                  "messages,changes",
	}
	for range concurrently {
		of := map[string]string{}
		for function, task := range map[string]string{
			incrementFunction: "increment", checkCollectionFunction: "check-collection",
			checkAllFunction: "check-all", notifyFunction: "notify",
		} {
			of[function] = emulator.Start(t, task, environment)
		}
		s.emulators = append(s.emulators, of)
	}
	s.sweep = emulator.Start(t, "sweep", environment)
	return s
}

// execute runs an execution for each of the inputs and wants each to succeed.
func (s *system) execute(inputs ...json.RawMessage) {
	s.Helper()
	all := []strict.Execution{}
	for _, input := range inputs {
		s.executions++
		id := fmt.Sprintf("arn:aws:states:eu-west-1:111122223333:execution:status-checker:%08d", s.executions)
		all = append(all, strict.Execution{ID: id, Input: input})
	}
	results, err := strict.RunLive(s.workflowType, all, s.emulators)
	if err != nil {
		s.Fatal(err)
	}
	for i, end := range results.Ends {
		s.events = max(s.events, end.Events)
		if end.Status != "SUCCEEDED" || len(end.Faults) > 0 {
			s.Errorf("an execution ended as %s %s: %s, %q, of %.300s", end.Status, end.Error, end.Cause, end.Faults,
				inputs[i])
		}
	}
}

// deliver delivers messages in batches, as the pipe does.
func (s *system) deliver(batch int, messages ...sqstypes.Message) {
	s.Helper()
	var inputs []json.RawMessage
	for some := range slices.Chunk(messages, batch) {
		input, err := local.RecordsInput(sourceQueue, some)
		if err != nil {
			s.Fatal(err)
		}
		inputs = append(inputs, json.RawMessage(input))
	}
	s.execute(inputs...)
}

// changes delivers the new stream records that pass the filters, and returns their number.
func (s *system) changes() (passed int) {
	s.Helper()
	var inputs []json.RawMessage
	records := s.rows.records(s.streams)
	for _, record := range records[s.seen:] {
		var event map[string]any
		if err := json.Unmarshal(record, &event); err != nil {
			s.Fatal(err)
		}
		if s.filters.Pass(event) {
			inputs = append(inputs, json.RawMessage("["+string(record)+"]"))
		}
	}
	s.seen = len(records)
	s.execute(inputs...)
	return len(inputs)
}

// callSweep calls the sweep, which finds nothing to do.
func (s *system) callSweep() {
	s.Helper()
	if _, err := emulator.Invoke(s.Context(), s.sweep, `{"execution_id":"sweep"}`); err != nil {
		s.Fatal(err)
	}
}
