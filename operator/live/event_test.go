package live

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/operator/report"
)

// one is a collection db.a.
func one(status string, received, sent int64, waitsFor report.WaitsFor) report.Collection {
	return report.Collection{Collection: "db.a", Status: status, FilesReceived: received, FilesSent: sent,
		WaitsFor: waitsFor}
}

// requested is the collection in an epoch, after its request was delivered.
func requested(c report.Collection, epoch int64) report.Collection {
	c.Epoch, c.Request = epoch, report.Delivery{State: report.Delivered}
	return c
}

func TestEvents(t *testing.T) {
	t.Parallel()
	type list = []report.Collection
	sent, exporting := one("Sent", 3, 4, report.ForFiles), one("Exporting", 0, 0, report.ForExport)
	received := one("Received", 4, 4, report.ForSuccessFile)
	named := func(name string) report.Collection { c := sent; c.Collection = name; return c }
	again := exporting
	again.Epoch = 4
	early := one("Sent", 0, 4, report.ForFiles)
	early.Epoch = 2
	for name, test := range map[string]struct {
		before, after list
		want          []Event
	}{
		"Nothing":       {list{sent}, list{sent}, nil},
		"OnlyMoreFiles": {list{sent}, list{one("Sent", 4, 4, report.ForReconciliation)}, nil},
		"Appeared":      {nil, list{sent}, []Event{{Appeared, "db.a", "appeared, status Sent"}}},
		"Gone":          {list{sent}, nil, []Event{{Gone, "db.a", "is gone: its row was deleted"}}},
		"StatusChanged": {list{one("Exported", 3, 4, report.ForExport)}, list{sent},
			[]Event{{Changed, "db.a", "Sent, was Exported"}}},
		"ReceivedAndRequested": {list{sent}, list{requested(one("received", 4, 4, report.ForSuccessFile), 0)},
			[]Event{{Received, "db.a", "received, 4 of 4 files"},
				{Requested, "db.a", "its success file was requested"}}},
		"SuccessfulAtOnce": {list{sent}, list{one("Success", 4, 4, report.ForNothing)},
			[]Event{{Successful, "db.a", "successful"}}},
		"Exempt": {list{sent}, list{one("Blocked_Topic", 0, 0, report.ForNothing)},
			[]Event{{Successful, "db.a", "counts as done, status Blocked_Topic"}}},
		"ExportedAgain": {list{requested(received, 0)}, list{again},
			[]Event{{ExportedAgain, "db.a", "is exported again, 0 of 0 files so far"},
				{Changed, "db.a", "Exporting, was Received"}}},
		"ExportedAgainAndReceivedBetweenTwoReadings": {list{requested(received, 0)},
			list{requested(one("Received", 5, 5, report.ForSuccessFile), 4)},
			[]Event{{ExportedAgain, "db.a", "is exported again, 5 of 5 files so far"},
				{Received, "db.a", "received, 5 of 5 files"}, {Requested, "db.a", "its success file was requested"}}},
		// the epoch is not known yet
		"FirstFilesReadInTheMiddle": {list{early}, list{one("Sent", 2, 4, report.ForFiles)}, nil},
		"OverReceived": {list{received}, list{one("Received", 5, 4, report.ForSuccessFile)},
			[]Event{{OverReceived, "db.a", "has received 5 files, and 4 were sent"}}},
		"AheadOfTheSendersCount": {list{one("Exported", 4, 4, report.ForSent)},
			list{one("Exported", 5, 4, report.ForSent)}, nil},
		"Stuck": {list{exporting}, list{one("Table_Unavailable", 0, 0, report.ForManualAction)},
			[]Event{{Changed, "db.a", "Table_Unavailable, was Exporting"},
				{Stuck, "db.a", "waits for manual action"}}},
		"InTheOrderOfNames": {list{named("db.b")}, list{named("db.c"), named("db.a")},
			[]Event{{Appeared, "db.a", "appeared, status Sent"}, {Gone, "db.b", "is gone: its row was deleted"},
				{Appeared, "db.c", "appeared, status Sent"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Events(report.Run{Collections: test.before}, report.Run{Collections: test.after})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
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
	for name, test := range map[string]struct {
		before, after report.Run
		want          []Kind
	}{
		"Notified":      {run(report.InProgress, report.Leased, notDue), received, []Kind{MonitoringNotified}},
		"Done":          {received, done, []Kind{MonitoringNotified, Done}},
		"BothAtOnce":    {begun, done, []Kind{MonitoringNotified, MonitoringNotified, Done}},
		"Stalled":       {begun, stalled, []Kind{Stalled}},
		"ProgressAgain": {stalled, begun, []Kind{ProgressAgain}},
		"Abandoned":     {stalled, run(report.Abandoned, notDue, notDue), []Kind{Abandoned}},
		"Same": {run(report.Stalled, report.Pending, notDue), run(report.Stalled, report.Pending, notDue),
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []Kind
			for _, e := range Events(test.before, test.after) {
				got = append(got, e.Kind)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("NotifiedAgainInANewGeneration", func(t *testing.T) {
		t.Parallel()
		notified := func(since float64) report.Run {
			moment := at(since)
			r := run(report.Received, report.Delivered, report.NotDue)
			r.Notifications[0].Delivery.Since = &moment
			return r
		}
		if got := Events(notified(1), notified(2)); len(got) != 1 || got[0].Kind != MonitoringNotified {
			t.Errorf("events = %v, want a notification", got)
		}
		if got := Events(notified(1), notified(1)); got != nil {
			t.Errorf("events = %v, want none", got)
		}
	})
}

func TestSentences(t *testing.T) {
	t.Parallel()
	events := []Event{{Successful, "db.1", "successful"}, {Received, "db.2", "received"},
		{Successful, "db.3", "successful"}, {Kind: Done, Text: "the run is done"}}
	want := []Sentence{{Successful, "db.1 successful"}, {Received, "db.2 received"}, {Successful, "db.3 successful"},
		{Done, "the run is done"}}
	if diff := cmp.Diff(want, Sentences(events)); diff != "" {
		t.Errorf("few (-want +got):\n%s", diff)
	}
	events = append(events, Event{Successful, "db.4\x1b[2J", "successful"}, Event{Successful, "db.5", "successful"})
	want = []Sentence{{Successful, "4 collections: successful (db.1, db.3, db.4\\u001b[2J, …)"},
		{Received, "db.2 received"}, {Done, "the run is done"}}
	if diff := cmp.Diff(want, Sentences(events)); diff != "" {
		t.Errorf("many (-want +got):\n%s", diff)
	}
}
