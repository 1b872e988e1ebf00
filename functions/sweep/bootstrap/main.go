// The function sweep.
package main

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awspipes "github.com/aws/aws-sdk-go-v2/service/pipes"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/delivery/monitoring"
	"snapshot-status-checker/internal/delivery/pipes"
	"snapshot-status-checker/internal/function"
	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

func main() {
	function.Run("sweep", func(s settings.Sweep, cfg aws.Config,
		log *slog.Logger) function.Handler[sweep.Input, sweep.Output] {
		protocol := store.New(dynamo.New(dynamodb.NewFromConfig(cfg)), store.NewTables(s.StatusTable, s.LedgerTable),
			store.Settings{Exempt: s.ExemptStatuses, Lease: s.Lease(),
				StalledAfter: time.Duration(s.StalledAfterMinutes) * time.Minute, LateAfter: s.LateAfter})
		started := &machine.Machine{SFN: sfn.NewFromConfig(cfg), ARN: s.StateMachineARN}
		watch := &pipes.Watch{Client: awspipes.NewFromConfig(cfg), Names: s.PipeNames, Log: log}
		topic := &monitoring.Topic{SNS: sns.NewFromConfig(cfg), ARN: s.MonitoringTopicARN}
		return pipes.With(watch, sweep.New(protocol, started, topic, log).Handle)
	})
}
