// The function check-all.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	checkall "snapshot-status-checker/functions/check-all"
	"snapshot-status-checker/internal/bootstrap"
	"snapshot-status-checker/internal/settings"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

func main() {
	bootstrap.Run("check-all", func(s settings.CheckAll, cfg aws.Config, log *slog.Logger) bootstrap.Handler[checkall.Input, checkall.Output] {
		protocol := store.New(dynamo.New(dynamodb.NewFromConfig(cfg)), store.NewTables(s.StatusTable, s.LedgerTable),
			store.Settings{Exempt: s.ExemptStatuses, Lease: s.Lease()})
		return checkall.New(protocol, log).Handle
	})
}
