package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/operator/report"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// began is when the runs of the fixture began.
var began = time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC)

// night is a deployment's tables, written by the protocol itself at times of the test's choice.
type night struct {
	*testing.T
	db     *counted
	tables store.Tables
	now    time.Time
	sent   int // messages so far
	exempt []snapshot.Status
}

// counted counts the reads.
type counted struct {
	memory.DB
	reads map[string]int
}

func (c *counted) Query(ctx context.Context, query table.Query) (table.Page, error) {
	c.reads["Query"]++
	return c.DB.Query(ctx, query)
}

func (c *counted) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	c.reads["GetMany"]++
	return c.DB.GetMany(ctx, reads)
}

func newNight(t *testing.T) *night {
	return &night{T: t, db: &counted{reads: map[string]int{}}, tables: store.NewTables("status", "ledger"), now: began}
}

func (n *night) clock() time.Time { return n.now }

func (n *night) later(d time.Duration) { n.now = n.now.Add(d) }

func undelayed(context.Context, int) error { return nil }

func (n *night) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

// row writes a row as its other writers do.
func (n *night) row(run, collection, status string, sent int64) {
	n.Helper()
	n.set(run, collection, map[string]any{"CollectionStatus": status, "FilesSent": sent})
}

func (n *night) set(run, collection string, attributes map[string]any) {
	n.Helper()
	_, err := n.db.Update(n.Context(), table.Write{Ref: n.tables.Status.At(run, collection), Set: attributes})
	n.must(err)
}

// arrive counts messages of these files ("": one that names none), and looks at their collection. The functions' own parser reads them.
func (n *night) arrive(run, collection string, files ...string) {
	n.Helper()
	key := snapshot.CollectionKey{CorrelationID: run, CollectionName: collection}
	counter := store.Counter{DB: n.db, Tables: n.tables, Now: n.clock, Pause: undelayed}
	said := snapshot.Export{SnapshotType: "full", ExportDate: "2026-11-22"}
	n.must(counter.RegisterRun(n.Context(), run, said))
	var receipts []snapshot.Receipt
	for _, file := range files {
		n.sent++
		fields := map[string]string{"correlation_id": run, "collection_name": collection, "snapshot_type": said.SnapshotType,
			"export_date": said.ExportDate, "is_success_file": fmt.Sprint(strings.HasSuffix(file, "_success")), "filename": file}
		if file == "" {
			delete(fields, "filename")
		}
		text, err := json.Marshal(fields)
		n.must(err)
		receipts = append(receipts, snapshot.Unwrap(text, fmt.Sprintf("message-%03d", n.sent))...)
	}
	states, err := counter.Read(n.Context(), []snapshot.CollectionKey{key})
	n.must(err)
	_, err = counter.Count(n.Context(), "arn:aws:states:eu-west-1:111122223333:execution:checker:"+collection, states[key], receipts)
	n.must(err)
	n.look(key, "looker")
}

// look moves a collection and pays what is owed, except what the claimer died for.
func (n *night) look(key snapshot.CollectionKey, claimer string) {
	n.Helper()
	claimer += "/" + key.CollectionName
	looker := store.Looker{DB: n.db, Tables: n.tables, Now: n.clock, Pause: undelayed}
	state, err := looker.Look(n.Context(), key, claimer)
	n.must(err)
	debts := store.Debts{DB: n.db, Tables: n.tables, Pause: undelayed}
	attempt := state.Collection.Attempt(*state.Row)
	if state.Collection.Request.HeldBy(claimer, attempt) && !strings.HasPrefix(claimer, "dying") {
		n.must(debts.Delivered(n.Context(), snapshot.Debt{Kind: snapshot.SuccessFileRequest, CollectionKey: key, Attempt: attempt}))
	}
	runs := store.Runs{DB: n.db, Tables: n.tables, Exempt: n.exempt, Now: n.clock, Pause: undelayed}
	verdict, err := runs.Check(n.Context(), key.CorrelationID, claimer, state.Row.Status)
	n.must(err)
	for _, news := range verdict.Claimed {
		n.must(debts.Delivered(n.Context(), news))
	}
}

func files(collection string, from, to int) []string {
	var names []string
	for i := from; i <= to; i++ {
		names = append(names, fmt.Sprintf("2026-11-22/%s-%03d.txt.gz.enc", collection, i))
	}
	return names
}

// troubled is a run in which collections wait for all that there is to wait for.
func (n *night) troubled(run string) {
	n.Helper()
	n.row(run, "db.accounts.done", "Sent", 3)
	n.row(run, "db.accounts.late", "Sent", 5)
	n.row(run, "db.agents.unsent", "Exported", 2)
	n.row(run, "db.agents.exporting", "Exporting", 0)
	n.row(run, "db.blocked.topic", "Blocked_Topic", 0)
	n.row(run, "db.core.asked", "SENT", 1)
	n.row(run, "db.core.claimed", "Exported", 1)
	n.row(run, "db.core.unlooked", "Exported", 1)
	n.arrive(run, "db.accounts.done", files("done", 1, 3)...)
	n.later(time.Minute)
	n.arrive(run, "db.accounts.done", "_db.accounts.done_success")
	n.arrive(run, "db.accounts.late", files("late", 1, 2)...)
	n.later(time.Second)
	n.arrive(run, "db.accounts.late", files("late", 2, 2)...)
	n.arrive(run, "db.agents.unsent", "", "")
	n.arrive(run, "db.core.asked", files("asked", 1, 1)...)
	n.arrive(run, "db.core.claimed", files("claimed", 1, 1)...)
	n.row(run, "db.core.claimed", "Sent", 1)
	n.later(2 * time.Minute)
	n.look(snapshot.CollectionKey{CorrelationID: run, CollectionName: "db.core.claimed"}, "dying-execution")
	n.arrive(run, "db.core.unlooked", files("unlooked", 1, 1)...)
	n.row(run, "db.core.unlooked", "Sent", 1)
	n.set(run, "db.core.malformed", map[string]any{"CollectionStatus": "Sent", "FilesSent": "three"})
	n.later(4 * time.Minute)
}

// finished is a run of which all is successful.
func (n *night) finished(run string) {
	n.Helper()
	for _, collection := range []string{"db.core.one", "db.core.two"} {
		n.row(run, collection, "Sent", 2)
	}
	for _, collection := range []string{"db.core.one", "db.core.two"} {
		n.arrive(run, collection, files(collection, 1, 2)...)
	}
	for _, collection := range []string{"db.core.one", "db.core.two"} {
		n.arrive(run, collection, "_"+collection+"_success")
	}
}

// letGo is a run that was let go with a request and a move that are still due.
func (n *night) letGo(run string) {
	n.Helper()
	n.row(run, "db.core.dead", "Exported", 1)
	n.row(run, "db.core.unlooked", "Exported", 1)
	n.arrive(run, "db.core.dead", files("dead", 1, 1)...)
	n.arrive(run, "db.core.unlooked", files("unlooked", 1, 1)...)
	n.row(run, "db.core.dead", "Sent", 1)
	n.look(snapshot.CollectionKey{CorrelationID: run, CollectionName: "db.core.dead"}, "dying-execution")
	n.later(snapshot.LetGoAfter)
	n.row(run, "db.core.unlooked", "Sent", 1)
	_, err := n.db.Update(n.Context(), table.Write{Ref: n.tables.Ledger.At("run", run), Set: map[string]any{"LetGo": true}})
	n.must(err)
}

// said is what a command said.
type said struct {
	code     int
	out, err string
}

// says runs a command line with the fixture's tables and time.
func (n *night) says(in string, args ...string) said {
	n.Helper()
	var out, errOut bytes.Buffer
	code := runWith(args, &app{Context: n.Context(), in: strings.NewReader(in), out: &out, err: &errOut, now: n.clock,
		source: func() (*store.Reader, report.Settings) {
			return &store.Reader{DB: n.db, Tables: n.tables, Pause: undelayed}, report.Settings{Exempt: n.exempt, StalledAfter: time.Hour}
		}})
	return said{code, out.String(), errOut.String()}
}
