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
	"snapshot-status-checker/local/localtest"
)

// stack is a deployed stack whose functions call through the proxy.
type stack struct {
	localtest.Stack
	express  bool
	calls    *proxy
	table    *dynamodb.Client
	machines *sfn.Client
	queues   *sqs.Client
}

// startEngine starts an engine of the test's own whose functions call through the proxy. Retries of the state machine
// wait a hundredth of their time, since some tests use them up.
func startEngine(t *testing.T) (*local.TestEngine, *proxy) {
	t.Helper()
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	calls := newProxy()
	server := httptest.NewServer(calls)
	t.Cleanup(server.Close)
	engine, err := project.StartTestEngine(t.Context(), t.TempDir(), log, "AWS_ENDPOINT_URL="+server.URL,
		"SFN_WAIT_SCALE=0.01")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := calls.forwardTo(engine.Endpoint); err != nil {
		t.Fatal(err)
	}
	return engine, calls
}

var log = local.Log{Steps: os.Stderr, Output: io.Discard}

func deploy(
	ctx context.Context, engine *local.TestEngine, calls *proxy, dir, workflowType string, batchSize int,
) (*stack, error) {
	project, err := local.FindProject()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute) // for what takes seconds on a quiet machine
	defer cancel()
	file := filepath.Join(dir, "outputs.json")
	if err := project.Deploy(ctx, engine.Endpoint, file, []string{
		fmt.Sprint("environment=batches-of-", batchSize), "workflowType=" + workflowType,
		fmt.Sprint("batchSize=", batchSize), "sweepEveryMinutes=60",
	}, log); err != nil {
		return nil, err
	}
	name, outputs, err := local.ReadOutputs(file)
	if err != nil {
		return nil, err
	}
	config := local.Config(engine.Endpoint)
	return &stack{
		Stack:   localtest.Stack{Name: name, Endpoint: engine.Endpoint, Config: config, Outputs: outputs},
		express: workflowType == "EXPRESS", calls: calls,
		table: dynamodb.NewFromConfig(config), machines: sfn.NewFromConfig(config), queues: sqs.NewFromConfig(config),
	}, nil
}

type row = map[string]types.AttributeValue

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(value)}
}

// put writes a collection's row, as the exporter does.
func (s *stack) put(t *testing.T, run, collection string, sent types.AttributeValue) {
	t.Helper()
	if _, err := s.table.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.Outputs.ExportStatusTableName,
		Item: row{
			"CorrelationId": text(run), "CollectionName": text(collection), "CollectionStatus": text("Sent"),
			"FilesSent": sent,
		}}); err != nil {
		t.Fatal(err)
	}
}

// rowState reads a row as "status received".
func (s *stack) rowState(t *testing.T, run, collection string) string {
	t.Helper()
	got, err := s.table.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &s.Outputs.ExportStatusTableName, ConsistentRead: aws.Bool(true),
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
	deadline := time.After(10 * time.Minute) // for what takes seconds on a quiet machine
	for {
		missing := condition()
		if missing == "" {
			return
		}
		select {
		case <-deadline:
			t.Fatal("timed out: ", missing)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
