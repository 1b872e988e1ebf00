package snapshot_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

var (
	none       = snapshot.Counter{} // an attribute that the row lacks
	notANumber = snapshot.Counter{Set: true, Other: "three"}
	n          = snapshot.Count
	now        = time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)
)

// row is a row that is not adopted.
func row(status snapshot.Status, sent, received snapshot.Counter) snapshot.Row {
	return snapshot.Row{Status: status, FilesSent: sent, FilesReceived: received}
}

// adopted is a row that this system wrote last; start is the epoch's beginning.
func adopted(status snapshot.Status, sent, received, start int64) snapshot.Row {
	r := row(status, n(sent), n(received))
	r.EpochStart, r.SyncedFiles = n(start), n(received)
	return r
}

// setTo is the row after another system wrote FilesReceived.
func setTo(received snapshot.Counter, r snapshot.Row) snapshot.Row {
	r.FilesReceived = received
	return r
}

func TestRowCompleteAndMayMove(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		row               snapshot.Row
		complete, mayMove bool
	}{
		{"files are missing", row("Sent", n(3), n(2)), false, false},
		{"all are there", row("Sent", n(3), n(3)), true, true},
		{"more than all", row("Sent", n(3), n(4)), true, true},
		{"in capitals", row("SENT", n(3), n(3)), true, true},
		{"not sent yet: FilesSent is not final", row("Exported", n(3), n(3)), true, false},
		{"no files", row("Sent", n(0), n(0)), false, false},
		{"no files, one received", row("Sent", n(0), n(1)), false, false},
		{"no counters", row("Sent", none, none), false, false},
		{"no FilesSent", row("Sent", none, n(1)), false, false},
		{"FilesReceived is no number", row("Sent", n(1), notANumber), false, false},
		{"failed", row("Export_Failed", n(0), n(0)), false, false},
		{"blocked", row("Blocked_Topic", n(3), n(3)), true, false},
		{"no status", row("", n(3), n(3)), true, false},
		{"received: a request or success may be pending", row("Received", n(3), n(3)), true, true},
		{"received without files", row("Received", n(0), n(0)), false, true},
		{"success: a notification may be pending", row("SUCCESS", n(3), n(3)), true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.row.Complete(); got != test.complete {
				t.Errorf("complete: %v", got)
			}
			if got := test.row.MayMove(); got != test.mayMove {
				t.Errorf("may move: %v", got)
			}
		})
	}
}

// Before Sent, more files may have arrived than FilesSent says.
func TestRowOver(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		row  snapshot.Row
		over int64
	}{
		"files are missing":  {row("Sent", n(3), n(2)), 0},
		"as many as sent":    {row("Sent", n(3), n(3)), 0},
		"more":               {row("SENT", n(3), n(5)), 2},
		"more, and received": {row("Received", n(3), n(4)), 1},
		"more, and success":  {row("Success", n(3), n(4)), 1},
		"still being sent":   {row("Exported", n(3), n(5)), 0},
		"no files":           {row("Sent", n(0), n(1)), 0},
		"no FilesSent":       {row("Sent", none, n(1)), 0},
	} {
		if got := test.row.Over(); got != test.over {
			t.Errorf("%s: %d, want %d", name, got, test.over)
		}
	}
}

// Counting keeps the epoch, a reset of the counter changes it.
func TestEpoch(t *testing.T) {
	t.Parallel()
	half := adopted("Sent", 9, 3, 4)
	half.SyncedFiles = none
	for _, test := range []struct {
		name        string
		row         snapshot.Row
		counted     int64
		adopted     bool
		setByOthers bool
		epoch       int64
	}{
		{"adopted with nothing counted", adopted("Sent", 9, 0, 0), 0, true, false, 0},
		{"files counted", adopted("Sent", 9, 5, 0), 5, true, false, 0},
		{"a later export", adopted("Sent", 9, 5, 7), 12, true, false, 7},
		{"others counted three before", adopted("Sent", 9, 5, -3), 2, true, false, -3},
		{"set back", setTo(n(0), adopted("Sent", 9, 5, 0)), 5, true, true, 5},
		{"set back while the row lacks two", setTo(n(0), adopted("Sent", 9, 5, 0)), 7, true, true, 5},
		{"set back to another number", setTo(n(2), adopted("Sent", 9, 5, 7)), 12, true, true, 10},
		{"set forward", setTo(n(8), adopted("Sent", 9, 5, 0)), 5, true, true, -3},
		{"removed counts as 0", setTo(none, adopted("Sent", 9, 5, 7)), 12, true, true, 12},
		{"no number counts as 0", setTo(notANumber, adopted("Sent", 9, 5, 7)), 12, true, true, 12},
		{"removed, and 0 was written last", setTo(none, adopted("Sent", 9, 0, 7)), 7, true, true, 7},
		{"not adopted: as it would be adopted now", row("Sent", n(9), n(3)), 0, false, true, -3},
		{"not adopted, and its ledger counted before", row("Sent", n(9), none), 7, false, true, 7},
		{"without one of the two it is not adopted", half, 7, false, true, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := snapshot.Collection{Counted: test.counted}
			if test.row.Adopted() != test.adopted || test.row.SetByOthers() != test.setByOthers {
				t.Errorf("adopted %v, set by others %v", test.row.Adopted(), test.row.SetByOthers())
			}
			if got := c.Epoch(test.row); got != test.epoch {
				t.Errorf("epoch %d, want %d", got, test.epoch)
			}
			if test.adopted && test.row.Epoch() != test.epoch {
				t.Errorf("epoch of the row alone %d, want %d", test.row.Epoch(), test.epoch)
			}
		})
	}
}

func entry(version int64, owner string, leaseEnds time.Duration) snapshot.Entry {
	return snapshot.Entry{Version: n(version), Owner: owner, Since: now.Add(-time.Minute), Until: now.Add(leaseEnds)}
}

func delivered(version int64) snapshot.Entry {
	return snapshot.Entry{Version: n(version), Owner: "other", Until: now.Add(time.Hour), Delivered: true}
}

func TestNextStepAndRequestPending(t *testing.T) {
	t.Parallel()
	ours := func(c snapshot.Collection) snapshot.Collection {
		c.Counted, c.Known = 3, true
		return c
	}
	asked := func(request snapshot.Entry, successEpochs ...int64) snapshot.Collection {
		return ours(snapshot.Collection{Request: request, SuccessEpochs: successEpochs})
	}
	sent, received := adopted("Sent", 3, 3, 0), adopted("Received", 3, 3, 0)
	again := setTo(n(0), adopted("Received", 2, 3, 0)) // epoch 3
	others := row("Sent", n(3), n(3))                  // epoch -3
	for _, test := range []struct {
		name       string
		row        snapshot.Row
		collection snapshot.Collection
		pending    bool
		next       snapshot.Step
	}{
		{"files are missing", adopted("Sent", 4, 3, 0), ours(snapshot.Collection{}), false, snapshot.Rest},
		{"all files are there, but Sent is not", adopted("Exported", 3, 3, 0), ours(snapshot.Collection{}), false,
			snapshot.Rest},
		{"no files: the sender moves it", row("Sent", n(0), n(0)), snapshot.Collection{}, false, snapshot.Rest},
		{"no status", row("", n(3), n(3)), snapshot.Collection{}, false, snapshot.Rest},

		{"the row lacks a file", adopted("Sent", 9, 2, 0), ours(snapshot.Collection{}), false, snapshot.SyncRow},
		{"the row lacks a file: before any other step", adopted("Sent", 2, 2, 0), ours(snapshot.Collection{}), false,
			snapshot.SyncRow},
		{"the row lacks a file, and is received", adopted("Received", 2, 2, 0), asked(entry(0, "other", 0)), true,
			snapshot.SyncRow},
		{"the row lacks a file, whatever the status", adopted("Blocked_Topic", 2, 2, 0), ours(snapshot.Collection{}),
			false, snapshot.SyncRow},
		{"the row lacks a file of an export that was set back", setTo(n(0), adopted("Exporting", 0, 2, 0)),
			ours(snapshot.Collection{}), false, snapshot.SyncRow},
		{"set back, with nothing counted since", setTo(n(0), adopted("Exporting", 0, 3, 0)),
			ours(snapshot.Collection{}), false, snapshot.Rest},
		{"the row holds more than the ledger", adopted("Sent", 9, 4, 0), ours(snapshot.Collection{}), false,
			snapshot.AdoptRow},
		{"the row holds more than a ledger that knows nothing", sent, snapshot.Collection{}, false, snapshot.AdoptRow},
		{"a row that is not adopted holds nothing", row("Exported", n(9), n(4)), ours(snapshot.Collection{}), false,
			snapshot.Rest},

		{"all files are there: the request first", sent, ours(snapshot.Collection{}), false, snapshot.EnqueueRequest},
		{"more files than sent", adopted("Sent", 2, 3, 0), ours(snapshot.Collection{}), false, snapshot.EnqueueRequest},
		{"in capitals", adopted("SENT", 3, 3, 0), ours(snapshot.Collection{}), false, snapshot.EnqueueRequest},
		{"others counted all files", others, snapshot.Collection{}, false, snapshot.EnqueueRequest},
		{"asked for an earlier epoch", adopted("Sent", 1, 1, 2), asked(delivered(0)), false, snapshot.EnqueueRequest},
		{"another's request for an earlier epoch", adopted("Sent", 1, 1, 2), asked(entry(0, "other", time.Hour)), false,
			snapshot.EnqueueRequest},
		{"received by others", received, ours(snapshot.Collection{}), false, snapshot.EnqueueRequest},
		{"received by others, and its success file received", received, asked(snapshot.Entry{}, 0), false,
			snapshot.EnqueueRequest},

		{"requested by us", sent, asked(entry(0, "me", time.Hour)), false, snapshot.MoveToReceived},
		{"requested by another, still leased", sent, asked(entry(0, "other", time.Hour)), false, snapshot.MoveToReceived},
		{"requested by another whose lease has ended", sent, asked(entry(0, "other", 0)), false,
			snapshot.MoveToReceived},
		{"requested, and the request was released", sent, asked(entry(0, "other", 0).Released()), false,
			snapshot.MoveToReceived},
		{"Sent written over Received: moved again", sent, asked(delivered(0)), false, snapshot.MoveToReceived},
		{"others counted all files, and it is requested", others, snapshot.Collection{Request: entry(-3, "me", 0)},
			false, snapshot.MoveToReceived},

		{"received, we deliver the request", received, asked(entry(0, "me", time.Hour)), true, snapshot.Rest},
		{"received, we deliver it and took long", received, asked(entry(0, "me", -time.Hour)), true, snapshot.Rest},
		{"received, another delivers it", received, asked(entry(0, "other", time.Second)), true, snapshot.Rest},
		{"received, and its lease has ended", received, asked(entry(0, "other", 0)), true, snapshot.LeaseRequest},
		{"received, and its owner gave it up", received, asked(entry(0, "other", time.Hour).Released()), true,
			snapshot.LeaseRequest},
		{"received and requested", received, asked(delivered(0)), false, snapshot.Rest},
		{"received, in capitals, and its lease has ended", adopted("RECEIVED", 3, 3, 0), asked(entry(0, "other", 0)),
			true, snapshot.LeaseRequest},
		{"received, and set back: the request is void", again, asked(entry(0, "other", 0)), false, snapshot.Rest},
		{"received without files", row("Received", n(0), n(0)), snapshot.Collection{}, false, snapshot.Rest},
		{"received, and nothing was counted here", row("Received", n(3), n(3)), snapshot.Collection{}, false,
			snapshot.Rest},

		{"success file received, requested", received, asked(delivered(0), 0), false, snapshot.MoveToSuccess},
		{"success file received, another delivers the request", received, asked(entry(0, "other", time.Second), 0),
			true, snapshot.MoveToSuccess},
		{"success file received, and the lease has ended: it moves first", received, asked(entry(0, "other", 0), 0),
			true, snapshot.MoveToSuccess},
		{"success file received, nothing was counted here", row("Received", n(3), n(3)),
			snapshot.Collection{SuccessEpochs: []int64{-3}}, false, snapshot.MoveToSuccess},
		{"early success file", adopted("Sent", 4, 3, 0), asked(snapshot.Entry{}, 0), false, snapshot.Rest},
		{"success file of an earlier epoch", adopted("Received", 1, 1, 2), asked(delivered(2), 0), false,
			snapshot.Rest},
		{"success files of several epochs", adopted("Received", 1, 1, 2), asked(delivered(2), -1, 0, 2), false,
			snapshot.MoveToSuccess},

		{"success", adopted("Success", 3, 3, 0), asked(delivered(0), 0), false, snapshot.Rest},
		{"success, and the lease of the request has ended", adopted("Success", 3, 3, 0), asked(entry(0, "other", 0), 0),
			true, snapshot.LeaseRequest},
		{"success written by others without a request", adopted("Success", 3, 3, 0), ours(snapshot.Collection{}), false,
			snapshot.Rest},

		{"FilesSent grew after our request", adopted("Sent", 4, 3, 0), asked(entry(0, "me", time.Hour)), false,
			snapshot.ReleaseRequest},
		{"FilesSent grew after another's request", adopted("Sent", 4, 3, 0), asked(entry(0, "other", time.Hour)), false,
			snapshot.Rest},
		{"FilesSent grew after a request that was delivered", adopted("Sent", 4, 3, 0), asked(delivered(0)), false,
			snapshot.Rest},
		{"exported again after our request", adopted("Exporting", 0, 3, 0), asked(entry(0, "me", time.Hour)), false,
			snapshot.ReleaseRequest},
		{"our request of an earlier epoch", setTo(n(0), adopted("Exporting", 0, 3, 0)),
			asked(entry(0, "me", time.Hour)), false, snapshot.Rest},

		{"failed and set back", setTo(n(0), adopted("Export_Failed", 0, 3, 0)), asked(snapshot.Entry{}, 3), false,
			snapshot.Rest},
		{"blocked", adopted("Blocked_Topic", 3, 3, 0), asked(snapshot.Entry{}, 0), false, snapshot.Rest},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.collection.RequestPending(test.row); got != test.pending {
				t.Errorf("request pending: %v", got)
			}
			if got := snapshot.NextStep(test.row, test.collection, "me", now); got != test.next {
				t.Errorf("next step: %s, want %s", got, test.next)
			}
		})
	}
}
