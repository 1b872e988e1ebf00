package local

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"
)

// RunPipes serves the pipes until the context is done, and then finishes the batches that it received. Sources are
// queues and streams of tables; the engine's own poller of streams must be stopped (StopStreamPipes). It logs and
// retries errors. It returns an error at once for a pipe with unsupported properties.
func RunPipes(ctx context.Context, config aws.Config, all []Pipe, log *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, pipe := range all {
		switch service := pipe.sourceService(); service {
		case "sqs":
			queue, err := newQueuePipe(ctx, config, pipe, log)
			if err != nil {
				return fmt.Errorf("serving pipe %s: %w", pipe.Name, err)
			}
			for range cmp.Or(pipe.Pollers, defaultPollers) {
				group.Go(func() error { queue.poll(ctx); return nil })
			}
		case "dynamodb":
			stream, err := newStreamPipe(ctx, config, pipe, log)
			if err != nil {
				return fmt.Errorf("serving pipe %s: %w", pipe.Name, err)
			}
			group.Go(func() error { stream.poll(ctx); return nil })
		default:
			return fmt.Errorf("serving pipe %s: a source of service %q is not supported", pipe.Name, service)
		}
	}
	return group.Wait()
}

// defaultPollers is the number of concurrent receivers of a queue unless the pipe names one.
const defaultPollers = 8

// Serve serves the stack's pipes until stop is called, which waits for batches in progress.
func Serve(ctx context.Context, config aws.Config, stack string, log *slog.Logger) (stop func() error, err error) {
	pipes, err := Pipes(ctx, config, stack)
	if err != nil {
		return nil, err
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- RunPipes(serving, config, pipes, log) }()
	return func() error { cancel(); return <-ended }, nil
}
