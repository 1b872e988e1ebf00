// The function increment.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/function"
	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

func main() {
	function.Run("increment", func(s settings.Increment, cfg aws.Config,
		log *slog.Logger) function.Handler[increment.Input, increment.Output] {
		counting := store.New(dynamo.New(dynamodb.NewFromConfig(cfg)), store.NewTables(s.StatusTable, s.LedgerTable),
			store.Settings{Exempt: s.ExemptStatuses, CountBy: s.CountBy})
		rejected := &delivery.Rejected{SQS: sqs.NewFromConfig(cfg), QueueURL: s.RejectedMessagesQueueURL}
		return increment.New(counting, rejected, s.MaxCollections, increment.Concurrently, log).Handle
	})
}
