package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// coldStart is what a function costs before its first invocation.
type coldStart struct {
	Start    time.Duration // from the start of its process to its first poll for work
	StartCPU time.Duration // of all its threads meanwhile
}

// coldStarts is how often each function is started; the median counts.
const coldStarts = 21

// inspect measures the programs of the functions: their starts now, their memory under the load before.
func (s *system) inspect(ctx context.Context) (all []function, err error) {
	peaks := s.peaks()
	for _, f := range s.functions {
		file, err := os.Stat(f.program)
		if err != nil {
			return nil, fmt.Errorf("reading the size of the program: %w", err)
		}
		// What Lambda sets. The credentials are invalid.
		env := slices.Concat(f.environment, []string{"AWS_REGION=eu-west-1", "AWS_LAMBDA_FUNCTION_NAME=" + f.name,
			fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%g", f.memoryMB), "AWS_ACCESS_KEY_ID=key",
			"AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token"})
		start, err := typicalStart(ctx, f.program, env, coldStarts)
		if err != nil {
			return nil, fmt.Errorf("measuring cold starts of %s: %w", f.task, err)
		}
		all = append(all, function{Version: s.commit, Task: f.task, coldStart: start, Size: file.Size(),
			Memory: peaks[f.name]})
	}
	return all, nil
}

// typicalStart starts the program n times and returns the median of each figure.
func typicalStart(ctx context.Context, program string, env []string, n int) (coldStart, error) {
	var walls, cpus []time.Duration
	for range n {
		one, err := startOnce(ctx, program, env)
		if err != nil {
			return coldStart{}, err
		}
		walls, cpus = append(walls, one.Start), append(cpus, one.StartCPU)
	}
	slices.Sort(walls)
	slices.Sort(cpus)
	return coldStart{walls[n/2], cpus[n/2]}, nil
}

// startOnce starts the program and ends it at its first poll for work
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Its calls of AWS until then fail at once. If it
// ends before it polls, the error holds what it wrote.
func startOnce(ctx context.Context, program string, env []string) (coldStart, error) {
	polled := make(chan time.Time, 1)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/2018-06-01/runtime/invocation/next" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		polled <- time.Now() // it does not poll again: there is no work
		<-r.Context().Done()
	}))
	defer api.Close()
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = slices.Concat(env, []string{"AWS_ENDPOINT_URL=" + api.URL,
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://")})
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return coldStart{}, fmt.Errorf("starting the function: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case at := <-polled:
		_ = cmd.Process.Kill()
		<-ended
		used := cmd.ProcessState
		return coldStart{Start: at.Sub(begun), StartCPU: used.UserTime() + used.SystemTime()}, nil
	case err := <-ended:
		return coldStart{}, fmt.Errorf("it ended before its first poll: %v: %s", err, &stderr)
	}
}
