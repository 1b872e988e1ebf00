// The baseline as a Lambda function.
package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"

	"snapshot-status-checker/internal/function"
	"snapshot-status-checker/test/bench/baseline"
)

func main() {
	function.Run("baseline", func(s baseline.Settings, cfg aws.Config,
		log *slog.Logger) function.Handler[baseline.Event, struct{}] {
		task := baseline.New(s, cfg, log)
		return func(ctx context.Context, event baseline.Event) (struct{}, error) {
			return struct{}{}, task.Handle(ctx, event)
		}
	})
}
