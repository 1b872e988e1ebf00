package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"snapshot-status-checker/local"
	"snapshot-status-checker/test/scenario"
)

// system is a deployed system that counts files, the stack of a version or the baseline, on an engine of its own. Its
// functions and the local runner of pipes call the engine through a counter; all other clients call it directly.
type system struct {
	version
	kind          string
	engine        *local.TestEngine
	config        aws.Config
	counter       *counter
	player        *scenario.Player
	outputs       local.Outputs // of the baseline: its queues, its table and its topic
	notifications string        // URL of a queue that gets them
	source        local.Pipe    // from the file-received queue
	functions     []deployed
	seen          map[string]bool // executions whose states are counted
	log           *slog.Logger
	undo          []func() error
}

// deployed is a function as it is deployed.
type deployed struct {
	name, task  string
	program     string
	memoryMB    float64
	environment []string // NAME=value
}

// deploy starts an engine and deploys to it the baseline, or the stack of a version with this workflow type. Close ends
// it.
func deploy(ctx context.Context, project local.Project, v version, kind string, log io.Writer) (s *system, err error) {
	s = &system{version: v, kind: kind, seen: map[string]bool{},
		log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return s, fmt.Errorf("making a folder for the engine: %w", err)
	}
	s.undo = append(s.undo, func() error { return os.RemoveAll(dir) })
	s.counter = newCounter()
	s.undo = append(s.undo, func() error { s.counter.Close(); return nil })
	steps := local.Log{Steps: log, Output: io.Discard}
	if s.engine, err = project.StartTestEngine(ctx, dir, steps, "AWS_ENDPOINT_URL="+s.counter.URL); err != nil {
		return s, err
	}
	s.undo = append(s.undo, func() error { return s.engine.Stop(context.Background()) })
	s.config = local.Config(s.engine.Endpoint)
	if err := s.counter.leadTo(s.engine.Endpoint); err != nil {
		return s, err
	}
	if kind == baseline {
		err = s.deployBaseline(ctx, dir)
	} else {
		err = s.deployStack(ctx, dir, steps)
	}
	if err != nil {
		return s, err
	}
	s.player = scenario.NewPlayer(s.config, s.outputs)
	subscription := scenario.NewSubscription(s.config, "bench-notifications", s.outputs.MonitoringTopicArn)
	err = subscription.Begin(ctx)
	s.notifications = subscription.URL
	return s, err
}

// close ends what deploy began, the last first.
func (s *system) close() error {
	var errs []error
	for _, undo := range slices.Backward(s.undo) {
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}

// deployStack deploys the version's CDK app. The pipe from the table's stream is served from now on, the one from the
// queue by the measurements. The deployment's batch size only bounds the size of a message: the strictest is taken.
func (s *system) deployStack(ctx context.Context, dir string, steps local.Log) error {
	file := filepath.Join(dir, "outputs.json")
	if err := s.project.Deploy(ctx, s.engine.Endpoint, file, []string{"workflowType=" + strings.ToUpper(s.kind),
		"batchSize=100", "sweepEveryMinutes=60"}, steps); err != nil {
		return err
	}
	stack, outputs, err := local.ReadOutputs(file)
	if err != nil {
		return err
	}
	s.outputs = outputs
	programs := filepath.Join(s.project.Root, "build", "functions", runtime.GOARCH)
	if err := s.listFunctions(ctx, stack, programs); err != nil {
		return err
	}
	pipes, err := local.Pipes(ctx, s.config, stack)
	if err != nil {
		return err
	}
	for _, pipe := range pipes {
		if strings.HasPrefix(pipe.Source, "arn:aws:sqs:") {
			s.source = pipe
			continue
		}
		s.undo = append(s.undo, s.serve(ctx, pipe))
	}
	if s.source.Source == "" {
		return errors.New("the stack has no pipe from a queue")
	}
	return nil
}

// listFunctions reads the functions, whose names are the stack's and a task's. Their programs are
// <programs>/<task>/bootstrap.
func (s *system) listFunctions(ctx context.Context, stack, programs string) error {
	listed, err := lambda.NewFromConfig(s.config).ListFunctions(ctx, &lambda.ListFunctionsInput{})
	if err != nil {
		return fmt.Errorf("listing the functions: %w", err)
	}
	for _, f := range listed.Functions {
		name := aws.ToString(f.FunctionName)
		task := strings.TrimPrefix(name, stack+"-")
		found := deployed{name: name, task: task, memoryMB: float64(aws.ToInt32(f.MemorySize)),
			program: filepath.Join(programs, task, "bootstrap")}
		if f.Environment != nil {
			for name, value := range f.Environment.Variables {
				found.environment = append(found.environment, name+"="+value)
			}
		}
		s.functions = append(s.functions, found)
	}
	return nil
}

// serve serves the pipe until stop is called, which waits for the batches in progress.
func (s *system) serve(ctx context.Context, pipe local.Pipe) (stop func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- local.RunPipes(ctx, local.Config(s.counter.URL), []local.Pipe{pipe}, s.log) }()
	return func() error { cancel(); return <-ended }
}
