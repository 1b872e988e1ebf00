package live

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/operator/report"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	type c = report.Collection
	asked := report.Delivery{State: report.Delivered}
	sent := c{Collection: "db.a", Status: "Sent", FilesReceived: 3, FilesSent: 4, WaitsFor: report.ForFiles}
	for name, test := range map[string]struct {
		before, after []c
		want          []Event
	}{
		"Nothing": {before: []c{sent}, after: []c{sent}},
		"OnlyMoreFiles": {before: []c{sent}, after: []c{{Collection: "db.a", Status: "Sent", FilesReceived: 4,
			FilesSent: 4, WaitsFor: report.ForLook}}},
		"Appeared": {after: []c{sent}, want: []Event{{Appeared, "db.a", "appeared, status Sent"}}},
		"Gone":     {before: []c{sent}, want: []Event{{Gone, "db.a", "is gone: its row was deleted"}}},
		"StatusChanged": {
			before: []c{{Collection: "db.a", Status: "Exported", WaitsFor: report.ForExport}}, after: []c{sent},
			want: []Event{{Changed, "db.a", "Sent, was Exported"}},
		},
		"ReceivedAndAsked": {
			before: []c{sent}, after: []c{{Collection: "db.a", Status: "received", FilesReceived: 4, FilesSent: 4,
				WaitsFor: report.ForSuccessFile, Request: asked}},
			want: []Event{{Received, "db.a", "received, 4 of 4 files"},
				{Requested, "db.a", "its success file was requested"}},
		},
		"SuccessfulAtOnce": {
			before: []c{sent}, after: []c{{Collection: "db.a", Status: "Success", FilesReceived: 4, FilesSent: 4,
				WaitsFor: report.ForNothing}},
			want: []Event{{Successful, "db.a", "successful"}},
		},
		"Exempt": {
			before: []c{sent}, after: []c{{Collection: "db.a", Status: "Blocked_Topic", WaitsFor: report.ForNothing}},
			want: []Event{{Successful, "db.a", "counts as done, status Blocked_Topic"}},
		},
		"ExportedAgain": {
			before: []c{{Collection: "db.a", Status: "Received", FilesReceived: 4, FilesSent: 4,
				WaitsFor: report.ForSuccessFile, Request: asked}},
			after: []c{{Collection: "db.a", Status: "Exporting", FilesReceived: 0, FilesSent: 0, Epoch: 4,
				WaitsFor: report.ForExport}},
			want: []Event{{ExportedAgain, "db.a", "is exported again, 0 of 0 files so far"},
				{Changed, "db.a", "Exporting, was Received"}},
		},
		"ExportedAgainAndReceivedBetweenTwoReadings": {
			before: []c{{Collection: "db.a", Status: "Received", FilesReceived: 4, FilesSent: 4,
				WaitsFor: report.ForSuccessFile, Request: asked}},
			after: []c{{Collection: "db.a", Status: "Received", FilesReceived: 5, FilesSent: 5, Epoch: 4,
				WaitsFor: report.ForSuccessFile, Request: asked}},
			want: []Event{
				{ExportedAgain, "db.a", "is exported again, 5 of 5 files so far"},
				{Received, "db.a", "received, 5 of 5 files"},
				{Requested, "db.a", "its success file was requested"},
			},
		},
		"FirstFilesReadInTheMiddle": { // the epoch is not known yet
			before: []c{{Collection: "db.a", Status: "Sent", FilesSent: 4, Epoch: 2, WaitsFor: report.ForFiles}},
			after: []c{{Collection: "db.a", Status: "Sent", FilesReceived: 2, FilesSent: 4,
				WaitsFor: report.ForFiles}},
		},
		"OverReceived": {
			before: []c{{Collection: "db.a", Status: "Received", FilesReceived: 4, FilesSent: 4,
				WaitsFor: report.ForSuccessFile}},
			after: []c{{Collection: "db.a", Status: "Received", FilesReceived: 5, FilesSent: 4,
				WaitsFor: report.ForSuccessFile}},
			want: []Event{{OverReceived, "db.a", "has received 5 files, and 4 were sent"}},
		},
		"AheadOfTheSendersCount": {
			before: []c{{Collection: "db.a", Status: "Exported", FilesReceived: 4, FilesSent: 4,
				WaitsFor: report.ForSent}},
			after: []c{{Collection: "db.a", Status: "Exported", FilesReceived: 5, FilesSent: 4,
				WaitsFor: report.ForSent}},
		},
		"Stuck": {
			before: []c{{Collection: "db.a", Status: "Exporting", WaitsFor: report.ForExport}},
			after:  []c{{Collection: "db.a", Status: "Table_Unavailable", WaitsFor: report.ForNothingEver}},
			want: []Event{{Changed, "db.a", "Table_Unavailable, was Exporting"},
				{Stuck, "db.a", "waits for manual action"}},
		},
		"InTheOrderOfNames": {
			before: []c{{Collection: "db.b", Status: "Sent", WaitsFor: report.ForFiles}},
			after: []c{{Collection: "db.c", Status: "Sent", WaitsFor: report.ForFiles},
				{Collection: "db.a", Status: "Sent", WaitsFor: report.ForFiles}},
			want: []Event{{Appeared, "db.a", "appeared, status Sent"}, {Gone, "db.b", "is gone: its row was deleted"},
				{Appeared, "db.c", "appeared, status Sent"}},
		},
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
	for name, test := range map[string]struct {
		before, after report.Run
		want          []Kind
	}{
		"Notified": {run(report.InProgress, report.Leased, report.NotDue), run(report.Received, report.Delivered,
			report.NotDue), []Kind{MonitoringNotified}},
		"Done": {run(report.Received, report.Delivered, report.NotDue), run(report.Successful, report.Delivered,
			report.Delivered), []Kind{MonitoringNotified, Done}},
		"BothAtOnce": {run(report.InProgress, report.NotDue, report.NotDue), run(report.Successful, report.Delivered,
			report.Delivered), []Kind{MonitoringNotified, MonitoringNotified, Done}},
		"Stalled": {run(report.InProgress, report.NotDue, report.NotDue), run(report.Stalled, report.NotDue,
			report.NotDue), []Kind{Stalled}},
		"ProgressAgain": {run(report.Stalled, report.NotDue, report.NotDue), run(report.InProgress, report.NotDue,
			report.NotDue), []Kind{ProgressAgain}},
		"Abandoned": {run(report.Stalled, report.NotDue, report.NotDue), run(report.Abandoned, report.NotDue,
			report.NotDue), []Kind{Abandoned}},
		"Same": {run(report.Stalled, report.Pending, report.NotDue), run(report.Stalled, report.Pending,
			report.NotDue), nil},
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
