package hotpath

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

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
		machines: sfn.NewFromConfig(config), queues: sqs.NewFromConfig(config),
	}, nil
}
