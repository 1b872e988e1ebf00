package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// runtimeAPI stands in for Lambda's runtime interface, for one function's process, with one event after the other
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
type runtimeAPI struct {
	*httptest.Server
	polled  chan time.Time // the first poll
	events  chan []byte
	answers chan error // of each event; nil if the function succeeded
	given   int
}

func newRuntimeAPI() *runtimeAPI {
	api := &runtimeAPI{polled: make(chan time.Time, 1), events: make(chan []byte), answers: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", api.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
		api.answers <- err
	})
	failed := func(w http.ResponseWriter, r *http.Request) {
		message, err := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		api.answers <- errors.Join(fmt.Errorf("the function failed: %s", message), err)
	}
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", failed)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", failed)
	api.Server = httptest.NewServer(mux)
	return api
}

func (api *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	select {
	case api.polled <- time.Now():
	default:
	}
	select {
	case event := <-api.events:
		api.given++
		for name, value := range map[string]string{
			"Aws-Request-Id":       fmt.Sprintf("00000000-0000-4000-8000-%012d", api.given),
			"Deadline-Ms":          strconv.FormatInt(time.Now().Add(callWithin).UnixMilli(), 10),
			"Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:bench",
			"Trace-Id":             fmt.Sprintf("Root=1-00000000-%024d;Parent=0000000000000001;Sampled=0", api.given),
		} {
			w.Header().Set("Lambda-Runtime-"+name, value)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(event)
	case <-r.Context().Done():
	}
}

const callWithin = 30 * time.Second

// process is a function's running program.
type process struct {
	api    *runtimeAPI
	cmd    *exec.Cmd
	begun  time.Time
	stderr bytes.Buffer // its log, on standard output, is discarded
	ended  chan struct{}
}

// startProcess starts a function's program, which calls AWS at the endpoint, "" for one that refuses each call. Stop
// ends it.
func startProcess(ctx context.Context, program, endpoint string, env []string) (*process, error) {
	p := &process{api: newRuntimeAPI(), cmd: exec.CommandContext(ctx, program), ended: make(chan struct{})}
	p.cmd.Env = slices.Concat(env, []string{"AWS_ENDPOINT_URL=" + cmp.Or(endpoint, p.api.URL),
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(p.api.URL, "http://")})
	p.cmd.Stderr = &p.stderr
	p.begun = time.Now()
	if err := p.cmd.Start(); err != nil {
		p.api.Close()
		return nil, fmt.Errorf("starting the function: %w", err)
	}
	go func() { _ = p.cmd.Wait(); close(p.ended) }() // it ends by itself only after an error, which it writes
	return p, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill() // or it has ended
	<-p.ended
	p.api.CloseClientConnections()
	p.api.Close()
}

// call gives the function an event and waits for its answer.
func (p *process) call(ctx context.Context, event []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	events := p.api.events
	for {
		select {
		case events <- event:
			events = nil // once
		case err := <-p.api.answers:
			return err
		case <-p.ended:
			return fmt.Errorf("the function's process ended: %s", strings.TrimSpace(p.stderr.String()))
		case <-ctx.Done():
			return fmt.Errorf("waiting for the function: %w", ctx.Err())
		}
	}
}
