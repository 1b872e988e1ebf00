// The function sweep.
package main

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/bootstrap"
	"snapshot-status-checker/internal/delivery/looks"
	"snapshot-status-checker/internal/delivery/news"
	"snapshot-status-checker/internal/settings"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

func main() {
	bootstrap.Run("sweep", func(s settings.Sweep, cfg aws.Config, log *slog.Logger) bootstrap.Handler[sweep.Input, sweep.Output] {
		sweeper := &store.Sweeper{DB: dynamo.New(dynamodb.NewFromConfig(cfg)), Tables: store.NewTables(s.StatusTable, s.LedgerTable), Exempt: s.ExemptStatuses,
			StalledAfter: time.Duration(s.StalledAfterMinutes) * time.Minute, Now: time.Now, Pause: store.Jitter}
		machine := &looks.Machine{SFN: sfn.NewFromConfig(cfg), ARN: s.StateMachineARN}
		return sweep.New(sweeper, machine, &news.Monitoring{SNS: sns.NewFromConfig(cfg), TopicARN: s.MonitoringTopicARN}, log).Handle
	})
}
