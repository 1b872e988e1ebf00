package snapshot_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

var (
	none = snapshot.Counter{} // an attribute that the row lacks
	n    = snapshot.Count
	now  = time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)
)

func row(status snapshot.Status, sent, received, counted snapshot.Counter) snapshot.Row {
	return snapshot.Row{Status: status, FilesSent: sent, FilesReceived: received, FilesCounted: counted}
}

func TestRowCompleteAndMayMove(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		row               snapshot.Row
		complete, mayMove bool
	}{
		{"files are missing", row("Sent", n(3), n(2), n(2)), false, false},
		{"all are there", row("Sent", n(3), n(3), n(3)), true, true},
		{"more than all", row("Sent", n(3), n(4), n(4)), true, true},
		{"in capitals", row("SENT", n(3), n(3), n(3)), true, true},
		{"not sent yet: FilesSent is not final", row("Exported", n(3), n(3), n(3)), true, false},
		{"no files", row("Sent", n(0), n(0), n(0)), false, false},
		{"no files, one received", row("Sent", n(0), n(1), n(1)), false, false},
		{"no counters", row("Sent", none, none, none), false, false},
		{"no FilesSent", row("Sent", none, n(1), n(1)), false, false},
		{"failed", row("Export_Failed", n(0), n(0), n(3)), false, false},
		{"blocked", row("Blocked_Topic", n(3), n(3), n(3)), true, false},
		{"no status", row("", n(3), n(3), n(3)), true, false},
		{"received: a request or success may be due", row("Received", n(3), n(3), n(3)), true, true},
		{"received without files", row("Received", n(0), n(0), none), false, true},
		{"success: news may be due", row("SUCCESS", n(3), n(3), n(3)), true, true},
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

// While the sender still sends, more may have arrived than it has written down.
func TestRowOver(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		row  snapshot.Row
		over int64
	}{
		"files are missing":  {row("Sent", n(3), n(2), n(2)), 0},
		"as many as sent":    {row("Sent", n(3), n(3), n(3)), 0},
		"more":               {row("SENT", n(3), n(5), n(5)), 2},
		"more, and received": {row("Received", n(3), n(4), n(4)), 1},
		"more, and success":  {row("Success", n(3), n(4), n(4)), 1},
		"still being sent":   {row("Exported", n(3), n(5), n(5)), 0},
		"no files":           {row("Sent", n(0), n(1), n(1)), 0},
		"no FilesSent":       {row("Sent", none, n(1), n(1)), 0},
	} {
		if got := test.row.Over(); got != test.over {
			t.Errorf("%s: %d, want %d", name, got, test.over)
		}
	}
}

func TestCollectionAgainstItsRow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name             string
		collection       snapshot.Collection
		received         snapshot.Counter
		counted          snapshot.Counter
		missing, attempt int64
	}{
		{"nothing yet", snapshot.Collection{}, none, none, 0, 0},
		{"first files, the row lacks its counters", snapshot.Collection{Counted: 3}, none, none, 3, 0},
		{"first files, FilesReceived is there", snapshot.Collection{Counted: 3}, n(0), none, 3, 0},
		{"first files, others received before us", snapshot.Collection{Counted: 3}, n(5), none, 3, -5},
		{"up to date", snapshot.Collection{Counted: 3, Projected: true}, n(3), n(3), 0, 0},
		{"behind", snapshot.Collection{Counted: 5, Projected: true}, n(3), n(3), 2, 0},
		{"brought up to date, and the ledger died before it noted that", snapshot.Collection{Counted: 3}, n(3), n(3), 0, 0},
		{"counters set back: another attempt", snapshot.Collection{Counted: 4, Projected: true}, n(0), n(4), 0, 4},
		{"counters set back, and one more since", snapshot.Collection{Counted: 5, Projected: true}, n(1), n(5), 0, 4},
		{"counters set back while behind: the late ones are for the new attempt", snapshot.Collection{Counted: 6, Projected: true}, n(0), n(4), 2, 4},
		{"row replaced whole: what was counted belongs to older attempts", snapshot.Collection{Counted: 7, Projected: true}, none, none, 0, 7},
		{"row replaced whole, and counted since: the same attempt", snapshot.Collection{Counted: 9, Base: 7}, none, none, 2, 7},
		{"row replaced whole, counted and brought up to date", snapshot.Collection{Counted: 9, Base: 7, Projected: true}, n(2), n(9), 0, 7},
		{"the row was counted under an older ledger", snapshot.Collection{}, n(9), n(9), 0, 0},
		{"a ledger behind its row takes nothing away", snapshot.Collection{Counted: 2}, n(9), n(9), 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := row("Sent", n(10), test.received, test.counted)
			if got := test.collection.Missing(r); got != test.missing {
				t.Errorf("missing: %d, want %d", got, test.missing)
			}
			if got := test.collection.Attempt(r); got != test.attempt {
				t.Errorf("attempt: %d, want %d", got, test.attempt)
			}
			// The attempt is the same before and after the row is brought up to date.
			r.FilesReceived = n(test.received.N + test.missing)
			r.FilesCounted = n(test.collection.Before(r) + test.missing)
			if got := r.Attempt(); got != test.attempt {
				t.Errorf("attempt of the row once it is up to date: %d, want %d", got, test.attempt)
			}
		})
	}
}

func claimed(attempt int64, by string, leaseEnds time.Duration) snapshot.Claim {
	return snapshot.Claim{Attempt: n(attempt), By: by, Until: now.Add(leaseEnds)}
}

func deliveredFor(attempt int64) snapshot.Claim {
	return snapshot.Claim{Attempt: n(attempt), By: "other", Until: now.Add(time.Hour), Delivered: true}
}

func TestRequestOwedAndNextStep(t *testing.T) {
	t.Parallel()
	ours := func(c snapshot.Collection) snapshot.Collection {
		c.Counted, c.Projected = 3, true
		return c
	}
	received := row("Received", n(3), n(3), n(3)) // attempt 0
	again := row("Received", n(2), n(0), n(3))    // attempt 3
	for _, test := range []struct {
		name       string
		row        snapshot.Row
		collection snapshot.Collection
		owed       bool
		next       snapshot.Step
	}{
		{"files are missing", row("Sent", n(4), n(3), n(3)), ours(snapshot.Collection{}), false, snapshot.Rest},
		{"all files are there", row("Sent", n(3), n(3), n(3)), ours(snapshot.Collection{}), false, snapshot.MoveToReceived},
		{"all files are there, in capitals", row("SENT", n(3), n(3), n(3)), ours(snapshot.Collection{}), false, snapshot.MoveToReceived},
		{"all files are there, but Sent is not", row("Exported", n(3), n(3), n(3)), ours(snapshot.Collection{}), false, snapshot.Rest},
		{"the row lacks files: that goes before any move", row("Sent", n(2), n(2), n(2)), ours(snapshot.Collection{}), false, snapshot.BringUpToDate},
		{"the row lacks files, and is received already", row("Received", n(2), n(2), n(2)), ours(snapshot.Collection{}), true, snapshot.BringUpToDate},
		{"others counted all files: taken over first", row("Sent", n(3), n(3), none), snapshot.Collection{}, false, snapshot.TakeOver},
		{"others counted all files, and its success file came", row("Sent", n(3), n(3), none), snapshot.Collection{Success: n(-3)}, false, snapshot.TakeOver},
		{"taken over", row("Sent", n(3), n(3), none), snapshot.Collection{TakenOver: true}, false, snapshot.MoveToReceived},
		{"taken over and received", row("Received", n(3), n(3), none), snapshot.Collection{TakenOver: true}, true, snapshot.ClaimRequest},
		{"taken over and asked for", row("Received", n(3), n(3), none), snapshot.Collection{TakenOver: true, Request: deliveredFor(-3)}, false, snapshot.Rest},
		{"received by others, who asked", row("Received", n(3), n(3), none), snapshot.Collection{}, false, snapshot.Rest},
		{"received by others, and its success file came", row("Received", n(3), n(3), none), snapshot.Collection{Success: n(-3)}, false, snapshot.MoveToSuccess},
		{"no files: the sender moves it", row("Sent", n(0), n(0), none), snapshot.Collection{}, false, snapshot.Rest},

		{"received, nobody asked", received, ours(snapshot.Collection{}), true, snapshot.ClaimRequest},
		{"received, another is asking", received, ours(snapshot.Collection{Request: claimed(0, "other", time.Second)}), true, snapshot.Rest},
		{"received, another died asking", received, ours(snapshot.Collection{Request: claimed(0, "other", 0)}), true, snapshot.ClaimRequest},
		{"received, we are asking", received, ours(snapshot.Collection{Request: claimed(0, "me", time.Second)}), true, snapshot.Rest},
		{"received, we are asking and took long", received, ours(snapshot.Collection{Request: claimed(0, "me", -time.Hour)}), true, snapshot.Rest},
		{"received, asked", received, ours(snapshot.Collection{Request: deliveredFor(0)}), false, snapshot.Rest},
		{"received again for another attempt", again, ours(snapshot.Collection{Request: deliveredFor(0)}), true, snapshot.ClaimRequest},
		{"received, and no message was counted: not ours to ask for", row("Received", n(0), n(0), none), snapshot.Collection{}, false, snapshot.Rest},
		{"Sent written over Received: moved again", row("Sent", n(3), n(3), n(3)), ours(snapshot.Collection{Request: deliveredFor(0)}), false, snapshot.MoveToReceived},

		{"success file came, asked", received, ours(snapshot.Collection{Success: n(0), Request: deliveredFor(0)}), false, snapshot.MoveToSuccess},
		{"success file came before anybody asked: asked first", received, ours(snapshot.Collection{Success: n(0)}), true, snapshot.ClaimRequest},
		{"success file came while another asks", received, ours(snapshot.Collection{Success: n(0), Request: claimed(0, "other", time.Second)}), true, snapshot.MoveToSuccess},
		{"success file came while we ask", received, ours(snapshot.Collection{Success: n(0), Request: claimed(0, "me", time.Second)}), true, snapshot.MoveToSuccess},
		{"success file came too early", row("Sent", n(4), n(3), n(3)), ours(snapshot.Collection{Success: n(0)}), false, snapshot.Rest},
		{"success file of an older attempt", again, ours(snapshot.Collection{Success: n(0), Request: deliveredFor(3)}), false, snapshot.Rest},
		{"success file of this later attempt", again, ours(snapshot.Collection{Success: n(3), Request: deliveredFor(3)}), false, snapshot.MoveToSuccess},

		{"success", row("Success", n(3), n(3), n(3)), ours(snapshot.Collection{Success: n(0), Request: deliveredFor(0)}), false, snapshot.Rest},
		{"success, the asking died", row("Success", n(3), n(3), n(3)), ours(snapshot.Collection{Success: n(0), Request: claimed(0, "other", 0)}), true, snapshot.ClaimRequest},
		{"success written by others, nobody asked", row("Success", n(3), n(3), n(3)), ours(snapshot.Collection{}), false, snapshot.Rest},
		{"failed and set back", row("Export_Failed", n(0), n(0), n(3)), ours(snapshot.Collection{Success: n(3)}), false, snapshot.Rest},
		{"blocked", row("Blocked_Topic", n(3), n(3), n(3)), ours(snapshot.Collection{Success: n(0)}), false, snapshot.Rest},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.collection.RequestOwed(test.row); got != test.owed {
				t.Errorf("request owed: %v", got)
			}
			if got := snapshot.NextStep(test.row, test.collection, "me", now); got != test.next {
				t.Errorf("next step: %s, want %s", got, test.next)
			}
		})
	}
}
