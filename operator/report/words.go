package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// NotificationName is what news says of a run.
func NotificationName(kind snapshot.Kind) string {
	if kind == snapshot.AllSuccessful {
		return "all successful"
	}
	return "all received"
}

// statuses lists the statuses of the collections, each once.
func statuses(held []Collection) string {
	var names []string
	for _, c := range held {
		if name := StatusName(c.Status); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func received(held []Collection) int64 {
	n := int64(0)
	for _, c := range held {
		n += c.FilesReceived
	}
	return n
}

// count is a number, in words if it is none.
func count(n int64) string {
	if n == 0 {
		return "no"
	}
	return strconv.FormatInt(n, 10)
}

func sent(held []Collection) int64 {
	n := int64(0)
	for _, c := range held {
		n += c.FilesSent
	}
	return n
}

// oldest is since when the first of them has waited, nil if that is not known of any.
func oldest(held []Collection) *time.Time {
	var oldest *time.Time
	for _, c := range held {
		if c.Since != nil && (oldest == nil || c.Since.Before(*oldest)) {
			oldest = c.Since
		}
	}
	return oldest
}
