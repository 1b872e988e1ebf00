// The function notify.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/delivery/monitoring"
	"snapshot-status-checker/internal/function"
	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

func main() {
	function.Run("notify", func(s settings.Notify, cfg aws.Config,
		log *slog.Logger) function.Handler[notify.Input, notify.Output] {
		outbox := store.New(dynamo.New(dynamodb.NewFromConfig(cfg)), store.NewTables("", s.LedgerTable),
			store.Settings{})
		sender := &delivery.Sender{SQS: sqs.NewFromConfig(cfg), QueueURL: s.ExportStateQueueURL}
		topic := &monitoring.Topic{SNS: sns.NewFromConfig(cfg), ARN: s.MonitoringTopicARN}
		return notify.New(outbox, sender, topic, log).Handle
	})
}
