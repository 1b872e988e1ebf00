package function_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
	"snapshot-status-checker/internal/telemetry/metrics/metricstest"
)

// asFunction is the environment variable that makes the test's process a Lambda function.
const asFunction = "BOOTSTRAP_TEST_FUNCTION"

// callAWS is an event that makes that function call AWS.
const callAWS = "call AWS"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) != "" {
		function.Run("test-task", func(s settings.CheckAll, config aws.Config,
			log *slog.Logger) function.Handler[string, string] {
			return func(ctx context.Context, in string) (string, error) {
				log.DebugContext(ctx, "called")
				switch in {
				case callAWS:
					_, err := dynamodb.NewFromConfig(config).ListTables(ctx, &dynamodb.ListTablesInput{})
					return "", err
				case "malformed":
					return "", fmt.Errorf("reading: %w", &failure.Malformed{Err: errors.New("not a number")})
				case "unavailable":
					return "", fmt.Errorf("reading: %w", errors.New("throttled"))
				}
				return in + " from " + s.LedgerTable, nil
			}
		})
	}
	os.Exit(m.Run())
}

// answer is the function's response to the runtime API for one invocation.
type answer struct {
	kind string // response or error
	body string
}

// runtimeAPI is a server in place of Lambda's: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. It calls
// polled before it hands out an event.
func runtimeAPI(t testing.TB, events []string, polled func()) (host string, answers <-chan answer) {
	t.Helper()
	queue, given := make(chan string, len(events)), make(chan answer, len(events))
	for _, event := range events {
		queue <- event
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/invocation/next") {
			select {
			case event := <-queue:
				polled()
				w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request-"+event)
				w.Header().Set("Lambda-Runtime-Deadline-Ms", "9999999999999")
				w.Header().Set("Lambda-Runtime-Trace-Id", "Root=1-x")
				fmt.Fprintf(w, "%q", event)
			case <-r.Context().Done():
			}
			return
		}
		body, _ := io.ReadAll(r.Body)
		given <- answer{path.Base(r.URL.Path), string(body)}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), given
}

func process(t testing.TB, environment ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append([]string{asFunction + "=1", "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=key",
		"AWS_SECRET_ACCESS_KEY=secret"}, environment...)
	return cmd
}

// These answers have the error types that the state machine matches.
func TestRun(t *testing.T) {
	t.Parallel()
	host, answers := runtimeAPI(t, []string{"hello", "malformed", "unavailable"}, func() {})
	url, connections := endpoint(t, empty)
	cmd := process(t, "AWS_LAMBDA_RUNTIME_API="+host, "AWS_ENDPOINT_URL="+url, "AWS_LAMBDA_FUNCTION_NAME=f",
		"LEDGER_TABLE_NAME=ledger", "LOG_LEVEL=DEBUG", "APPLICATION=app")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []answer{
		{"response", `"hello from ledger"`},
		{"error", `{"errorMessage":"reading: not a number","errorType":"Malformed"}`},
		{"error", `{"errorMessage":"reading: throttled","errorType":"Unavailable"}`},
	} {
		select {
		case got := <-answers:
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		case <-time.After(10 * time.Minute): // for what takes a moment: the machine may be busy
			t.Fatal("the function gave no answer: is it still there?")
		}
	}
	if connections.Load() != 1 {
		t.Error("it did not connect to DynamoDB")
	}
	if err := cmd.Process.Kill(); err != nil { // it waits for the next invocation, forever
		t.Fatal(err)
	}
	var logged []string
	for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
		var line struct {
			Level, Message, Service, Application, Error string
			ColdStart                                   bool   `json:"cold_start"`
			Request                                     string `json:"function_request_id"`
			Trace                                       string `json:"xray_trace_id"`
		}
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", scanner.Text(), err)
		}
		logged = append(logged, fmt.Sprint(line))
	}
	_ = cmd.Wait() // it was killed
	want := []string{
		"{DEBUG called test-task app  true request-hello Root=1-x}",
		"{DEBUG called test-task app  false request-malformed Root=1-x}",
		"{ERROR failed test-task app reading: not a number false request-malformed Root=1-x}",
		"{DEBUG called test-task app  false request-unavailable Root=1-x}",
		"{ERROR failed test-task app reading: throttled false request-unavailable Root=1-x}",
	}
	if diff := cmp.Diff(want, logged); diff != "" {
		t.Error(diff)
	}
}

func TestRunEndsWithoutARequiredSetting(t *testing.T) {
	t.Parallel()
	for missing, environment := range map[string][]string{
		"LEDGER_TABLE_NAME": nil,
		"AWS_ACCESS_KEY_ID": {"LEDGER_TABLE_NAME=ledger", "AWS_ACCESS_KEY_ID="},
		"AWS_REGION":        {"LEDGER_TABLE_NAME=ledger", "AWS_REGION="},
	} {
		output, err := process(t, environment...).CombinedOutput()
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || !strings.Contains(string(output), missing) {
			t.Errorf("ended with %v and %q, want a failure that names %s", err, output, missing)
		}
	}
}

// A call's metrics are written even if it fails, at any log level: each call's by itself.
func TestWrapWritesMetrics(t *testing.T) {
	t.Parallel()
	for _, fails := range []error{nil, errors.New("throttled")} {
		var out bytes.Buffer
		handle := function.Wrap(func(ctx context.Context, _ string) (string, error) {
			metrics.Add(ctx, metrics.FilesReceived, 2)
			return "", fails
		}, logging.New(&out, slog.LevelError, "task", "app", "dev"))
		for range 2 {
			out.Reset()
			_, _ = handle(t.Context(), "")
			line, _ := out.ReadBytes('\n')
			data, err := metricstest.Extract(line)
			want := []metricstest.Datum{{Namespace: "SnapshotStatusChecker", Name: "FilesReceived", Unit: "Count",
				Dimensions: "application=app environment=dev", Value: 2}}
			if diff := cmp.Diff(want, data); diff != "" || err != nil {
				t.Errorf("a call that ends with %v: %v, %s", fails, err, diff)
			}
		}
	}
}

// A call that runs out of time still logs its error and writes its metrics.
func TestACallEndsBeforeItIsKilled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var lines bytes.Buffer
		_, err := function.Wrap(func(ctx context.Context, _ string) (string, error) {
			metrics.Add(ctx, metrics.ContentionRetries, 3)
			<-ctx.Done()
			return "", fmt.Errorf("counting: %w", ctx.Err())
		}, logging.New(&lines, slog.LevelInfo, "increment", "checker", "dev"))(ctx, "")
		if end, _ := ctx.Deadline(); time.Until(end) < time.Second || err == nil {
			t.Errorf("ended with %v, %s before Lambda ends it, want an error and a second", err, time.Until(end))
		}
		for _, want := range []string{`"failed"`, "counting: context deadline exceeded", `"ContentionRetries":3`} {
			if !strings.Contains(lines.String(), want) {
				t.Errorf("no %s in:\n%s", want, &lines)
			}
		}
	})
}
