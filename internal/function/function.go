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

// Run reads the function's settings S from the environment, makes the task, connects to DynamoDB and serves the task
// until the process is ended. It ends the process with an error that names the variable if a setting is missing or
// wrong. Errors of the task leave under the type that the state machine matches.
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

// gcPercent lets the heap grow to about 36 MB before garbage is collected: a function keeps about 4 MB. At Go's own 100
// % every twelfth receipt is paid a collection, a quarter of its processor time.
const gcPercent = 800

// useMemory trades a function's memory for processor time, up to three quarters of what it has.
func useMemory(megabytes int64) {
	debug.SetGCPercent(gcPercent)
	if megabytes > 0 {
		debug.SetMemoryLimit(megabytes << 20 * 3 / 4)
	}
}

// toTell is how much of its time a call leaves unused: Lambda ends one that runs into its timeout without a word, and
// its error, what it counted and what held it up would go with it.
const toTell = time.Second

// Wrap writes what a task's call counted, logs its error and returns that as the type by which the state machine
// knows it. The task's context ends toTell before the call does.
func Wrap[In, Out any](handle Handler[In, Out], logger *slog.Logger) Handler[In, Out] {
	return func(ctx context.Context, in In) (Out, error) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-toTell))
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
