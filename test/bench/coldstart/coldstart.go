// Package coldstart measures what a Lambda function costs before its first invocation: it starts the function's real
// binary against a runtime interface of its own, and ends it at its first poll for work.
package coldstart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Start is one start of a function, from the process's start to its first poll.
type Start struct {
	Wall time.Duration
	CPU  time.Duration // of all its threads; includes what they still did until the process was ended
	// the part of CPU outside of the system: rough, since Linux samples it at its clock's ticks
	UserCPU    time.Duration
	PeakMemory int64 // bytes that were resident at once; 0 where the system does not tell (it does on Linux)
}

// Result is what several starts of one binary gave.
type Result struct {
	Binary string
	Size   int64 // bytes of the binary
	Starts []Start
}

// Typical returns the median of each measure by itself, but the mean of UserCPU: only many samples together tell it.
// It is the zero Start if there was no start.
func (r Result) Typical() Start {
	var user time.Duration
	for _, start := range r.Starts {
		user += start.UserCPU
	}
	return Start{
		Wall:       median(r.Starts, func(s Start) time.Duration { return s.Wall }),
		CPU:        median(r.Starts, func(s Start) time.Duration { return s.CPU }),
		UserCPU:    user / time.Duration(max(1, len(r.Starts))),
		PeakMemory: median(r.Starts, func(s Start) int64 { return s.PeakMemory }),
	}
}

func median[N time.Duration | int64](starts []Start, of func(Start) N) N {
	if len(starts) == 0 {
		return 0
	}
	var all []N
	for _, start := range starts {
		all = append(all, of(start))
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// Environment is what Lambda and the stack set for any of this project's functions. Its credentials are no one's.
func Environment() []string {
	return []string{
		"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_LAMBDA_FUNCTION_NAME=coldstart",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token",
		"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME=statuses", "LEDGER_TABLE_NAME=ledger",
		"REJECTED_MESSAGES_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/rejected",
		"EXPORT_STATE_SQS_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/export-state",
		"MONITORING_SNS_TOPIC_ARN=arn:aws:sns:eu-west-1:123456789012:monitoring",
		"PIPE_NAMES=messages,changes",
		"STATE_MACHINE_ARN=arn:aws:states:eu-west-1:123456789012:stateMachine:status-checker",
	}
}

// Measure starts the binary n times, one after the other, in this environment and no other. What it calls of AWS
// before its first poll ends at this process, at once, unless the environment names another AWS_ENDPOINT_URL. It fails
// if a start ends before its first poll, with what the process said.
func Measure(ctx context.Context, binary string, env []string, n int) (Result, error) {
	file, err := os.Stat(binary)
	if err != nil {
		return Result{}, fmt.Errorf("measuring cold starts: %w", err)
	}
	result := Result{Binary: binary, Size: file.Size()}
	for range n {
		start, err := once(ctx, binary, env)
		if err != nil {
			return Result{}, fmt.Errorf("measuring cold starts: %w", err)
		}
		result.Starts = append(result.Starts, start)
	}
	return result, nil
}

// once measures one start.
func once(ctx context.Context, binary string, env []string) (Start, error) {
	polls, host, stop, err := runtimeInterface()
	if err != nil {
		return Start{}, err
	}
	defer stop()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = slices.Concat([]string{"AWS_ENDPOINT_URL=http://" + host}, env, []string{"AWS_LAMBDA_RUNTIME_API=" +
		host})
	cmd.Stdout, cmd.Stderr = &said, &said
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return Start{}, err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // it never ends by itself but on an error, which it tells
	select {
	case polled := <-polls:
		start := Start{Wall: polled.Sub(begun), PeakMemory: PeakMemory(cmd.Process.Pid)}
		_ = cmd.Process.Kill() // or it has ended
		<-ended
		start.UserCPU = cmd.ProcessState.UserTime()
		start.CPU = start.UserCPU + cmd.ProcessState.SystemTime()
		return start, nil
	case <-ended:
		return Start{}, errors.Join(ctx.Err(), fmt.Errorf("%s ended before its first poll: %s", binary,
			strings.TrimSpace(said.String())))
	}
}

// runtimeInterface stands for Lambda (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) and has no
// work for anybody. It reports the moment of the first poll.
func runtimeInterface() (polls <-chan time.Time, host string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", nil, err
	}
	first := make(chan time.Time, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/2018-06-01/runtime/invocation/next" {
			http.NotFound(w, r)
			return
		}
		select {
		case first <- time.Now():
		default:
		}
		<-r.Context().Done()
	})}
	go func() { _ = server.Serve(listener) }() // until stop
	return first, listener.Addr().String(), func() { _ = server.Close() }, nil
}
