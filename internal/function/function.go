// Package function starts a task as a Lambda function.
package function

import (
	"context"
	"log"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// Handler is a task's method.
type Handler[In, Out any] func(context.Context, In) (Out, error)

// Run reads the function's settings S from the environment, makes the task, connects to DynamoDB and serves the task. A
// missing or invalid setting ends the process with an error that names the variable. The task's errors are returned as
// the types of package failure.
func Run[S settings.Settings, In, Out any](task string, wire func(S, aws.Config, *slog.Logger) Handler[In, Out]) {
	s, err := settings.Read[S]()
	if err != nil {
		log.Fatal(err)
	}
	a, err := settings.Read[settings.AWS]()
	if err != nil {
		log.Fatal(err)
	}
	useMemory(a.MemoryMB)
	c, cfg := s.About(), Config(a)
	logger := logging.New(os.Stdout, slog.Level(c.LogLevel), task, c.Application, c.Environment)
	handler := Wrap(wire(s, cfg, logger), logger)
	if err := Connect(context.Background(), cfg); err != nil {
		logger.Debug("not connected yet", logging.Error, err.Error())
	}
	lambda.Start(handler)
}

// gcPercent lets the heap grow to about 36 MB before a garbage collection; a function's live heap is about 4 MB. With
// Go's default of 100 %, every twelfth receipt triggers a collection, and collections take a quarter of the CPU time.
const gcPercent = 800

// useMemory trades memory for CPU time, up to three quarters of the function's memory.
func useMemory(megabytes int64) {
	debug.SetGCPercent(gcPercent)
	if megabytes > 0 {
		debug.SetMemoryLimit(megabytes << 20 * 3 / 4)
	}
}

// reserve is the part of a call's time that its task may not use, so that the call can log its error and write its
// metrics. Lambda ends a call without either when it times out.
const reserve = time.Second

// Wrap writes a call's metrics, logs its error and returns that as a type of package failure. The task's context ends
// before the call's timeout, by reserve.
func Wrap[In, Out any](handle Handler[In, Out], logger *slog.Logger) Handler[In, Out] {
	return func(ctx context.Context, in In) (Out, error) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
			defer cancel()
		}
		ctx = metrics.Begin(logging.Begin(ctx, logger), time.Now)
		out, err := handle(ctx, in)
		metrics.Write(ctx, logger)
		if err != nil {
			logger.ErrorContext(ctx, "failed", logging.Error, err.Error())
		}
		return out, failure.Outermost(err)
	}
}
