// Package logging writes the functions' logs: one JSON object a line, with the keys that serverless tools expect. A
// message's body is never logged.
package logging

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Keys of the log lines.
const (
	CorrelationID  = "correlation_id"
	CollectionName = "collection_name"
	FileName       = "file_name"
	Identity       = "identity"
	Messages       = "messages" // a list of objects with file_name, identity and digest (in base64)
	ExecutionID    = "execution_id"
	Reason         = "reason_code"
	Error          = "error"

	// Every line has these. They are the metrics' dimensions.
	Application = "application"
	Environment = "environment"
)

// New makes a logger for one function. service is the function's task.
func New(w io.Writer, level slog.Level, service, application, environment string) *slog.Logger {
	handler := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: rename})
	return slog.New(&invocation{Handler: handler, invocations: new(atomic.Int64)}).With(
		"service", service, Application, application, Environment, environment,
		"function_name", os.Getenv("AWS_LAMBDA_FUNCTION_NAME"))
}

func rename(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 {
		switch attr.Key {
		case slog.TimeKey:
			attr.Key = "timestamp"
		case slog.MessageKey:
			attr.Key = "message"
		}
	}
	return attr
}

// invocation adds the attributes of the invocation in whose context a line is written. A logger with a group would lose
// them: none is used.
type invocation struct {
	slog.Handler
	invocations *atomic.Int64
}

type callKey struct{}

// call has the attributes that the lines of one invocation share.
type call struct {
	cold      bool
	execution string
}

// Begin begins an invocation. Lines in the returned context have cold_start, which is true for the process's first
// invocation.
func Begin(ctx context.Context, logger *slog.Logger) context.Context {
	cold := true
	if h, ok := logger.Handler().(*invocation); ok {
		cold = h.invocations.Add(1) == 1
	}
	return context.WithValue(ctx, callKey{}, &call{cold: cold})
}

// Execution names the execution of the state machine that made the invocation. Later lines have it. It must be called
// before any concurrent work.
func Execution(ctx context.Context, id string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.execution = id
	}
}

func (h *invocation) Handle(ctx context.Context, record slog.Record) error {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		record.AddAttrs(slog.Bool("cold_start", c.cold))
		if c.execution != "" {
			record.AddAttrs(slog.String(ExecutionID, c.execution))
		}
	}
	if lambda, ok := lambdacontext.FromContext(ctx); ok {
		record.AddAttrs(slog.String("function_request_id", lambda.AwsRequestID))
	}
	if trace := os.Getenv("_X_AMZN_TRACE_ID"); trace != "" {
		record.AddAttrs(slog.String("xray_trace_id", trace))
	}
	return h.Handler.Handle(ctx, record)
}

func (h *invocation) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &invocation{Handler: h.Handler.WithAttrs(attrs), invocations: h.invocations}
}
