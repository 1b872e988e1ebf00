package report

import (
	"slices"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/show"
)

// The statuses that the exporter writes. Those that this system reads are the snapshot package's.
const (
	exporting    snapshot.Status = "Exporting"
	exported     snapshot.Status = "Exported"
	exportFailed snapshot.Status = "Export_Failed" // the exporter tries again by itself
)

// final are the statuses of collections that could not be exported; no system changes them.
var final = []snapshot.Status{"Table_Unavailable", "Blocked_Topic"}

// statusesKnown are all statuses whose writers are known, in the order of a collection's life.
var statusesKnown = slices.Concat([]snapshot.Status{exporting, exported, exportFailed}, final,
	[]snapshot.Status{snapshot.Sent, snapshot.Received, snapshot.Success})

func isKnown(status snapshot.Status) bool { return slices.ContainsFunc(statusesKnown, status.Is) }

// StatusName shows a status as the table spells it. An unknown one is quoted, so that blanks are visible.
func StatusName(status string) string {
	if isKnown(snapshot.Status(status)) {
		return show.Clean(status)
	}
	return show.Quote(status)
}

func knownStatuses() string {
	names := make([]string, len(statusesKnown))
	for i, status := range statusesKnown {
		names[i] = string(status)
	}
	return strings.Join(names, ", ")
}
