package command

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
)

// written are log lines as the functions write them.
type written struct{ bytes.Buffer }

func (w *written) line(message, collection, execution string, more ...any) {
	logging.New(w, slog.LevelInfo, "test", "app", "dev").Info(message, append([]any{logging.CorrelationID, "finished",
		logging.CollectionName, collection, logging.ExecutionID, execution}, more...)...)
}

// finished writes the lines of the fixture's finished run, without its first message.
func (w *written) finished(n *tables) {
	n.Helper()
	for _, collection := range []string{"db.core.one", "db.core.two"} {
		w.receipts(n, collection)
		for i, to := range []snapshot.Status{snapshot.Received, snapshot.Success} {
			execution := fmt.Sprint(collection, "-", i)
			from := []snapshot.Status{snapshot.Sent, snapshot.Received}[i]
			w.line(logging.Moved, collection, execution, logging.From, from, logging.To, to, logging.Epoch, 0)
			w.line(logging.Checked, collection, execution, logging.Status, to, logging.Epoch, 0)
		}
		w.sent(collection, collection+"-0", snapshot.SuccessFileRequest)
	}
	w.sent("", "db.core.two-0", snapshot.AllReceived)
	w.sent("", "db.core.two-1", snapshot.AllSuccessful)
}

func (w *written) sent(collection, execution string, kind snapshot.Kind) {
	out := snapshot.Outgoing{Kind: kind,
		CollectionKey: snapshot.CollectionKey{CorrelationID: "finished", CollectionName: collection}}
	w.line(logging.Delivered, collection, execution, logging.Kind, kind, logging.Version, 0, logging.EventID,
		out.EventID())
}

// receipts writes a line for each message that the ledger counted for a collection.
func (w *written) receipts(n *tables, collection string) {
	type message struct {
		FileName string `json:"file_name"`
		Identity string `json:"identity"`
		Digest   []byte `json:"digest"`
	}
	n.must(n.protocol().Receipts(n.Context(),
		snapshot.CollectionKey{CorrelationID: "finished", CollectionName: collection}, func(r store.Receipt) error {
			w.line(logging.Counted, collection, r.Execution, logging.Epoch, 0, logging.Messages,
				[]message{{r.Filename, r.Identity, []byte(r.Digest)}})
			return nil
		}))
}

// verify --history says what its golden files hold.
func TestVerifyHistory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines func(*tables, *written)
		notes []string
		later time.Duration
	}{
		"holds": {lines: func(*tables, *written) {}},
		"violated": {lines: func(n *tables, w *written) {
			w.receipts(n, "db.core.one") // the same messages, counted again
			w.line(logging.Moved, "db.core.two", "x", logging.From, "Success", logging.To, "Received", logging.Epoch, 0)
		}},
		"not-shown": {lines: func(n *tables, w *written) {
			text := w.String()
			w.Reset()
			first := strings.Index(text, "\n") + 1 // the line of one message is lost
			w.WriteString(text[first:] + `{"message":"moved","correlation_id":"finished","collection_name":"old"}` +
				"\n")
		}, notes: []string{"The log group of x-sweep does not exist."}, later: 31 * 24 * time.Hour},
		"nothing": {lines: func(_ *tables, w *written) { w.Reset() },
			notes: []string{"The functions' log level is WARN."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, output := range []string{"text", "json"} {
				n := newTables(t)
				n.finished("finished")
				w := &written{}
				w.finished(n)
				c.lines(n, w)
				n.later(c.later)
				said := n.verifies(w, c.notes, "verify", "finished", "--history", "--output", output)
				text := fmt.Sprintf("%s%s[exit code %d]\n", said.out, said.err, said.code)
				file := "verify-history-" + name
				if output == "json" {
					file += ".json"
					matchesSchema(t, "verify --history", said.out, said.code)
				}
				golden(t, file, text)
			}
		})
	}
}

// A run that is in no table, or that others count, has no history; an error of the logs is the command's.
func TestVerifyHistoryOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.row("of-others", "db.core.theirs", "Success", 3)
	n.finished("finished")
	for run, want := range map[string]said{
		"unknown":   {exitNotFound, "", "is in neither table"},
		"of-others": {exitNotFound, "", "run \"of-others\" is not in the ledger: nothing was counted for it"},
		"finished":  {exitFailed, "", "snapshot-status: access denied"},
	} {
		denied := func(string, time.Time, func([]byte)) ([]string, error) { return nil, errors.New("access denied") }
		got := answer(app{Context: t.Context(), now: n.clock, source: n.source, lines: denied}, "", "verify",
			"--history", run)
		if got.code != want.code || !strings.Contains(got.err, want.err) {
			t.Errorf("%s: %+v, want %+v", run, got, want)
		}
	}
}

// verifies runs a command line with these lines as the functions' logs.
func (n *tables) verifies(w *written, notes []string, args ...string) said {
	n.Helper()
	lines := func(run string, from time.Time, visit func([]byte)) ([]string, error) {
		if run != "finished" || !from.Equal(began.Add(-clockDifference)) {
			n.Errorf("the lines of %s since %s", run, from)
		}
		for line := range bytes.Lines(w.Bytes()) {
			visit(line)
		}
		return notes, nil
	}
	return answer(app{Context: n.Context(), now: n.clock, source: n.source, lines: lines}, "", args...)
}
