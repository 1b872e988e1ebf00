// The function increment.
package main

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/internal/bootstrap"
	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/settings"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

func main() {
	bootstrap.Run("increment", func(s settings.Increment, cfg aws.Config, log *slog.Logger) bootstrap.Handler[increment.Input, increment.Output] {
		counter := &store.Counter{DB: dynamo.New(dynamodb.NewFromConfig(cfg)), Tables: store.NewTables(s.StatusTable, s.LedgerTable), Now: time.Now, Pause: store.Jitter}
		rejected := &delivery.Rejected{SQS: sqs.NewFromConfig(cfg), QueueURL: s.RejectedMessagesQueueURL}
		return increment.New(counter, rejected, increment.SideBySide, log).Handle
	})
}
