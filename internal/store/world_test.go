package store_test

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
	"snapshot-status-checker/local/localtest"
)

// config is the SDK's configuration for a DynamoDB: the local engine's, or with the build tag testaws DynamoDB Local.
var config = func(t testing.TB) aws.Config { return localtest.Config(localtest.Engine(t)) }

func TestMain(m *testing.M) { localtest.Main(m) }

const run = "correlation-1"

// world is the protocol over two tables of a test's own.
type world struct {
	*testing.T
	db     table.DB // the tables themselves, without hooks
	hooks  *tabletest.Hooked
	tables store.Tables
	now    time.Time
	exempt []snapshot.Status
	store  *store.Store
	sent   map[snapshot.Outgoing]int // what was delivered, how often
	sweeps int

	mu            sync.Mutex
	calls         map[string]int // by operation; of an update also "Update " and what it writes, see part
	before, after func(tabletest.Call) error
}

// everywhere runs a test over the table in memory and over the local engine's DynamoDB.
func everywhere(t *testing.T, test func(w *world)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(newMemoryWorld(t))
	})
	t.Run("dynamo", func(t *testing.T) {
		t.Parallel()
		client := dynamodb.NewFromConfig(config(t))
		tables := store.NewTables(createTable(t, client, "status", "CorrelationId", "CollectionName"),
			createTable(t, client, "ledger", "PK", "SK"))
		test(newWorld(t, dynamo.New(client), tables))
	})
}

// newMemoryWorld is a world over the table in memory, for tests of what no table could change.
func newMemoryWorld(t *testing.T, exempt ...snapshot.Status) *world {
	return newWorld(t, &memory.DB{PageSize: 2}, store.NewTables("status", "ledger"), exempt...)
}

func createTable(t *testing.T, client *dynamodb.Client, name, partitionKey, sortKey string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(t.Name())) // names of tests are longer than those of tables
	name = fmt.Sprintf("%x-%s", digest[:12], name)
	key := func(attribute string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &attribute, KeyType: kind}
	}
	text := func(attribute string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &attribute, AttributeType: types.ScalarAttributeTypeS}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{key(partitionKey, types.KeyTypeHash),
			key(sortKey, types.KeyTypeRange)},
		AttributeDefinitions: []types.AttributeDefinition{text(partitionKey), text(sortKey)},
	})
	if err == nil {
		err = dynamodb.NewTableExistsWaiter(client).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name},
			time.Minute)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func newWorld(t *testing.T, db table.DB, tables store.Tables, exempt ...snapshot.Status) *world {
	w := &world{T: t, db: db, tables: tables, now: time.Unix(1_600_000_000, 0), exempt: exempt, calls: map[string]int{},
		sent: map[snapshot.Outgoing]int{}}
	w.hooks = &tabletest.Hooked{DB: db,
		Before: func(call tabletest.Call) error { w.noted(call); return w.hook(w.before, call) },
		After:  func(call tabletest.Call) error { return w.hook(w.after, call) }}
	w.store = w.another()
	return w
}

func (w *world) noted(call tabletest.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[call.Operation]++
	if call.Operation == "Update" {
		w.calls["Update "+w.part(call.Refs[0])]++
	}
}

// part is what an item belongs to: row, run, collection, page or receipts.
func (w *world) part(ref table.Ref) string {
	if ref.Name == w.tables.Status {
		return "row"
	}
	if ref.Partition == "run" {
		return "run"
	}
	part, _, _ := strings.Cut(ref.Sort, "#")
	return part
}

func (w *world) hook(hook func(tabletest.Call) error, call tabletest.Call) error {
	if hook == nil {
		return nil
	}
	return hook(call)
}

// another is the protocol in another process: with a cache of its own.
func (w *world) another() *store.Store {
	return store.New(w.hooks, w.tables, store.Settings{Exempt: w.exempt, StalledAfter: time.Hour,
		Now: func() time.Time { return w.now }})
}

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

func key(collection string) snapshot.CollectionKey {
	return snapshot.CollectionKey{CorrelationID: run, CollectionName: collection}
}

var said = snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true}

func receipt(collection, identity string) snapshot.Receipt {
	digest := sha256.Sum256([]byte(collection + " " + identity))
	return snapshot.Receipt{Identity: identity, Digest: string(digest[:12]),
		Message: snapshot.Message{CollectionKey: key(collection), Export: said, Filename: identity + ".gz"}}
}

func receipts(collection, prefix string, n int) []snapshot.Receipt {
	var all []snapshot.Receipt
	for i := range n {
		all = append(all, receipt(collection, prefix+strconv.Itoa(i)))
	}
	return all
}

func successFile(collection, identity string) snapshot.Receipt {
	r := receipt(collection, identity)
	r.Message.IsSuccessFile = true
	return r
}

// --- the protocol
// ------------------------------------------------------------------------------------------------------

func (w *world) read(collection string) store.State {
	w.Helper()
	states, err := w.store.Read(w.Context(), []snapshot.CollectionKey{key(collection)})
	if err != nil {
		w.Fatal(err)
	}
	return states[key(collection)]
}

// receive counts messages as an execution does, from the reading on.
func receive(w *world, s *store.Store, execution string, receipts []snapshot.Receipt) (store.Tally, error) {
	collection := receipts[0].Message.CollectionKey
	states, err := s.Read(w.Context(), []snapshot.CollectionKey{collection})
	if err != nil {
		return store.Tally{}, err
	}
	return s.Count(w.Context(), execution, states[collection], receipts)
}

func (w *world) count(receipts ...snapshot.Receipt) store.Tally {
	w.Helper()
	return w.countAs("execution-1", receipts...)
}

func (w *world) countAs(execution string, receipts ...snapshot.Receipt) store.Tally {
	w.Helper()
	tally, err := receive(w, w.store, execution, receipts)
	if err != nil {
		w.Fatal(err)
	}
	return tally
}

func (w *world) register(collection string) {
	w.Helper()
	if err := w.store.RegisterRun(w.Context(), snapshot.Row{CollectionKey: key(collection)}, said); err != nil {
		w.Fatal(err)
	}
}

func (w *world) reconcile(collection, owner string) store.Reconciled {
	w.Helper()
	at, err := w.store.Reconcile(w.Context(), key(collection), owner)
	if err != nil {
		w.Fatal(err)
	}
	return at
}

// ledger is what the ledger knows of a collection.
func (w *world) ledger(collection string) snapshot.Collection {
	w.Helper()
	return w.read(collection).Collection
}

// theRun is what the ledger knows of the run, nil if it knows none.
func (w *world) theRun() *snapshot.Run {
	w.Helper()
	state, err := w.store.Run(w.Context(), run)
	if err != nil {
		w.Fatal(err)
	}
	return state.Run
}

// deliver is notify: it delivers what is pending and the owner's, and remembers it.
func (w *world) deliver(out snapshot.Outgoing, owner string) (sent bool) {
	w.Helper()
	sent, err := w.store.Deliver(w.Context(), out, owner, func(snapshot.Export) error { w.sent[out]++; return nil })
	if err != nil {
		w.Fatal(err)
	}
	return sent
}

// execute is what an execution does for one collection, from check-collection on.
func (w *world) execute(collection, execution string) {
	w.Helper()
	owner := snapshot.Owner(execution, collection)
	at := w.reconcile(collection, owner)
	if at.Pending != nil {
		w.deliver(*at.Pending, owner)
	}
	w.check(collection, owner, at.Moved, at.Check)
}

// check is check-all and the notify after it.
func (w *world) check(collection, owner string, moved bool, kinds []snapshot.Kind) store.Checked {
	w.Helper()
	checked, err := w.store.Check(w.Context(), key(collection), owner, moved, kinds)
	if err != nil {
		w.Fatal(err)
	}
	for _, out := range checked.Pending {
		w.deliver(out, owner)
	}
	return checked
}

func request(collection string, epoch int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: key(collection), Version: epoch}
}

func notification(kind snapshot.Kind, generation int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: run}, Version: generation}
}

// wantSent wants exactly these messages to have been delivered, each once, and forgets them.
func (w *world) wantSent(want ...snapshot.Outgoing) {
	w.Helper()
	for _, out := range want {
		if w.sent[out] != 1 {
			w.Errorf("%s %q version %d was delivered %d times, want once", out.Kind, out.CollectionName, out.Version,
				w.sent[out])
		}
		delete(w.sent, out)
	}
	for out, times := range w.sent {
		w.Errorf("%s %q version %d was delivered %d times, want never", out.Kind, out.CollectionName, out.Version,
			times)
	}
	clear(w.sent)
}

// bothOf are the two notifications of a generation.
func bothOf(generation int64) []snapshot.Outgoing {
	return []snapshot.Outgoing{notification(snapshot.AllReceived, generation), notification(snapshot.AllSuccessful,
		generation)}
}
