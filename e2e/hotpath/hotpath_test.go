// Package hotpath counts what a receipt that completes nothing costs on the deployed stack. It is by far the
// commonest event.
package hotpath

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/local"
	"snapshot-status-checker/statemachine/paths"
)

// counter stands between the functions and the engine and counts the calls by their names.
type counter struct {
	*httptest.Server
	mu     sync.Mutex
	engine *url.URL
	calls  map[string]int
}

func newCounter(t *testing.T) *counter {
	c := &counter{calls: map[string]int{}}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.calls[r.In.Header.Get("X-Amz-Target")]++
		r.SetURL(c.engine)
	}}
	c.Server = httptest.NewServer(proxy)
	t.Cleanup(c.Close)
	return c
}

func (c *counter) leadTo(t *testing.T, endpoint string) {
	t.Helper()
	engine, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.engine = engine
}

// take returns the calls since the last time.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := maps.Clone(c.calls)
	clear(c.calls)
	return calls
}

func TestReceiptThatCompletesNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	calls := newCounter(t)
	config, outputs := deploy(ctx, t, calls)
	machines, table := sfn.NewFromConfig(config), dynamodb.NewFromConfig(config)
	_, err := table.PutItem(ctx, &dynamodb.PutItemInput{TableName: &outputs.ExportStatusTableName, Item: map[string]types.AttributeValue{
		"CorrelationId": &types.AttributeValueMemberS{Value: "run"}, "CollectionName": &types.AttributeValueMemberS{Value: "a"},
		"CollectionStatus": &types.AttributeValueMemberS{Value: "Sent"}, "FilesSent": &types.AttributeValueMemberN{Value: "100"}}})
	if err != nil {
		t.Fatal(err)
	}
	// The first receipt registers the run and notes that the row carries FilesCounted: once for all that follow.
	receive(ctx, t, machines, outputs.StateMachineArn, "warm-up")
	calls.take()

	const receipts = 5
	for i := range receipts {
		states := receive(ctx, t, machines, outputs.StateMachineArn, fmt.Sprint("file-", i))
		if diff := cmp.Diff([]string{"Route Event by Source", "Increment Files Received", "Look at Each Collection"}, states); diff != "" {
			t.Errorf("states entered (-want +got)\n%s", diff)
		}
	}
	want := map[string]int{}
	for _, call := range []string{"BatchGetItem", "TransactWriteItems", "UpdateItem"} {
		want["DynamoDB_20120810."+call] = receipts
	}
	if diff := cmp.Diff(want, calls.take()); diff != "" {
		t.Errorf("calls of %d receipts (-want +got)\n%s", receipts, diff)
	}
}

// deploy deploys the stack to an engine of its own, whose functions call through the counter.
func deploy(ctx context.Context, t *testing.T, calls *counter) (aws.Config, local.Outputs) {
	t.Helper()
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	log := local.Log{Steps: os.Stderr, Output: io.Discard}
	engine, err := project.StartTestEngine(ctx, t.TempDir(), log, "AWS_ENDPOINT_URL="+calls.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	calls.leadTo(t, engine.Endpoint)
	file := filepath.Join(t.TempDir(), "outputs.json")
	if err := project.Deploy(ctx, engine.Endpoint, file, []string{"sweepEveryMinutes=60"}, log); err != nil {
		t.Fatal(err)
	}
	_, outputs, err := local.ReadOutputs(file)
	if err != nil {
		t.Fatal(err)
	}
	return local.Config(engine.Endpoint), outputs
}

// receive runs one execution for a file to its end, and returns the states that it entered.
func receive(ctx context.Context, t *testing.T, machines *sfn.Client, machine, id string) []string {
	t.Helper()
	input := paths.File("a", id)("run")
	started, err := machines.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Input: &input})
	if err != nil {
		t.Fatal(err)
	}
	for status := sfntypes.ExecutionStatusRunning; status != sfntypes.ExecutionStatusSucceeded; {
		described, err := machines.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		if err != nil {
			t.Fatal(err)
		}
		if status = described.Status; status != sfntypes.ExecutionStatusRunning && status != sfntypes.ExecutionStatusSucceeded {
			t.Fatalf("the execution ended as %s: %s", status, aws.ToString(described.Cause))
		}
	}
	history, err := machines.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: started.ExecutionArn})
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, event := range history.Events {
		if event.StateEnteredEventDetails != nil {
			states = append(states, *event.StateEnteredEventDetails.Name)
		}
	}
	return states
}
