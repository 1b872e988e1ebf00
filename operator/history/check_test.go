package history_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/history"
)

const run = "run-1"

var began = time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC)

// at is a line of execution x about collection a, so many minutes after the beginning.
func at(minutes float64) history.Line { return by("x", "a", minutes) }

func by(execution, collection string, minutes float64) history.Line {
	return history.Line{At: began.Add(time.Duration(minutes * float64(time.Minute))), Execution: execution,
		Collection: collection}
}

func counted(line history.Line, epoch int64, names ...string) history.Counted {
	var messages []history.Message
	for _, name := range names {
		messages = append(messages, history.Message{FileName: name + ".gz", Identity: name, Digest: digest(name)})
	}
	return history.Counted{Line: line, Messages: messages, Epoch: &epoch}
}

func digest(name string) []byte {
	var d history.Digest
	copy(d[:], name)
	return d[:]
}

func received(line history.Line, epoch int64) history.Moved {
	return history.Moved{Line: line, From: "Sent", To: "Received", Epoch: epoch}
}

func success(line history.Line, epoch int64) history.Moved {
	return history.Moved{Line: line, From: "RECEIVED", To: "SUCCESS", Epoch: epoch}
}

func checked(line history.Line, status snapshot.Status, epoch int64) history.Checked {
	return history.Checked{Line: line, Status: status, Epoch: epoch}
}

func sent(line history.Line, kind snapshot.Kind, version int64) history.Sent {
	if kind != snapshot.SuccessFileRequest {
		line.Collection = ""
	}
	out := snapshot.Outgoing{Kind: kind, Version: version,
		CollectionKey: snapshot.CollectionKey{CorrelationID: run, CollectionName: line.Collection}}
	return history.Sent{Line: line, Outgoing: out, EventID: out.EventID()}
}

func request(line history.Line, epoch int64) history.Sent {
	return sent(line, snapshot.SuccessFileRequest, epoch)
}

// whole is the history of a run of one collection with two files.
func whole() []history.Event {
	return []history.Event{
		counted(at(0), 0, "m1"), counted(at(1), 0, "m2"), checked(at(1), "Sent", 0),
		received(at(2), 0), checked(at(2), "Received", 0), request(at(2), 0),
		sent(at(2), snapshot.AllReceived, 0),
		counted(at(3), 0, "success"), success(at(3), 0), checked(at(3), "Success", 0),
		sent(at(3), snapshot.AllSuccessful, 0), sent(at(9), snapshot.RunStalled, 7),
	}
}

func check(knows history.Knowledge, events ...history.Event) history.Report {
	checker := history.New(run, knows)
	for _, event := range events {
		checker.Line(event)
	}
	return checker.Report()
}

// says is what a finding says, in short.
func says(remarks []history.Remark) string {
	var all []string
	for _, found := range remarks {
		text := found.Collection + ": " + found.Sentence
		if found.More > 0 {
			text += " ++"
		}
		all = append(all, text)
	}
	return strings.Join(all, "\n")
}

// isAsWanted reports whether the remarks contain a text, or are none if that is empty.
func isAsWanted(remarks, text string) bool {
	return strings.Contains(remarks, text) && (text != "" || remarks == "")
}

func TestAWholeRun(t *testing.T) {
	t.Parallel()
	got := check(history.Knowledge{Calm: true}, whole()...)
	if len(got.Violations)+len(got.Notes) > 0 {
		t.Errorf("%+v", got)
	}
	want := history.Counts{Lines: 12, Messages: 3, Moves: 2, Requests: 1, Notifications: 2, Alerts: 1}
	if diff := cmp.Diff(want, got.Examined); diff != "" {
		t.Error(diff)
	}
}

// Each violation is seen, in any order of the lines, and what a guarantee allows is none.
func TestCheck(t *testing.T) {
	t.Parallel()
	const late = 4 // minutes: beyond the tolerance
	complete := history.Knowledge{Complete: true}
	overwritten := func(to snapshot.Status) history.Overwritten {
		return history.Overwritten{Collection: "a", To: to}
	}
	wrong := request(at(2), 0)
	wrong.EventID = "another"
	for name, c := range map[string]struct {
		knows     history.Knowledge
		more      []history.Event // besides the whole run
		violation string          // "" if there is none
		note      string
	}{
		"nothing": {},
		"counted twice": {more: []history.Event{counted(at(5), 0, "m3", "m2")},
			violation: `a: message m2 of file "m2.gz" was counted twice, once by execution x`},
		"two counted twice": {more: []history.Event{counted(at(5), 0, "m1", "m2")},
			violation: "was counted twice, once by execution x ++"},
		"the same identity, another content": {more: []history.Event{history.Counted{Line: at(5),
			Messages: []history.Message{
				{FileName: "m2.gz", Identity: "m2", Digest: digest("another")}}}}},
		"moved backwards": {more: []history.Event{history.Moved{Line: at(5), From: "Success", To: "Received"}},
			violation: "a: execution x moved it from Success to Received"},
		"moved past Received": {more: []history.Event{history.Moved{Line: at(5), From: "Sent", To: "Success"}},
			violation: "a: execution x moved it from Sent to Success"},
		"moved again, Sent was perhaps written over Success": {more: []history.Event{received(at(5), 0),
			success(at(5), 0)},
			note: "a: it was moved to Received 2 times in epoch 0: another system wrote an earlier status over it ++"},
		"moved again, Sent was not written again": {knows: complete,
			more:      []history.Event{overwritten(snapshot.Sent), received(at(5), 0)},
			violation: "a: it was moved to Received 2 times, and other systems made that possible 1 times",
			note:      "another system wrote"},
		"moved again, Sent was written over it": {knows: complete,
			more: []history.Event{overwritten(snapshot.Sent), overwritten(snapshot.Sent), received(at(5), 0)},
			note: "another system wrote"},
		"moved to Success again": {knows: complete, more: []history.Event{overwritten(snapshot.Sent),
			success(at(5), 0)},
			violation: "a: it was moved to Success 2 times", note: "another system wrote"},
		"moved to Success again, Received was written over it": {knows: complete,
			more: []history.Event{overwritten(snapshot.Sent), overwritten(snapshot.Received), success(at(5), 0)},
			note: "another system wrote"},
		"another event id": {more: []history.Event{wrong},
			violation: "SUCCESS_FILE_REQUEST of epoch 0 was sent with the event id another instead of",
			note:      "was sent 2 times"},
		"a request again within moments": {more: []history.Event{checked(by("y", "a", 3), "Received", 0),
			request(by("y", "a", 3), 0)},
			note: "a: SUCCESS_FILE_REQUEST of epoch 0 was sent 2 times with the same event id"},
		"a request again later": {more: []history.Event{checked(by("y", "a", 6), "Received", 0),
			request(by("y", "a", 6), 0)},
			violation: "a: SUCCESS_FILE_REQUEST of epoch 0 was sent again 4m0s after it was delivered, by execution y"},
		"a request again though no process died": {knows: history.Knowledge{Calm: true},
			more:      []history.Event{request(at(2), 0)},
			violation: "a: SUCCESS_FILE_REQUEST of epoch 0 was sent twice, although no process died"},
		"a notification again later": {more: []history.Event{sent(at(2+late), snapshot.AllReceived, 0)},
			violation: ": ALL_RECEIVED of version 0 was sent again 4m0s"},
		"an alert again later": {more: []history.Event{sent(at(9+late), snapshot.RunStalled, 7)},
			violation: ": RUN_STALLED of version 7 was sent again 4m0s"},
		"another version": {more: []history.Event{sent(at(9), snapshot.AllReceived, 1), sent(at(9), snapshot.RunStalled,
			8)}},
		"a new export": {more: []history.Event{counted(at(20), 2, "m4"), received(at(21), 2),
			checked(at(21), "Received", 2),
			request(at(21), 2), sent(at(21), snapshot.AllReceived, 1)}},
		"a request before the move": {more: []history.Event{checked(by("y", "a", 5), "Sent", 2),
			request(by("y", "a", 5), 2)},
			violation: "a: SUCCESS_FILE_REQUEST of epoch 2 was sent by execution y, which did not find it Received"},
		"a request of another epoch": {more: []history.Event{checked(by("y", "a", 5), "Received", 2),
			request(by("y", "a", 5), 4)}, violation: "a: SUCCESS_FILE_REQUEST of epoch 4 was sent by execution y"},
		"a request whose reconciliation has no line": {more: []history.Event{request(by("y", "a", 5), 2)},
			note: "a: SUCCESS_FILE_REQUEST of epoch 2 was sent, and no line shows the reconciliation of execution y"},
		"a request without a reconciliation": {knows: complete, more: []history.Event{overwritten(snapshot.Sent),
			request(by("y", "a", 5), 2)},
			violation: "a: SUCCESS_FILE_REQUEST of epoch 2 was sent by execution y"},
		"a move without a request": {more: []history.Event{received(at(5), 2)},
			note: "a: it was moved to Received in epoch 2, and no line shows its request"},
		"received after the notification": {more: []history.Event{counted(by("x", "b", -2), 0, "b1"),
			received(by("y", "b", 2+late), 0), checked(by("y", "b", 2+late), "Received", 0),
			request(by("y", "b", 2+late), 0)},
			violation: "b: ALL_RECEIVED of version 0 was sent 4m0s before the first line that shows it moved to " +
				"Received",
			note: ": ALL_SUCCESSFUL was sent, and no line shows that b reached Success"},
		"received at about the time of the notification": {more: []history.Event{counted(by("x", "b", -2), 0, "b1"),
			received(by("y", "b", 4), 0), checked(by("y", "b", 4), "Received", 0), request(by("y", "b", 4), 0)},
			note: "no line shows that b reached Success"},
		"begun after the notification": {more: []history.Event{counted(by("x", "b", 9), 0, "b1"),
			received(by("y", "b", 20), 0), checked(by("y", "b", 20), "Received", 0), request(by("y", "b", 20), 0)},
			note: "no line shows that b reached Success"},
		"received by another system, and moved after the notification": {more: []history.Event{
			counted(by("x", "b", -2), 0, "b1"), checked(by("y", "b", 2+late), "Received", 0),
			received(by("y", "b", 20), 0), request(by("y", "b", 20), 0)},
			note: "no line shows that b reached Success"},
		"moved after the notification, and requested before it": {more: []history.Event{
			counted(by("x", "b", -2), 0, "b1"), checked(by("z", "b", 1), "Received", 0), request(by("z", "b", 1), 0),
			received(by("y", "b", 20), 0)}, note: "no line shows that b reached Success"},
		"moved twice after the notification": {more: []history.Event{counted(by("x", "b", -2), 0, "b1"),
			received(by("y", "b", 20), 0), received(by("y", "b", 21), 0), checked(by("y", "b", 21), "Received", 0),
			request(by("y", "b", 21), 0)}, note: "b: it was moved to Received 2 times in epoch 0"},
		"exempt": {knows: history.Knowledge{Exempt: []snapshot.Status{"Blocked"}, Collections: []string{"b"}},
			more: []history.Event{checked(by("x", "b", -9), "Blocked", 0)}},
		"a collection without lines": {knows: history.Knowledge{Collections: []string{"b", "c"}},
			note: ": ALL_RECEIVED was sent, and no line shows that b reached Received: another system moved it"},
		"a row that is gone": {more: []history.Event{checked(at(5), "", 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := append(whole(), c.more...)
			if c.knows.Complete { // these come before the moves that they allow
				events = append(c.more[:len(c.more):len(c.more)], whole()...)
			}
			for range 2 {
				got := check(c.knows, events...)
				for _, pair := range [][2]string{{c.violation, says(got.Violations)}, {c.note, says(got.Notes)}} {
					if !isAsWanted(pair[1], pair[0]) {
						t.Errorf("%q, want %q", pair[1], pair[0])
					}
				}
				if c.knows.Complete || c.knows.Calm {
					return // their order matters
				}
				for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
					events[i], events[j] = events[j], events[i]
				}
			}
		})
	}
}

// The lines are held against the receipts of the collections whose receipts were read.
func TestReceipts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		receipts        []string // nil if they were not read; "again" repeats a file
		violation, note string
	}{
		"not read": {},
		"the same": {receipts: []string{"m1", "m2", "success"}},
		"one more": {receipts: []string{"m1", "m2", "m3", "success"},
			note: "a: counted messages without a line: 1"},
		"a repeated file": {receipts: []string{"m1", "m2", "again", "success"}},
		"one is missing": {receipts: []string{"m1", "success"},
			violation: "a: messages counted by the lines, but not in the ledger: 1"},
		"none": {receipts: []string{},
			violation: "a: messages counted by the lines, but not in the ledger: 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checker := history.New(run, history.Knowledge{})
			for _, event := range whole() {
				checker.Line(event)
			}
			if c.receipts != nil {
				visit := checker.Receipts("a")
				for _, name := range c.receipts {
					if err := visit(store.Receipt{Identity: name, Digest: string(digest(name)),
						Repeated: name == "again"}); err != nil {
						t.Fatal(err)
					}
				}
			}
			got := checker.Report()
			violations, notes := says(got.Violations), says(got.Notes)
			if !isAsWanted(violations, c.violation) || !isAsWanted(notes, c.note) {
				t.Errorf("%q and %q, want %q and %q", violations, notes, c.violation, c.note)
			}
		})
	}
}
