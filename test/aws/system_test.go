//go:build testaws

package aws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/table/dynamo/dynamotest"
	"snapshot-status-checker/local"
	"snapshot-status-checker/statemachine"
	"snapshot-status-checker/test/aws/dynamodblocal"
	"snapshot-status-checker/test/aws/emulator"
	"snapshot-status-checker/test/aws/strict"
)

const (
	sourceQueue  = "arn:aws:sqs:eu-west-1:111122223333:file-received"
	rejected     = "rejected"
	requests     = "export-state.fifo"
	concurrently = 4 // executions
	ofEachTask   = 2 // processes
)

// system is the stack without the local engine: the real functions in Lambda's emulator, tables and stream in DynamoDB
// Local, the definition under strict rules.
type system struct {
	*testing.T
	*cloud
	rows
	workflowType string
	tasks        map[string]*emulator.Function // by their placeholders in the definition
	sweep        *emulator.Function
	server       string // calls the tasks for the interpreter
	streams      *dynamodbstreams.Client
	filters      local.Filters
	seen         int // records of the stream
	executions   int
	events       int // of the longest history
	calls        atomic.Int64
}

func newSystem(t *testing.T, workflowType string) *system {
	t.Helper()
	config := dynamodblocal.Config(t)
	client := dynamodb.NewFromConfig(config)
	status := createWithStream(t, client)
	ledger := dynamotest.Create(t, client, "ledger", "PK", "SK")
	s := &system{
		T: t, cloud: newCloud(t, aws.ToString(config.BaseEndpoint)), rows: rows{T: t, client: client, table: status},
		workflowType: workflowType, streams: dynamodbstreams.NewFromConfig(config),
		tasks:   map[string]*emulator.Function{},
		filters: parse(t, statemachine.StreamFilters(nil)),
	}
	environment := map[string]string{
		"AWS_REGION": local.Region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL": s.URL, "DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": status, "LEDGER_TABLE_NAME": ledger.Table,
		"REJECTED_MESSAGES_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/" + rejected,
		"EXPORT_STATE_SQS_QUEUE_URL":  "https://sqs.eu-west-1.amazonaws.com/111122223333/" + requests,
		"MONITORING_SNS_TOPIC_ARN":    "arn:aws:sns:eu-west-1:111122223333:monitoring",
		"STATE_MACHINE_ARN":           "arn:aws:states:eu-west-1:111122223333:stateMachine:status-checker",
		"PIPE_NAMES":                  "messages,changes", "STALLED_AFTER_MINUTES": "0",
	}
	for function, task := range map[string]string{
		incrementFunction: "increment", checkCollectionFunction: "check-collection",
		checkAllFunction: "check-all", notifyFunction: "notify",
	} {
		s.tasks[function] = emulator.Start(t, task, ofEachTask, environment)
	}
	s.sweep = emulator.Start(t, "sweep", 1, environment)
	server := httptest.NewServer(http.HandlerFunc(s.call))
	t.Cleanup(server.Close)
	s.server = server.URL
	return s
}

// call calls a function for the interpreter: see strict.RunLive.
func (s *system) call(w http.ResponseWriter, r *http.Request) {
	var payload json.RawMessage
	var answer json.RawMessage
	err := json.NewDecoder(r.Body).Decode(&payload)
	if err == nil {
		s.calls.Add(1)
		answer, err = s.tasks[strings.TrimPrefix(r.URL.Path, "/")].Invoke(r.Context(), payload)
	}
	if err == nil {
		_, _ = w.Write(answer)
		return
	}
	failure := strict.Answer{Error: "Lambda.Unknown", Cause: aws.String(err.Error())}
	if failed := (*emulator.Error)(nil); errors.As(err, &failed) {
		failure = strict.Answer{Error: failed.Name, Cause: &failed.Cause}
	}
	w.WriteHeader(http.StatusInternalServerError)
	_ = json.NewEncoder(w).Encode(failure)
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
	results, err := strict.RunLive(s.workflowType, all, s.server, concurrently)
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
	for len(messages) > 0 {
		n := min(batch, len(messages))
		input, err := local.RecordsInput(sourceQueue, messages[:n])
		if err != nil {
			s.Fatal(err)
		}
		inputs, messages = append(inputs, json.RawMessage(input)), messages[n:]
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

// callSweep calls the sweep and runs the executions that it starts.
func (s *system) callSweep(name string) {
	s.Helper()
	if _, err := s.sweep.Invoke(s.Context(), json.RawMessage(`{"execution_id":"`+name+`"}`)); err != nil {
		s.Fatal(err)
	}
	s.execute(s.takeStarts()...)
}

// rowState is a row as "Status received/sent".
func (s *system) rowState(run, collection string) string {
	s.Helper()
	got, err := s.client.GetItem(s.Context(), &dynamodb.GetItemInput{
		TableName: &s.table, Key: s.rows.of(run).key(collection), ConsistentRead: aws.Bool(true)})
	if err != nil {
		s.Fatal(err)
	}
	status, _ := got.Item["CollectionStatus"].(*types.AttributeValueMemberS)
	received, _ := got.Item["FilesReceived"].(*types.AttributeValueMemberN)
	sent, _ := got.Item["FilesSent"].(*types.AttributeValueMemberN)
	if status == nil || received == nil || sent == nil {
		return fmt.Sprint(got.Item)
	}
	return fmt.Sprintf("%s %s/%s", status.Value, received.Value, sent.Value)
}
