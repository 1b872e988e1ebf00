// The baseline as a Lambda function.
package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"

	"snapshot-status-checker/bench/baseline"
	"snapshot-status-checker/internal/bootstrap"
)

func main() {
	bootstrap.Run("baseline", func(s baseline.Settings, cfg aws.Config, log *slog.Logger) bootstrap.Handler[baseline.Event, struct{}] {
		task := baseline.New(s, cfg, log)
		return func(ctx context.Context, event baseline.Event) (struct{}, error) {
			return struct{}{}, task.Handle(ctx, event)
		}
	})
}
