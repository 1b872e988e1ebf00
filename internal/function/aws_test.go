package function_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function"
	"snapshot-status-checker/internal/function/settings"
)

// endpoint is a server in place of AWS. It counts connections, and handle answers.
func endpoint(t *testing.T, handle http.HandlerFunc) (url string, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	server := httptest.NewUnstartedServer(handle)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, connections
}

func lambda(endpoint string) settings.AWS {
	return settings.AWS{Region: "eu-west-1", AccessKeyID: "key", SecretAccessKey: "secret", SessionToken: "token",
		Endpoint: endpoint}
}

func empty(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }

func get(t *testing.T, client *dynamodb.Client) {
	t.Helper()
	if _, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	config := function.Config(settings.AWS{Region: "eu-west-2", AccessKeyID: "key", SecretAccessKey: "secret",
		SessionToken: "token", Endpoint: "http://localhost:1", RetryMode: "adaptive", MaxAttempts: 7})
	key, err := config.Credentials.Retrieve(t.Context())
	want := []any{"eu-west-2", "key", "secret", "token", "http://localhost:1", aws.RetryModeAdaptive, 7}
	got := []any{config.Region, key.AccessKeyID, key.SecretAccessKey, key.SessionToken, *config.BaseEndpoint,
		config.RetryMode, config.RetryMaxAttempts}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if function.Config(lambda("")).BaseEndpoint != nil {
		t.Error("without a variable the endpoints are not AWS's own")
	}
}

// A batch's concurrent calls open connections, and the next batch reuses all of them. The calls of a round end only
// after all have begun, so each has a connection.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const calls = 16
	var all sync.WaitGroup
	url, connections := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		all.Done()
		all.Wait()
		empty(w, r)
	})
	client := dynamodb.NewFromConfig(function.Config(lambda(url)))
	for range 3 {
		all.Add(calls)
		var callers sync.WaitGroup
		for range calls {
			callers.Go(func() { get(t, client) })
		}
		callers.Wait()
	}
	if n := connections.Load(); n != calls {
		t.Errorf("%d connections were opened, want %d", n, calls)
	}
}

// Sequential calls of all clients share one connection.
func TestTheFirstCallUsesConnectsConnection(t *testing.T) {
	t.Parallel()
	url, connections := endpoint(t, empty)
	config := function.Config(lambda(url))
	if err := function.Connect(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections are open, want 1", n)
	}
	get(t, dynamodb.NewFromConfig(config))
	if _, err := sqs.NewFromConfig(config).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil {
		t.Error(err)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections were opened, want 1", n)
	}
}

func TestConnectTimesOut(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	silent, _ := endpoint(t, func(http.ResponseWriter, *http.Request) { <-ended })
	t.Cleanup(func() { close(ended) }) // before the server closes, which waits for its handlers
	for _, url := range []string{silent, "http://127.0.0.1:1"} {
		if err := function.Connect(t.Context(), function.Config(lambda(url))); err == nil {
			t.Errorf("%s: no error", url)
		}
	}
}
