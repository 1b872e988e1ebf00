// The function notify.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/bootstrap"
	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/delivery/news"
	"snapshot-status-checker/internal/settings"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

func main() {
	bootstrap.Run("notify", func(s settings.Notify, cfg aws.Config, log *slog.Logger) bootstrap.Handler[notify.Input, notify.Output] {
		debts := &store.Debts{DB: dynamo.New(dynamodb.NewFromConfig(cfg)), Tables: store.NewTables("", s.LedgerTable), Pause: store.Jitter}
		sender := &delivery.Sender{SQS: sqs.NewFromConfig(cfg), QueueURL: s.ExportStateQueueURL}
		monitoring := &news.Monitoring{SNS: sns.NewFromConfig(cfg), TopicARN: s.MonitoringTopicARN}
		return notify.New(debts, sender, monitoring, log).Handle
	})
}
