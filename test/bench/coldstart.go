package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// coldStart is what a function costs before its first invocation.
type coldStart struct {
	Wall   time.Duration // from the start of its process to its first poll for work
	CPU    time.Duration // of all its threads until the process was ended
	Memory int64         // peak in bytes; 0 except on Linux
}

// lambdaEnvironment is what Lambda and the stack set for any of the functions. Its credentials are no one's.
func lambdaEnvironment() []string {
	return []string{
		"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_LAMBDA_FUNCTION_NAME=bench",
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

// startOnce starts the program and ends it at its first poll for work. Its calls of AWS until then fail at once. If it
// ends before it polls, the error holds what it wrote.
func startOnce(ctx context.Context, program string, env []string) (coldStart, error) {
	p, err := startProcess(ctx, program, "", env)
	if err != nil {
		return coldStart{}, err
	}
	defer p.stop()
	select {
	case polled := <-p.api.polled:
		measured := coldStart{Wall: polled.Sub(p.begun), Memory: memoryOf(p.cmd.Process.Pid, peakMemory)}
		p.stop()
		measured.CPU = p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
		return measured, nil
	case <-p.ended:
		return coldStart{}, errors.Join(ctx.Err(), fmt.Errorf("%s ended before its first poll: %s", program,
			strings.TrimSpace(p.stderr.String())))
	}
}

// typicalStart starts the program n times and returns the median of each figure.
func typicalStart(ctx context.Context, program string, env []string, n int) (coldStart, error) {
	var starts []coldStart
	for range n {
		measured, err := startOnce(ctx, program, env)
		if err != nil {
			return coldStart{}, fmt.Errorf("measuring cold starts: %w", err)
		}
		starts = append(starts, measured)
	}
	return coldStart{
		Wall:   median(starts, func(s coldStart) time.Duration { return s.Wall }),
		CPU:    median(starts, func(s coldStart) time.Duration { return s.CPU }),
		Memory: median(starts, func(s coldStart) int64 { return s.Memory }),
	}, nil
}

func median[N time.Duration | int64](starts []coldStart, of func(coldStart) N) N {
	var all []N
	for _, start := range starts {
		all = append(all, of(start))
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
