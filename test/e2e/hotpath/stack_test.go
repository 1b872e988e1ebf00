package hotpath

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local"
)

// stack is a deployed stack whose functions call through the proxy.
type stack struct {
	name     string
	express  bool
	config   aws.Config
	outputs  local.Outputs
	calls    *proxy
	table    *dynamodb.Client
	machines *sfn.Client
	queues   *sqs.Client
}

// engine starts an engine of the test's own whose functions call through the proxy. Retries of the state machine wait
// this part of their time.
func engine(t *testing.T, waits string) (*local.TestEngine, *proxy) {
	t.Helper()
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	calls := newProxy()
	server := httptest.NewServer(calls)
	t.Cleanup(server.Close)
	engine, err := project.StartTestEngine(t.Context(), t.TempDir(), log, "AWS_ENDPOINT_URL="+server.URL,
		"SFN_WAIT_SCALE="+waits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := calls.leadTo(engine.Endpoint); err != nil {
		t.Fatal(err)
	}
	return engine, calls
}

var log = local.Log{Steps: os.Stderr, Output: io.Discard}

// deploy deploys a stack of the workflow type, with batches of this size.
func deploy(t *testing.T, engine *local.TestEngine, calls *proxy, workflowType string, batchSize int) *stack {
	t.Helper()
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute) // for what takes seconds: the machine may be busy
	defer cancel()
	file := filepath.Join(t.TempDir(), "outputs.json")
	if err := project.Deploy(ctx, engine.Endpoint, file, []string{
		"environment=" + fmt.Sprint("batches-of-", batchSize), "workflowType=" + workflowType,
		"batchSize=" + strconv.Itoa(batchSize), "sweepEveryMinutes=60",
	}, log); err != nil {
		t.Fatal(err)
	}
	name, outputs, err := local.ReadOutputs(file)
	if err != nil {
		t.Fatal(err)
	}
	config := local.Config(engine.Endpoint)
	return &stack{
		name: name, express: workflowType == "EXPRESS", config: config, outputs: outputs, calls: calls,
		table: dynamodb.NewFromConfig(config), machines: sfn.NewFromConfig(config), queues: sqs.NewFromConfig(config),
	}
}

type row = map[string]types.AttributeValue

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(value)}
}

// put writes a collection's row, as the exporter does.
func (s *stack) put(t *testing.T, run, collection string, sent types.AttributeValue) {
	t.Helper()
	if _, err := s.table.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.outputs.ExportStatusTableName,
		Item: row{
			"CorrelationId": text(run), "CollectionName": text(collection), "CollectionStatus": text("Sent"),
			"FilesSent": sent,
		}}); err != nil {
		t.Fatal(err)
	}
}

// stands reads a row as "status received".
func (s *stack) stands(t *testing.T, run, collection string) string {
	t.Helper()
	got, err := s.table.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &s.outputs.ExportStatusTableName, ConsistentRead: aws.Bool(true),
		Key: row{"CorrelationId": text(run), "CollectionName": text(collection)},
	})
	if err != nil {
		t.Fatal(err)
	}
	received := "0"
	if n, ok := got.Item["FilesReceived"].(*types.AttributeValueMemberN); ok {
		received = n.Value
	}
	status, _ := got.Item["CollectionStatus"].(*types.AttributeValueMemberS)
	if status == nil {
		return "no row"
	}
	return status.Value + " " + received
}

// await waits until the condition holds, and fails the test with what is missing otherwise.
func await(t *testing.T, condition func() (missing string)) {
	t.Helper()
	deadline := time.After(10 * time.Minute) // for what takes seconds: the machine may be busy
	for {
		missing := condition()
		if missing == "" {
			return
		}
		select {
		case <-deadline:
			t.Fatal("waited in vain: ", missing)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
