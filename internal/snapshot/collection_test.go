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

// Before Sent, FilesSent is not final: more files may have arrived than it says.
func TestCompleteMayMoveAndOver(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		row               snapshot.Row
		complete, mayMove bool
		over              int64
	}{
		{"files are missing", row("Sent", n(3), n(2)), false, false, 0},
		{"all are there", row("SENT", n(3), n(3)), true, true, 0},
		{"more than all", row("Sent", n(3), n(5)), true, true, 2},
		{"not sent yet", row("Exported", n(3), n(5)), true, false, 0},
		{"no files", row("Sent", n(0), n(0)), false, false, 0},
		{"no files, one received", row("Sent", n(0), n(1)), false, false, 0},
		{"one file", row("Sent", n(1), n(2)), true, true, 1},
		{"no FilesSent", row("Sent", none, n(1)), false, false, 0},
		{"FilesReceived is no number", row("Sent", n(1), notANumber), false, false, 0},
		{"blocked", row("Blocked_Topic", n(3), n(3)), true, false, 0},
		{"received: a request or success may be pending", row("Received", n(3), n(4)), true, true, 1},
		{"received without files", row("Received", n(0), n(0)), false, true, 0},
		{"success: a notification may be pending", row("SUCCESS", n(3), n(4)), true, true, 1},
	} {
		complete, mayMove, over := test.row.Complete(), test.row.MayMove(), test.row.Over()
		if complete != test.complete || mayMove != test.mayMove || over != test.over {
			t.Errorf("%s: complete %v, may move %v, over %d", test.name, complete, mayMove, over)
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
		{"files counted", adopted("Sent", 9, 5, 0), 5, true, false, 0},
		{"a later export", adopted("Sent", 9, 5, 7), 12, true, false, 7},
		{"others counted three before", adopted("Sent", 9, 5, -3), 2, true, false, -3},
		{"set back", setTo(n(0), adopted("Sent", 9, 5, 0)), 5, true, true, 5},
		{"set back while the row lacks two", setTo(n(0), adopted("Sent", 9, 5, 0)), 7, true, true, 5},
		{"set back to another number", setTo(n(2), adopted("Sent", 9, 5, 7)), 12, true, true, 10},
		{"set forward", setTo(n(8), adopted("Sent", 9, 5, 0)), 5, true, true, -3},
		{"no number counts as 0", setTo(notANumber, adopted("Sent", 9, 5, 7)), 12, true, true, 12},
		{"no number, and 0 was written last", setTo(notANumber, adopted("Sent", 9, 0, 7)), 7, true, true, 7},
		{"removed, and 0 was written last", setTo(none, adopted("Sent", 9, 0, 7)), 7, true, true, 7},
		{"not adopted: as it would be adopted now", row("Sent", n(9), n(3)), 0, false, true, -3},
		{"not adopted, and its ledger counted before", row("Sent", n(9), none), 7, false, true, 7},
		{"without one of the two it is not adopted", half, 7, false, true, 4},
	} {
		isAdopted, setByOthers := test.row.Adopted(), test.row.SetByOthers()
		epoch := (snapshot.Collection{Counted: test.counted}).Epoch(test.row)
		if isAdopted != test.adopted || setByOthers != test.setByOthers || epoch != test.epoch {
			t.Errorf("%s: adopted %v, set by others %v, epoch %d", test.name, isAdopted, setByOthers, epoch)
		}
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
	ours, theirs := snapshot.Collection{Known: true, Counted: 3}, snapshot.Collection{}
	asked := func(request snapshot.Entry, successEpochs ...int64) snapshot.Collection {
		return snapshot.Collection{Known: true, Counted: 3, Request: request, SuccessEpochs: successEpochs}
	}
	sent, received, success := adopted("Sent", 3, 3, 0), adopted("Received", 3, 3, 0), adopted("Success", 3, 3, 0)
	again := setTo(n(0), adopted("Exporting", 0, 3, 0)) // epoch 3
	const (
		hour                          = time.Hour
		rest, syncRow, adoptRow       = snapshot.Rest, snapshot.SyncRow, snapshot.AdoptRow
		enqueueRequest                = snapshot.EnqueueRequest
		moveToReceived, moveToSuccess = snapshot.MoveToReceived, snapshot.MoveToSuccess
		leaseRequest, releaseRequest  = snapshot.LeaseRequest, snapshot.ReleaseRequest
	)
	for _, test := range []struct {
		name       string
		row        snapshot.Row
		collection snapshot.Collection
		pending    bool
		next       snapshot.Step
	}{
		{"files are missing", adopted("Sent", 4, 3, 0), ours, false, rest},
		{"all files are there, but Sent is not", adopted("Exported", 3, 3, 0), ours, false, rest},
		{"no files: the sender moves it", row("Sent", n(0), n(0)), theirs, false, rest},
		{"blocked", adopted("Blocked_Topic", 3, 3, 0), asked(snapshot.Entry{}, 0), false, rest},

		{"the row lacks a file: before any other step", adopted("Sent", 2, 2, 0), ours, false, syncRow},
		{"it lacks one, and is received", adopted("Received", 2, 2, 0), asked(entry(0, "x", 0)), true, syncRow},
		{"it lacks one, and was set back", setTo(n(0), adopted("Exporting", 0, 2, 0)), ours, false, syncRow},
		{"set back, with nothing counted since", again, ours, false, rest},
		{"the row holds more than the ledger", adopted("Sent", 9, 4, 0), ours, false, adoptRow},
		{"more than a ledger that knows nothing", sent, theirs, false, adoptRow},
		{"a row that is not adopted holds nothing", row("Exported", n(9), n(4)), ours, false, rest},

		{"all files are there: the request first", sent, ours, false, enqueueRequest},
		{"in capitals", adopted("SENT", 3, 3, 0), ours, false, enqueueRequest},
		{"others counted all files", row("Sent", n(3), n(3)), theirs, false, enqueueRequest},
		{"asked for an earlier epoch", adopted("Sent", 1, 1, 2), asked(delivered(0)), false, enqueueRequest},
		{"received by others", received, ours, false, enqueueRequest},
		{"received by others, and its success file came", received, asked(snapshot.Entry{}, 0), false, enqueueRequest},

		{"requested", sent, asked(entry(0, "x", 0)), false, moveToReceived},
		{"Sent written over Received: moved again", sent, asked(delivered(0)), false, moveToReceived},
		{"others counted, and it is requested", row("Sent", n(3), n(3)),
			snapshot.Collection{Request: entry(-3, "me", 0)}, false, moveToReceived},

		{"received, we deliver the request and took long", received, asked(entry(0, "me", -hour)), true, rest},
		{"received, another delivers it", received, asked(entry(0, "x", time.Second)), true, rest},
		{"received, and its lease has ended", received, asked(entry(0, "x", 0)), true, leaseRequest},
		{"received and requested", received, asked(delivered(0)), false, rest},
		{"received, and set back: the request is void", setTo(n(0), received), asked(entry(0, "x", 0)), false, rest},
		{"received without files", adopted("Received", 0, 3, 0), ours, false, rest},
		{"received, and nothing was counted here", row("Received", n(3), n(3)), theirs, false, rest},

		{"success file came, requested", received, asked(delivered(0), 0), false, moveToSuccess},
		{"success file came, and the lease has ended: it moves first", received, asked(entry(0, "x", 0), 0), true,
			moveToSuccess},
		{"success file came, nothing was counted here", row("Received", n(3), n(3)),
			snapshot.Collection{SuccessEpochs: []int64{-3}}, false, moveToSuccess},
		{"early success file", adopted("Sent", 4, 3, 0), asked(snapshot.Entry{}, 0), false, rest},
		{"success file of an earlier epoch", adopted("Received", 1, 1, 2), asked(delivered(2), 0), false, rest},
		{"success files of several epochs", adopted("Received", 1, 1, 2), asked(delivered(2), -1, 0, 2), false,
			moveToSuccess},

		{"success", success, asked(delivered(0), 0), false, rest},
		{"success, and the request's lease has ended", success, asked(entry(0, "x", 0), 0), true, leaseRequest},
		{"success written by others without a request", success, ours, false, rest},

		{"FilesSent grew after our request", adopted("Sent", 4, 3, 0), asked(entry(0, "me", hour)), false,
			releaseRequest},
		{"FilesSent grew after another's", adopted("Sent", 4, 3, 0), asked(entry(0, "x", hour)), false, rest},
		{"exported again after our request", adopted("Exporting", 0, 3, 0), asked(entry(0, "me", hour)), false,
			releaseRequest},
		{"our request of an earlier epoch", again, asked(entry(0, "me", hour)), false, rest},
	} {
		pending := test.collection.RequestPending(test.row)
		next := snapshot.NextStep(test.row, test.collection, "me", now)
		if pending != test.pending || next != test.next {
			t.Errorf("%s: request pending %v, want %v; next %s, want %s", test.name, pending, test.pending, next,
				test.next)
		}
	}
}
