// The function check-collection.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/internal/function"
	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

func main() {
	function.Run("check-collection", func(s settings.CheckCollection, cfg aws.Config,
		log *slog.Logger) function.Handler[checkcollection.Input, checkcollection.Output] {
		protocol := store.New(dynamo.New(dynamodb.NewFromConfig(cfg)), store.NewTables(s.StatusTable, s.LedgerTable),
			store.Settings{Exempt: s.ExemptStatuses, Lease: s.Lease()})
		return checkcollection.New(protocol, log).Handle
	})
}
