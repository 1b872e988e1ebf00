package live

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/report"
)

// one is a collection db.a.
func one(status string, received, sent int64, waitsFor report.WaitsFor) report.Collection {
	return report.Collection{Collection: "db.a", Status: status, FilesReceived: received, FilesSent: sent,
		WaitsFor: waitsFor}
}

// inEpoch is the collection in another epoch.
func inEpoch(epoch int64, c report.Collection) report.Collection { c.Epoch = epoch; return c }

// requested is the collection after its request was delivered.
func requested(c report.Collection) report.Collection {
	c.Request = report.Delivery{State: report.Delivered}
	return c
}

func named(name string, c report.Collection) report.Collection { c.Collection = name; return c }

// written writes events as "kind: collection text".
func written(events []Event) (all []string) {
	for _, e := range events {
		all = append(all, fmt.Sprintf("%s: %s", e.Kind, strings.TrimSpace(e.Collection+" "+e.Text)))
	}
	return all
}

func TestEventsOfCollections(t *testing.T) {
	t.Parallel()
	sent, received := one("Sent", 3, 4, report.ForFiles), one("Received", 4, 4, report.ForSuccessFile)
	exported, exporting := one("Exported", 3, 4, report.ForExport), one("Exporting", 0, 0, report.ForExport)
	for name, test := range map[string]struct {
		before, after report.Collection
		want          []string
	}{
		"OnlyMoreFiles": {sent, one("Sent", 4, 4, report.ForReconciliation), nil},
		"StatusChanged": {exported, sent, []string{"status changed: db.a Sent, was Exported"}},
		"ReceivedAndRequested": {sent, requested(one("received", 4, 4, report.ForSuccessFile)),
			[]string{"received: db.a received, 4 of 4 files", "requested: db.a its success file was requested"}},
		"StillRequested":   {requested(received), requested(received), nil},
		"SuccessfulAtOnce": {sent, one("Success", 4, 4, report.ForNothing), []string{"successful: db.a successful"}},
		"Exempt": {sent, one("Blocked_Topic", 0, 0, report.ForNothing),
			[]string{"successful: db.a counts as done, status Blocked_Topic"}},
		"ExportedAgain": {requested(received), inEpoch(4, exporting),
			[]string{"exported again: db.a is exported again, 0 of 0 files so far",
				"status changed: db.a Exporting, was Received"}},
		"ExportedAgainAndReceivedBetweenTwoReadings": {requested(received),
			inEpoch(4, requested(one("Received", 5, 5, report.ForSuccessFile))),
			[]string{"exported again: db.a is exported again, 5 of 5 files so far",
				"received: db.a received, 5 of 5 files", "requested: db.a its success file was requested"}},
		// the epoch is not known yet
		"FirstFilesReadInTheMiddle": {inEpoch(2, one("Sent", 0, 4, report.ForFiles)), sent, nil},
		"OverReceived": {received, one("Received", 5, 4, report.ForSuccessFile),
			[]string{"over-received: db.a has received 5 files, and 4 were sent"}},
		"StillOverReceived": {one("Received", 5, 4, report.ForSuccessFile),
			one("Received", 6, 4, report.ForSuccessFile), nil},
		"AheadOfTheSendersCount": {exported, one("Exported", 5, 4, report.ForExport), nil},
		"Stuck": {exporting, one("Table_Unavailable", 0, 0, report.ForManualAction),
			[]string{"status changed: db.a Table_Unavailable, was Exporting", "stuck: db.a waits for manual action"}},
		"Malformed": {sent, report.Collection{Collection: "db.a", Status: "Success", Problem: "x",
			WaitsFor: report.ForRepair}, []string{"status changed: db.a Success, was Sent",
			"stuck: db.a waits for repair"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Events(report.Run{Collections: []report.Collection{test.before}},
				report.Run{Collections: []report.Collection{test.after}})
			if diff := cmp.Diff(test.want, written(got)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
	got := Events(report.Run{Collections: []report.Collection{named("db.b", sent)}},
		report.Run{Collections: []report.Collection{named("db.c", sent), named("db.a", sent)}})
	if diff := cmp.Diff([]string{"appeared: db.a appeared, status Sent", "gone: db.b is gone: its row was deleted",
		"appeared: db.c appeared, status Sent"}, written(got)); diff != "" {
		t.Errorf("in the order of names (-want +got):\n%s", diff)
	}
}

func TestEventsOfTheRun(t *testing.T) {
	t.Parallel()
	run := func(state report.State, received, successful report.DeliveryState) report.Run {
		return report.Run{Summary: report.Summary{State: state}, Notifications: notifications(received, successful)}
	}
	const notDue, delivered = report.NotDue, report.Delivered
	begun, stalled := run(report.InProgress, notDue, notDue), run(report.Stalled, notDue, notDue)
	received, done := run(report.Received, delivered, notDue), run(report.Successful, delivered, delivered)
	late, byHand, generation := begun, run(report.Abandoned, notDue, notDue), run(report.Received, delivered, notDue)
	late.Late = true
	byHand.Abandonment = &report.Abandonment{Reason: "its host is gone"}
	first, second := at(1), at(2)
	received.Notifications[0].Delivery.Since, generation.Notifications[0].Delivery.Since = &first, &second
	const notified = "monitoring notified: monitoring was notified: "
	notifiedReceived := notified + report.NotificationName(snapshot.AllReceived)
	notifiedSuccessful := notified + report.NotificationName(snapshot.AllSuccessful)
	const again, isDone = "in progress again: the run is in progress again", "done: the run is done"
	for name, test := range map[string]struct {
		before, after report.Run
		want          []string
	}{
		"Notified":      {run(report.InProgress, report.Leased, notDue), received, []string{notifiedReceived}},
		"NotifiedAgain": {received, generation, []string{notifiedReceived}},
		"StillNotified": {received, received, nil},
		"Done":          {begun, done, []string{notifiedReceived, notifiedSuccessful, isDone}},
		"ExportedAgain": {done, run(report.InProgress, delivered, delivered), []string{again}},
		"Stalled":       {begun, stalled, []string{"stalled: the run has stalled"}},
		"StillStalled":  {stalled, run(report.Stalled, report.Pending, notDue), nil},
		"ProgressAgain": {stalled, begun, []string{again}},
		"Abandoned": {stalled, run(report.Abandoned, notDue, notDue),
			[]string{"abandoned: the run is abandoned: the sweep ignores it"}},
		"AbandonedByHand": {begun, byHand,
			[]string{"abandoned: the run was abandoned by hand, the sweep ignores it: its host is gone"}},
		"TakenUp":   {byHand, begun, []string{again}},
		"Late":      {begun, late, []string{"late: the run is late"}},
		"StillLate": {late, late, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, written(Events(test.before, test.after))); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	events := []Event{{Successful, "db.1", "successful"}, {Received, "db.2", "received"},
		{Successful, "db.3", "successful"}, {Successful, "db.4\x1b[2J", "successful"},
		{Kind: Done, Text: "the run is done"}}
	want := []Sentence{{Successful, "db.1 successful"}, {Received, "db.2 received"}, {Successful, "db.3 successful"},
		{Successful, `db.4\u001b[2J successful`}, {Done, "the run is done"}}
	if diff := cmp.Diff(want, Sentences(events)); diff != "" {
		t.Errorf("few (-want +got):\n%s", diff)
	}
	events = append(events, Event{Successful, "db.5", "successful"})
	want = []Sentence{{Successful, `4 collections: successful (db.1, db.3, db.4\u001b[2J, …)`},
		{Received, "db.2 received"}, {Done, "the run is done"}}
	if diff := cmp.Diff(want, Sentences(events)); diff != "" {
		t.Errorf("many (-want +got):\n%s", diff)
	}
}
