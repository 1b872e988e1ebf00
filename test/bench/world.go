package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local"
)

// world is an engine of its own with one subject deployed to it. If it counts, the functions and the runner meet the
// engine through counters; all else talks to it directly.
type world struct {
	options
	engine *local.TestEngine
	config aws.Config
	// functions and runner count the calls of the functions and those of the runner; nil if this world does not count.
	functions, runner *counter

	table    *dynamodb.Client
	queues   *sqs.Client
	machines *sfn.Client
	lambdas  *lambda.Client
	topics   *sns.Client
	log      *slog.Logger
	undo     []func() error
}

// startWorld starts an engine. Close ends it.
func startWorld(ctx context.Context, o options, counts bool) (w *world, err error) {
	w = &world{options: o, log: slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return w, fmt.Errorf("making a folder for the engine: %w", err)
	}
	w.undo = append(w.undo, func() error { return os.RemoveAll(dir) })
	variables := []string{"LAMBDA_ACCOUNT_CONCURRENCY=" + strconv.Itoa(o.Concurrency)}
	if counts {
		w.functions, w.runner = newCounter(), newCounter()
		w.undo = append(w.undo, w.functions.close, w.runner.close)
		variables = append(variables, "AWS_ENDPOINT_URL="+w.functions.url())
	}
	if w.engine, err = o.Project.StartTestEngine(ctx, dir, local.Log{Steps: o.Log, Output: io.Discard},
		variables...); err != nil {
		return w, err
	}
	w.undo = append(w.undo, func() error { return w.engine.Stop(context.Background()) })
	if counts {
		if err := errors.Join(w.functions.leadTo(w.engine.Endpoint), w.runner.leadTo(w.engine.Endpoint)); err != nil {
			return w, err
		}
	}
	w.config = local.Config(w.engine.Endpoint)
	w.table, w.queues = dynamodb.NewFromConfig(w.config), sqs.NewFromConfig(w.config)
	w.machines, w.lambdas, w.topics = sfn.NewFromConfig(w.config), lambda.NewFromConfig(w.config),
		sns.NewFromConfig(w.config)
	return w, nil
}

// close ends all that the world started, the last first.
func (w *world) close() error {
	var errs []error
	for i := len(w.undo) - 1; i >= 0; i-- {
		errs = append(errs, w.undo[i]())
	}
	w.undo = nil
	return errors.Join(errs...)
}

// runnerConfig is how the runner reaches the engine.
func (w *world) runnerConfig() aws.Config {
	if w.runner != nil {
		return local.Config(w.runner.url())
	}
	return w.config
}

// serve serves the pipes until the returned function is called, which waits for what was begun.
func (w *world) serve(ctx context.Context, pipes ...local.Pipe) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- local.RunPipes(ctx, w.runnerConfig(), pipes, w.log) }()
	return func() error { cancel(); return <-ended }
}

// functionZip builds the Go program in the project's folder as a function's code.
func functionZip(ctx context.Context, project local.Project, folder string) (code []byte, size int64, err error) {
	dir, err := os.MkdirTemp("", "bench-build-")
	if err != nil {
		return nil, 0, fmt.Errorf("making a folder to build in: %w", err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "bootstrap")
	if err := buildFunction(ctx, project, folder, program); err != nil {
		return nil, 0, err
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the function: %w", err)
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Unix(0, 0)}
	header.SetMode(0o755)
	file, err := archive.CreateHeader(header)
	if err == nil {
		_, err = file.Write(raw)
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		return nil, 0, fmt.Errorf("packing the function: %w", err)
	}
	return out.Bytes(), int64(len(raw)), nil
}
