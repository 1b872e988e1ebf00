package history_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/operator/history"
	"snapshot-status-checker/operator/operatortest"
)

var update = flag.Bool("update", false, "write the golden file anew")

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

func check(knows history.Knowledge, events []history.Event, receipts ...string) history.Report {
	checker := history.New(run, knows)
	for _, event := range events {
		checker.Line(event)
	}
	if len(receipts) > 0 {
		visit := checker.Receipts("a")
		for _, name := range receipts {
			_ = visit(store.Receipt{Identity: name, Digest: string(digest(name)), Repeated: name == "again"})
		}
	}
	return checker.Report()
}

// Each violation is seen, in any order of the lines, and what a guarantee allows is none. The golden file has what is
// said about the whole run and these events.
func TestCheck(t *testing.T) {
	t.Parallel()
	complete := history.Knowledge{Complete: true}
	overwritten := func(to snapshot.Status) history.Overwritten {
		return history.Overwritten{Collection: "a", To: to}
	}
	to := func(from, to snapshot.Status) history.Moved { return history.Moved{Line: at(5), From: from, To: to} }
	early := func(minutes float64) history.Counted { return counted(by("x", "b", minutes), 0, "b1") }
	other := func(minutes float64) history.Line { return by("y", "b", minutes) }
	moved := func(minutes float64) []history.Event {
		return []history.Event{received(other(minutes), 0), checked(other(minutes), "Received", 0),
			request(other(minutes), 0)}
	}
	wrong := request(at(2), 0)
	wrong.EventID = "another"
	var got strings.Builder
	for _, c := range []struct {
		name  string
		knows history.Knowledge
		more  []history.Event // besides the whole run
	}{
		{name: "nothing"},
		{"nothing, no process died", history.Knowledge{Calm: true}, nil},
		{"counted twice", history.Knowledge{}, []history.Event{counted(at(5), 0, "m3", "m2")}},
		{"two counted twice", history.Knowledge{}, []history.Event{counted(at(5), 0, "m1", "m2")}},
		{"the same identity, another content", history.Knowledge{}, []history.Event{history.Counted{Line: at(5),
			Messages: []history.Message{{FileName: "m2.gz", Identity: "m2", Digest: digest("another")}}}}},
		{"moved backwards", history.Knowledge{}, []history.Event{to("Success", "Received")}},
		{"moved past Received", history.Knowledge{}, []history.Event{to("Sent", "Success")}},
		{"moved again, Sent was perhaps written over Success", history.Knowledge{},
			[]history.Event{received(at(5), 0), success(at(5), 0)}},
		{"moved again, Sent was not written again", complete, []history.Event{overwritten("Sent"), received(at(5), 0)}},
		{"moved again, Sent was written over it", complete,
			[]history.Event{overwritten("Sent"), overwritten("Sent"), received(at(5), 0)}},
		{"moved to Success again", complete, []history.Event{overwritten("Sent"), success(at(5), 0)}},
		{"moved to Success again, Received was written over it", complete,
			[]history.Event{overwritten("Sent"), overwritten("Received"), success(at(5), 0)}},
		{"another event id", history.Knowledge{}, []history.Event{wrong}},
		{"a request again within moments", history.Knowledge{},
			[]history.Event{checked(by("y", "a", 3), "Received", 0), request(by("y", "a", 3), 0)}},
		{"a request again later", history.Knowledge{},
			[]history.Event{checked(by("y", "a", 6), "Received", 0), request(by("y", "a", 6), 0)}},
		{"a request again though no process died", history.Knowledge{Calm: true}, []history.Event{request(at(2), 0)}},
		{"a notification again later", history.Knowledge{}, []history.Event{sent(at(6), snapshot.AllReceived, 0)}},
		{"an alert again later", history.Knowledge{}, []history.Event{sent(at(13), snapshot.RunStalled, 7)}},
		{"another version", history.Knowledge{},
			[]history.Event{sent(at(9), snapshot.AllReceived, 1), sent(at(9), snapshot.RunStalled, 8)}},
		{"a new export", history.Knowledge{}, []history.Event{counted(at(20), 2, "m4"), received(at(21), 2),
			checked(at(21), "Received", 2), request(at(21), 2), sent(at(21), snapshot.AllReceived, 1)}},
		{"a request before the move", history.Knowledge{},
			[]history.Event{checked(by("y", "a", 5), "Sent", 2), request(by("y", "a", 5), 2)}},
		{"a request of another epoch", history.Knowledge{},
			[]history.Event{checked(by("y", "a", 5), "Received", 2), request(by("y", "a", 5), 4)}},
		{"a request whose reconciliation has no line", history.Knowledge{},
			[]history.Event{request(by("y", "a", 5), 2)}},
		{"a request without a reconciliation", complete,
			[]history.Event{overwritten("Sent"), request(by("y", "a", 5), 2)}},
		{"a move without a request", history.Knowledge{}, []history.Event{received(at(5), 2)}},
		{"received after the notification", history.Knowledge{}, append(moved(6), early(-2))},
		{"received at about the time of the notification", history.Knowledge{}, append(moved(4), early(-2))},
		{"begun after the notification", history.Knowledge{}, append(moved(20), early(9))},
		{"received by another system, and moved after the notification", history.Knowledge{},
			append(moved(20), early(-2), checked(other(6), "Received", 0))},
		{"moved after the notification, and requested before it", history.Knowledge{}, []history.Event{early(-2),
			checked(by("z", "b", 1), "Received", 0), request(by("z", "b", 1), 0), received(other(20), 0)}},
		{"moved twice after the notification", history.Knowledge{},
			append(moved(21), early(-2), received(other(20), 0))},
		{"exempt", history.Knowledge{Exempt: []snapshot.Status{"Blocked"}, Collections: []string{"b"}},
			[]history.Event{checked(by("x", "b", -9), "Blocked", 0)}},
		{"a collection without lines", history.Knowledge{Collections: []string{"b", "c"}}, nil},
		{"a row that is gone", history.Knowledge{}, []history.Event{checked(at(5), "", 0)}},
	} {
		events := append(whole(), c.more...)
		if c.knows.Complete { // these come before the moves that they allow
			events = append(c.more[:len(c.more):len(c.more)], whole()...)
		}
		report := check(c.knows, events)
		writeRemarks(&got, c.name, report)
		slices.Reverse(events)
		if reversed := check(c.knows, events); !c.knows.Complete && !c.knows.Calm { // for these the order matters
			if diff := cmp.Diff(report, reversed); diff != "" {
				t.Errorf("%s, in another order (-list +reversed):\n%s", c.name, diff)
			}
		}
	}
	for _, receipts := range [][]string{ // which are held against the lines
		{"m1", "m2", "success"},
		{"m1", "m2", "m3", "success"},
		{"m1", "m2", "again", "success"},
		{"m1", "success"},
	} {
		writeRemarks(&got, fmt.Sprint("receipts ", receipts), check(history.Knowledge{}, whole(), receipts...))
	}
	operatortest.Golden(t, *update, "check", got.String())
}

func writeRemarks(to *strings.Builder, name string, report history.Report) {
	fmt.Fprintf(to, "%s: %+v\n", name, report.Examined)
	for _, remark := range report.Violations {
		fmt.Fprintf(to, "  VIOLATION %s\n", remark)
	}
	for _, remark := range report.Notes {
		fmt.Fprintf(to, "  %s\n", remark)
	}
}

// The simulation parses the lines of the real tasks. This test has what its lines cannot have.
func TestParse(t *testing.T) {
	t.Parallel()
	const head = `{"timestamp":"2026-11-23T01:30:00.000000001Z","level":"INFO","message":`
	about := func(message, more string) string {
		return head + `"` + message + `","correlation_id":"run-1","collection_name":"a","execution_id":"x"` + more + `}`
	}
	for name, c := range map[string]struct {
		line string
		want history.Event
		err  string
	}{
		"no JSON":         {line: "REPORT RequestId: 1"},
		"another message": {line: about("checked run", "")},
		"another run":     {line: strings.ReplaceAll(about("counted", ""), "run-1", "run-2")},
		"a message in a value": {line: head + `"x","correlation_id":"run-1",` +
			`"collection_name":"\"message\":\"counted\""}`},
		"cut off": {line: strings.TrimSuffix(about("moved", ""), "}"),
			err: "reading a log line: unexpected end"},
		"no digest": {line: about("counted", `,"messages":[{"identity":"1"}]`),
			err: `"counted": a message has no digest`},
		"no epoch":          {line: about("moved", ""), err: `"moved": it has no epoch`},
		"no epoch of a row": {line: about("checked collection", ""), err: `"checked collection": it has no epoch`},
		"no version":        {line: about("delivered", ""), err: `"delivered": it has no version`},
		"a row that is gone": {line: about("checked collection", `,"status":"","epoch":0`),
			want: history.Checked{Line: history.Line{At: began.Add(1), Execution: "x", Collection: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := history.Parse(run, []byte(c.line))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

// A name with any character is read as it was written.
func TestParseHostileNames(t *testing.T) {
	t.Parallel()
	const hostile = "\"message\":\"moved\"\\\n\u2028<&>\x00é"
	var out bytes.Buffer
	logging.New(&out, slog.LevelInfo, "notify", "app", "dev").InfoContext(context.Background(), logging.Moved,
		logging.CorrelationID, hostile, logging.CollectionName, hostile, logging.From, "Sent", logging.To, "Received",
		logging.Epoch, -3)
	got, err := history.Parse(hostile, out.Bytes())
	moved, ok := got.(history.Moved)
	if err != nil || !ok || moved.Collection != hostile || moved.Epoch != -3 || moved.To != "Received" {
		t.Errorf("%+v, %v", got, err)
	}
}
