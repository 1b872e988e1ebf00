package live

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/report"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func before(seconds float64) *time.Time { t := at(-seconds); return &t }

// reading is a reading that begins and ends at that second.
func reading(second float64, run report.Run) Reading {
	return Reading{Run: run, Began: at(second), Ended: at(second)}
}

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file of testdata (go test -update writes it).
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// sum completes a run's summary from its collections.
func sum(run report.Run) report.Run {
	run.Summary.Collections = len(run.Collections)
	run.FilesReceived, run.FilesSent, run.Received, run.Successful = 0, 0, 0, 0
	for _, c := range run.Collections {
		run.FilesReceived += c.FilesReceived
		run.FilesSent += c.FilesSent
		if received(c) {
			run.Received++
		}
		if successful(c) {
			run.Successful++
		}
	}
	return run
}

func notifications(received, successful report.DeliveryState) []report.Notification {
	return []report.Notification{
		{Kind: snapshot.AllReceived, Delivery: report.Delivery{State: received}},
		{Kind: snapshot.AllSuccessful, Delivery: report.Delivery{State: successful}},
	}
}

// oneCollection is a run that all but its last file has arrived of.
func oneCollection() report.Run {
	return sum(report.Run{
		Summary: report.Summary{Run: "run-1", State: report.InProgress, SnapshotType: "full",
			ExportDate: "2026-11-23"},
		Notifications: notifications(report.NotDue, report.NotDue),
		Collections: []report.Collection{
			{Collection: "db.core.contract", Status: "Sent", FilesReceived: 9, FilesSent: 10, WaitsFor: report.ForFiles,
				Since: before(180)},
		},
	})
}

// manyCollections is a large run in the middle of its way: of its collections some are stuck, some wait for files, and
// most are successful.
func manyCollections(n int) report.Run {
	kinds := []struct {
		of       int // one of so many
		status   string
		waitsFor report.WaitsFor
		received int64
	}{
		{5000, "Exported", report.ForRepair, 0}, {2500, "Table_Unavailable", report.ForManualAction, 0},
		{20, "Sent", report.ForFiles, 70},
		{50, "Exported", report.ForSent, 100}, {10, "Exporting", report.ForExport, 12},
		{4, "Received", report.ForSuccessFile, 100},
	}
	run := report.Run{
		Summary: report.Summary{Run: "9b1d0f3c-full", State: report.InProgress, SnapshotType: "full",
			ExportDate: "2026-11-23"},
		Notifications: notifications(report.NotDue, report.NotDue),
	}
	for i := range n {
		c := report.Collection{
			Collection: fmt.Sprintf("db.some-database-%02d.a_collection_%05d", i%37, i), Status: "Success",
			FilesReceived: 128, FilesSent: 128, WaitsFor: report.ForNothing,
		}
		for _, kind := range kinds {
			if i%kind.of == kind.of-1 {
				c.Status, c.WaitsFor, c.FilesReceived, c.Since = kind.status, kind.waitsFor, 128*kind.received/100,
					before(float64(i))
				break
			}
		}
		run.Collections = append(run.Collections, c)
	}
	order := []report.WaitsFor{report.ForRepair, report.ForManualAction, report.ForFiles, report.ForSent,
		report.ForExport, report.ForSuccessFile, report.ForNothing}
	slices.SortStableFunc(run.Collections, func(a, b report.Collection) int {
		return slices.Index(order, a.WaitsFor) - slices.Index(order, b.WaitsFor)
	})
	return sum(run)
}

// with is the run with its collections changed.
func with(run report.Run, change func(*report.Collection)) report.Run {
	run.Collections = slices.Clone(run.Collections)
	for i := range run.Collections {
		change(&run.Collections[i])
	}
	return sum(run)
}

// allReceived is oneCollection after its last file has arrived.
func allReceived() report.Run {
	return with(oneCollection(), func(c *report.Collection) {
		c.FilesReceived, c.Status, c.WaitsFor = 10, "Received", report.ForSuccessFile
	})
}
