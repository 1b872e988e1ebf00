package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
	"snapshot-status-checker/operator/report"
)

// began is when the runs of the fixture began.
var began = time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC)

// tables is a deployment's tables, written by the protocol itself at times of the test's choice.
type tables struct {
	*testing.T
	db     memory.DB
	tables store.Tables
	calls  map[string]int // of the tables, by operation
	now    time.Time
	sent   int // messages so far
	exempt []snapshot.Status
	late   snapshot.LateAfter
	by     snapshot.CountBy
	mu     sync.Mutex // of calls
}

func newTables(t *testing.T) *tables {
	return &tables{T: t, tables: store.NewTables("status", "ledger"), calls: map[string]int{}, now: began}
}

// protocol is the one over the fixture's tables. It counts its calls.
func (n *tables) protocol() *store.Store {
	db := &tabletest.Hooked{DB: &n.db,
		Before: func(call tabletest.Call) error {
			n.mu.Lock() // runs are read concurrently
			defer n.mu.Unlock()
			n.calls[call.Operation]++
			return nil
		}}
	return store.New(db, n.tables, store.Settings{Exempt: n.exempt, Now: n.clock, CountBy: n.by})
}

// source is where the commands read.
func (n *tables) source() (*store.Store, report.Settings) {
	return n.protocol(), report.Settings{Exempt: n.exempt, StalledAfter: time.Hour, LateAfter: n.late}
}

func (n *tables) clock() time.Time { return n.now }

func (n *tables) later(d time.Duration) { n.now = n.now.Add(d) }

func (n *tables) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

// row writes a row as its other writers do.
func (n *tables) row(run, collection, status string, sent int64) {
	n.Helper()
	n.set(run, collection, map[string]any{"CollectionStatus": status, "FilesSent": sent})
}

func (n *tables) set(run, collection string, attributes map[string]any) {
	n.Helper()
	_, err := n.db.Update(n.Context(), table.Write{Ref: n.tables.Status.At(run, collection), Set: attributes})
	n.must(err)
}

// stored writes attributes of a run's item in the ledger.
func (n *tables) stored(run string, attributes map[string]any) {
	n.Helper()
	_, err := n.db.Update(n.Context(), table.Write{Ref: n.tables.Ledger.At("run", run), Set: attributes})
	n.must(err)
}

// arrive counts messages of these files ("": one that names none), and reconciles their collection. The functions' own
// parser reads them.
func (n *tables) arrive(run, collection string, files ...string) {
	n.Helper()
	key := snapshot.CollectionKey{CorrelationID: run, CollectionName: collection}
	protocol, said := n.protocol(), snapshot.Export{SnapshotType: "full", ExportDate: "2026-11-22"}
	var receipts []snapshot.Receipt
	for _, file := range files {
		n.sent++
		fields := map[string]string{"correlation_id": run, "collection_name": collection,
			"snapshot_type": said.SnapshotType,
			"export_date":   said.ExportDate, "is_success_file": fmt.Sprint(strings.HasSuffix(file, "_success")),
			"filename": file}
		if file == "" {
			delete(fields, "filename")
		}
		text, err := json.Marshal(fields)
		n.must(err)
		receipts = append(receipts, snapshot.Unwrap(text, fmt.Sprintf("message-%03d", n.sent))...)
	}
	groups, _, _ := snapshot.GroupByCollection(receipts)
	states, err := protocol.Read(n.Context(), []snapshot.CollectionKey{key})
	n.must(err)
	n.must(protocol.RegisterRun(n.Context(), *states[key].Row, groups[0].Receipts[0].Message.Export))
	_, err = protocol.Count(n.Context(), fmt.Sprintf("arn:aws:states:eu-west-1:111122223333:execution:checker:%s-%03d",
		collection, n.sent), states[key], groups[0].Receipts)
	n.must(err)
	n.reconcile(key, "reconciler")
}

// reconcile reconciles a collection and checks its run. It delivers what is pending, except the request that an
// execution died with.
func (n *tables) reconcile(key snapshot.CollectionKey, execution string) {
	n.Helper()
	protocol, owner := n.protocol(), snapshot.Owner(execution, key.CollectionName)
	deliver := func(out snapshot.Outgoing) {
		_, err := protocol.Deliver(n.Context(), out, owner, func(snapshot.Export) error { return nil })
		n.must(err)
	}
	reconciled, err := protocol.Reconcile(n.Context(), key, owner)
	n.must(err)
	if reconciled.Pending != nil && !strings.HasPrefix(execution, "dying") {
		deliver(*reconciled.Pending)
	}
	checked, err := protocol.Check(n.Context(), key, owner, reconciled.Moved(), reconciled.Check)
	n.must(err)
	for _, notification := range checked.Pending {
		deliver(notification)
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
func (n *tables) troubled(run string) {
	n.Helper()
	n.row(run, "db.accounts.done", "Sent", 3)
	n.row(run, "db.accounts.late", "Sent", 5)
	n.row(run, "db.agents.unsent", "Exported", 2)
	n.row(run, "db.agents.exporting", "Exporting", 0)
	n.row(run, "db.blocked.topic", "Blocked_Topic", 0)
	n.row(run, "db.core.asked", "SENT", 1)
	n.row(run, "db.core.leased", "Exported", 1)
	n.row(run, "db.core.unreconciled", "Exported", 1)
	n.arrive(run, "db.accounts.done", files("done", 1, 3)...)
	n.later(time.Minute)
	n.arrive(run, "db.accounts.done", "_db.accounts.done_success")
	n.arrive(run, "db.accounts.late", files("late", 1, 2)...)
	n.later(time.Second)
	n.arrive(run, "db.accounts.late", files("late", 2, 2)...)
	n.arrive(run, "db.agents.unsent", "", "")
	n.arrive(run, "db.core.asked", files("asked", 1, 1)...)
	n.arrive(run, "db.core.leased", files("leased", 1, 1)...)
	n.row(run, "db.core.leased", "Sent", 1)
	n.later(2 * time.Minute)
	n.reconcile(snapshot.CollectionKey{CorrelationID: run, CollectionName: "db.core.leased"}, "dying-execution")
	n.arrive(run, "db.core.unreconciled", files("unreconciled", 1, 1)...)
	n.row(run, "db.core.unreconciled", "Sent", 1)
	n.set(run, "db.core.malformed", map[string]any{"CollectionStatus": "Sent", "FilesSent": "three"})
	n.later(4 * time.Minute)
}

// finished is a run of which all is successful.
func (n *tables) finished(run string) {
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

// byFile is a run of which a file came again, counted by file.
func (n *tables) byFile(run string) {
	n.Helper()
	n.by = snapshot.ByFile
	n.row(run, "db.core.again", "Sent", 3)
	n.arrive(run, "db.core.again", files("again", 1, 2)...)
	n.later(time.Minute)
	n.arrive(run, "db.core.again", files("again", 2, 2)...)
}

// abandoned is a run that was abandoned with a request and a move that are still due.
func (n *tables) abandoned(run string) {
	n.Helper()
	n.row(run, "db.core.unreconciled", "Exported", 1)
	n.arrive(run, "db.core.unreconciled", files("unreconciled", 1, 1)...)
	n.ownerDies(run)
	n.later(snapshot.AbandonedAfter)
	n.row(run, "db.core.unreconciled", "Sent", 1)
	n.stored(run, map[string]any{"Abandoned": true})
}

// endedByHand is a run that a person abandoned two minutes ago, with a request whose owner died.
func (n *tables) endedByHand(run string) {
	n.Helper()
	n.row(run, "db.core.waits", "Sent", 2)
	n.ownerDies(run)
	n.later(time.Hour)
	_, err := n.protocol().Abandon(n.Context(), run, "the exporter's host is gone")
	n.must(err)
	n.later(2 * time.Minute)
}

// ownerDies leaves a run with a request whose owner died.
func (n *tables) ownerDies(run string) {
	n.Helper()
	n.row(run, "db.core.dead", "Exported", 1)
	n.arrive(run, "db.core.dead", files("dead", 1, 1)...)
	n.row(run, "db.core.dead", "Sent", 1)
	n.reconcile(snapshot.CollectionKey{CorrelationID: run, CollectionName: "db.core.dead"}, "dying-execution")
}

// said is what a command said.
type said struct {
	code     int
	out, err string
}

// says runs a command line with the fixture's tables and time.
func (n *tables) says(in string, args ...string) said {
	n.Helper()
	return answer(app{Context: n.Context(), now: n.clock, source: n.source}, in, args...)
}

// answer runs a command line. It returns what is written, unless the environment has an output or an input of its own.
func answer(a app, in string, args ...string) said {
	var out, errOut bytes.Buffer
	if a.in == nil {
		a.in = strings.NewReader(in)
	}
	if a.out == nil {
		a.out = &out
	}
	a.err = &errOut
	code := a.execute(args)
	return said{code, out.String(), errOut.String()}
}
