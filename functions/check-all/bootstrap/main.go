// The function check-all.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	checkall "snapshot-status-checker/functions/check-all"
	"snapshot-status-checker/internal/function"
	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

func main() {
	function.Run("check-all", func(s settings.CheckAll, cfg aws.Config,
		log *slog.Logger) function.Handler[checkall.Input, checkall.Output] {
		protocol := store.New(dynamo.New(dynamodb.NewFromConfig(cfg)), store.NewTables(s.StatusTable, s.LedgerTable),
			store.Settings{Exempt: s.ExemptStatuses, Lease: s.Lease()})
		return checkall.New(protocol, log).Handle
	})
}
