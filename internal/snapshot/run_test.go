package snapshot_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

type (
	outbox = map[snapshot.Kind]snapshot.Entry
	hints  = map[snapshot.Kind]snapshot.Hint
)

// both are the delivered notifications of a run's first generation.
var both = outbox{snapshot.AllReceived: delivered(0), snapshot.AllSuccessful: delivered(0)}

// tally has rows a, b, c … with these statuses, each with 2 of 3 files received.
func tally(statuses ...snapshot.Status) *snapshot.Tally {
	t := &snapshot.Tally{}
	for i, status := range statuses {
		r := row(status, n(3), n(2))
		r.CollectionName = string(rune('a' + i))
		t.Add(r, []snapshot.Status{"Blocked_Topic"})
	}
	return t
}

func TestTally(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		tally             *snapshot.Tally
		received, success bool
		named             string // the blockers
		more              int
	}{
		{"no rows: no notification", tally(), false, false, "", 0},
		{"all successful, or exempt", tally("Success", "SUCCESS", "BLOCKED_TOPIC"), true, true, "", 0},
		{"all received: those that are not successful", tally("RECEIVED", "Success", "Received"), true, false, "ac", 0},
		{"not all received: those that are not", tally("Received", "Sent", "", "Success", "Table_Unavailable"), false,
			false, "bce", 0},
		{"five are named", tally("Sent", "Sent", "Sent", "Sent", "Sent"), false, false, "abcde", 0},
		{"and the others are counted", tally("Received", "Sent", "Sent", "Sent", "Sent", "Sent", "Sent", "Sent"), false,
			false, "bcdef", 2},
	} {
		received, success := test.tally.All(snapshot.AllReceived), test.tally.All(snapshot.AllSuccessful)
		blockers, named := test.tally.Blockers(), ""
		for _, r := range blockers.Named {
			named += r.CollectionName
		}
		if received != test.received || success != test.success || named != test.named || blockers.More != test.more {
			t.Errorf("%s: all received %v, all successful %v, blocked by %q and %d more, want %q and %d", test.name,
				received, success, named, blockers.More, test.named, test.more)
		}
	}
}

// Each row is about ALL_RECEIVED in generation 2 of a successful run.
func TestNotifiedAndDue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		hints         hints
		entry         snapshot.Entry
		notified, due bool
	}{
		{"a blocker is known", hints{snapshot.AllReceived: {Collection: "a"}}, snapshot.Entry{}, false, true},
		{"enqueued", nil, entry(2, "other", time.Second), true, true},
		{"delivered", nil, delivered(2), true, false},
		{"the hint says so", hints{snapshot.AllReceived: {Notified: true}}, snapshot.Entry{}, true, false},
		{"delivered in an earlier generation", nil, delivered(1), false, true},
		{"the other notification's hint says so", hints{snapshot.AllSuccessful: {Notified: true}}, snapshot.Entry{},
			false, true},
	} {
		run := snapshot.Run{Generation: 2, Hints: test.hints, Outbox: outbox{snapshot.AllReceived: test.entry}}
		notified := run.Notified(snapshot.AllReceived)
		due := run.Due(snapshot.AllReceived, tally("Success"))
		if notified != test.notified || due != test.due {
			t.Errorf("%s: notified %v, due %v", test.name, notified, due)
		}
		if run.Due(snapshot.AllReceived, tally("Success", "Sent")) || run.Due(snapshot.AllReceived, tally()) {
			t.Errorf("%s: due although a row blocks it, or there is none", test.name)
		}
	}
}

func TestPendingSince(t *testing.T) {
	t.Parallel()
	pending := func(version, hours int64) snapshot.Entry {
		return snapshot.Entry{Version: n(version), Owner: "other", Since: now.Add(time.Duration(hours) * time.Hour)}
	}
	type requests []snapshot.Entry
	for _, test := range []struct {
		name         string
		status       snapshot.Status // of the collections
		requests     requests        // of one collection each
		notification snapshot.Entry  // that all is received
		hours        int             // 0 if nothing is pending
	}{
		{"all is delivered", "Received", requests{delivered(0), delivered(0)}, delivered(0), 0},
		{"a request is pending", "Received", requests{delivered(0), pending(0, -3)}, delivered(0), -3},
		{"two are", "Received", requests{pending(0, -3), pending(0, -5)}, delivered(0), -5},
		{"a request of another epoch is void", "Received", requests{pending(7, -4)}, delivered(0), 0},
		{"no message is due before Received", "Sent", requests{pending(0, -4)}, snapshot.Entry{}, 0},
		{"a notification is pending", "Received", requests{delivered(0)}, pending(0, -2), -2},
		{"a notification that was never enqueued", "Received", requests{delivered(0)}, snapshot.Entry{}, -1},
		{"a notification of another generation", "Received", requests{delivered(0)}, pending(7, -4), -1},
		{"a request and a notification", "Received", requests{pending(0, -2)}, pending(0, -3), -3},
	} {
		all, rows, collections := &snapshot.Tally{}, []snapshot.Row{}, []snapshot.Collection{}
		for _, request := range test.requests {
			rows = append(rows, adopted(test.status, 1, 1, 0))
			collections = append(collections, snapshot.Collection{Counted: 1, Request: request})
			all.Add(rows[0], nil)
		}
		want := time.Time{}
		if test.hours != 0 {
			want = now.Add(time.Duration(test.hours) * time.Hour)
		}
		run := snapshot.Run{Outbox: outbox{snapshot.AllReceived: test.notification}}
		if got := run.PendingSince(all, rows, collections, now.Add(-time.Hour)); !got.Equal(want) {
			t.Errorf("%s: since %v, want %v", test.name, got, want)
		}
	}
}
