package main

import (
	"strings"
	"testing"

	"snapshot-status-checker/test/simulation"
)

// What the tasks call on which table, as the simulation sees them at it, and nothing else.
func TestTableRightsFollowFromTheCalls(t *testing.T) {
	t.Parallel()
	actions := map[string]string{"Get": "GetItem", "GetMany": "BatchGetItem", "Query": "Query", "Update": "UpdateItem"}
	tables := map[string]string{"status": "${TablesExportStatus.Arn}", "ledger": "${TablesLedger.Arn}"}
	roles := map[string]string{"increment": "FunctionsIncrementRole",
		"check-collection": "FunctionsCheckCollectionRole",
		"check-all":        "FunctionsCheckAllRole", "notify": "FunctionsNotifyRole", "sweep": "SweepRole"}
	want, has := map[string]map[string]bool{}, map[string]map[string]bool{}
	for _, role := range roles {
		want[role], has[role] = map[string]bool{}, map[string]bool{}
		for _, pair := range granted(byDefault())[role] {
			if strings.HasPrefix(pair, "dynamodb:") {
				has[role][pair] = true
			}
		}
	}
	const schedules = 300 // the rarest call is made in one of five
	for seed := range uint64(schedules) {
		for call := range simulation.Run(seed, simulation.Seeded(seed), nil).Calls {
			want[roles[call.Task]]["dynamodb:"+actions[call.Operation]+" "+tables[call.Table]] = true
		}
	}
	compare(t, want, has)
}
