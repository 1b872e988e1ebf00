package snapshot_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

func TestTally(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		statuses          []snapshot.Status // of the collections a, b, c …
		exempt            []snapshot.Status
		received, success bool
	}{
		{name: "no rows: no notification"},
		{name: "all received", statuses: []snapshot.Status{"Received", "RECEIVED"}, received: true},
		{name: "received or further", statuses: []snapshot.Status{"Success", "Received"}, received: true},
		{name: "all successful: both hold", statuses: []snapshot.Status{"Success", "SUCCESS"}, received: true,
			success: true},
		{name: "one is not sent", statuses: []snapshot.Status{"Received", "Exported", "Sent"}},
		{name: "one that never finishes blocks", statuses: []snapshot.Status{"Success", "Blocked_Topic"}},
		{name: "unless it is exempt", statuses: []snapshot.Status{"Success", "BLOCKED_TOPIC"},
			exempt: []snapshot.Status{"Blocked_Topic"}, received: true, success: true},
		{name: "no status", statuses: []snapshot.Status{""}, exempt: []snapshot.Status{"Blocked_Topic"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var tally snapshot.Tally
			for _, status := range test.statuses {
				tally.Add(snapshot.Row{Status: status}, test.exempt)
			}
			if tally.All(snapshot.AllReceived) != test.received || tally.All(snapshot.AllSuccessful) != test.success {
				t.Errorf("all received %v, all successful %v", tally.All(snapshot.AllReceived),
					tally.All(snapshot.AllSuccessful))
			}
		})
	}
}

type (
	outbox = map[snapshot.Kind]snapshot.Entry
	hints  = map[snapshot.Kind]snapshot.Hint
)

// Each row is about ALL_RECEIVED in generation 2 of a successful run.
func TestNotifiedAndDue(t *testing.T) {
	t.Parallel()
	notified := hints{snapshot.AllReceived: {Notified: true}}
	for _, test := range []struct {
		name          string
		hints         hints
		entry         snapshot.Entry
		notified, due bool
	}{
		{"never enqueued", nil, snapshot.Entry{}, false, true},
		{"a blocker is known", hints{snapshot.AllReceived: {Collection: "a"}}, snapshot.Entry{}, false, true},
		{"enqueued", nil, entry(2, "other", time.Second), true, true},
		{"delivered", nil, delivered(2), true, false},
		{"the hint says so", notified, delivered(2), true, false},
		{"the hint alone says so", notified, snapshot.Entry{}, true, false},
		{"delivered in an earlier generation", nil, delivered(1), false, true},
		{"enqueued in an earlier generation", nil, entry(1, "other", time.Hour), false, true},
		{"the other notification's hint says so", hints{snapshot.AllSuccessful: {Notified: true}}, snapshot.Entry{},
			false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			run := snapshot.Run{Generation: 2, Hints: test.hints, Outbox: outbox{snapshot.AllReceived: test.entry}}
			if got := run.Notified(snapshot.AllReceived); got != test.notified {
				t.Errorf("notified: %v", got)
			}
			if got := run.Due(snapshot.AllReceived, tally("Success")); got != test.due {
				t.Errorf("due: %v", got)
			}
			if run.Due(snapshot.AllReceived, tally("Success", "Sent")) || run.Due(snapshot.AllReceived, tally()) {
				t.Error("due although a row blocks it, or there is none")
			}
		})
	}
}

func TestOutgoingOfARun(t *testing.T) {
	t.Parallel()
	got := snapshot.Run{CorrelationID: "run-1", Generation: 7}.Outgoing(snapshot.AllSuccessful, 3)
	if want := outgoing(snapshot.AllSuccessful, "run-1", "", 3); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestPendingSince(t *testing.T) {
	t.Parallel()
	hour := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	pending := func(hours int) snapshot.Entry {
		return snapshot.Entry{Version: n(0), Owner: "other", Since: hour(hours)}
	}
	older := pending(-4)
	older.Version = n(7)
	for _, test := range []struct {
		name         string
		requests     []snapshot.Entry // of one collection each
		notification snapshot.Entry   // that all is received
		want         time.Time
	}{
		{"all is delivered", []snapshot.Entry{delivered(0), delivered(0)}, delivered(0), time.Time{}},
		{"a request is pending", []snapshot.Entry{delivered(0), pending(-3)}, delivered(0), hour(-3)},
		{"two are", []snapshot.Entry{pending(-3), pending(-5)}, delivered(0), hour(-5)},
		{"a request of another epoch is void", []snapshot.Entry{older}, delivered(0), time.Time{}},
		{"a notification is pending", []snapshot.Entry{delivered(0)}, pending(-2), hour(-2)},
		{"a notification that was never enqueued", []snapshot.Entry{delivered(0)}, snapshot.Entry{}, hour(-1)},
		{"a notification of another generation", []snapshot.Entry{delivered(0)}, older, hour(-1)},
		{"a request and a notification", []snapshot.Entry{pending(-2)}, pending(-3), hour(-3)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			all, rows, collections := &snapshot.Tally{}, []snapshot.Row{}, []snapshot.Collection{}
			for _, request := range test.requests {
				r := adopted("Received", 1, 1, 0)
				all.Add(r, nil)
				rows, collections = append(rows, r),
					append(collections, snapshot.Collection{Counted: 1, Request: request})
			}
			run := snapshot.Run{Outbox: outbox{snapshot.AllReceived: test.notification}}
			if got := run.PendingSince(all, rows, collections, hour(-1)); !got.Equal(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// A message that is not due is not pending: a blocked notification, the request of a collection before Received.
func TestNothingIsPendingWhileCollectionsAreMissing(t *testing.T) {
	t.Parallel()
	all, waiting := &snapshot.Tally{}, adopted("Sent", 2, 1, 0)
	all.Add(waiting, nil)
	collections := []snapshot.Collection{{Counted: 1, Request: entry(0, "other", -time.Hour)}}
	if got := (snapshot.Run{}).PendingSince(all, []snapshot.Row{waiting}, collections, now); !got.IsZero() {
		t.Errorf("pending since %v", got)
	}
}
