package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// Plural counts things.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// NotificationName is what a notification says about a run.
func NotificationName(kind snapshot.Kind) string {
	if kind == snapshot.AllSuccessful {
		return "all successful"
	}
	return "all received"
}

// statuses lists the statuses of the collections, each once.
func statuses(waiting []Collection) string {
	var names []string
	for _, c := range waiting {
		names = append(names, StatusName(c.Status))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

func files(waiting []Collection) (received, sent int64) {
	for _, c := range waiting {
		received, sent = received+c.FilesReceived, sent+c.FilesSent
	}
	return received, sent
}

// oldest is since when the first of them has waited, nil if that is unknown of all.
func oldest(waiting []Collection) (oldest *time.Time) {
	for _, c := range waiting {
		if c.Since != nil && (oldest == nil || c.Since.Before(*oldest)) {
			oldest = c.Since
		}
	}
	return oldest
}
