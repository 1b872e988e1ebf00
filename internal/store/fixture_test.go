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

// testStore is a store over two tables of the test's own.
type testStore struct {
	*testing.T
	db     table.DB // the tables themselves, without hooks
	hooks  *tabletest.Hooked
	tables store.Tables
	now    time.Time
	exempt []snapshot.Status
	late   snapshot.LateAfter
	by     snapshot.CountBy
	store  *store.Store
	sent   map[snapshot.Outgoing]int // what was delivered, how often
	sweeps int

	mu            sync.Mutex
	calls         map[string]int // by operation; of an update also "Update " and what it writes, see part
	before, after func(tabletest.Call) error
}

// everywhere runs a test over memory tables and over the local engine's DynamoDB.
func everywhere(t *testing.T, test func(ts *testStore)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(newMemoryStore(t))
	})
	t.Run("dynamo", func(t *testing.T) {
		t.Parallel()
		client := dynamodb.NewFromConfig(config(t))
		tables := store.NewTables(createTable(t, client, "status", "CorrelationId", "CollectionName"),
			createTable(t, client, "ledger", "PK", "SK"))
		test(newTestStore(t, dynamo.New(client), tables))
	})
}

// newMemoryStore is a testStore over memory tables, for tests that do not depend on the table.
func newMemoryStore(t *testing.T, exempt ...snapshot.Status) *testStore {
	return newTestStore(t, &memory.DB{PageSize: 2}, store.NewTables("status", "ledger"), exempt...)
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

func newTestStore(t *testing.T, db table.DB, tables store.Tables, exempt ...snapshot.Status) *testStore {
	ts := &testStore{T: t, db: db, tables: tables, now: time.Unix(1_600_000_000, 0), exempt: exempt,
		calls: map[string]int{},
		sent:  map[snapshot.Outgoing]int{}}
	ts.hooks = &tabletest.Hooked{DB: db,
		Before: func(call tabletest.Call) error { ts.noted(call); return ts.hook(ts.before, call) },
		After:  func(call tabletest.Call) error { return ts.hook(ts.after, call) }}
	ts.store = ts.another()
	return ts
}

func (ts *testStore) noted(call tabletest.Call) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.calls[call.Operation]++
	if call.Operation == "Update" {
		ts.calls["Update "+ts.part(call.Refs[0])]++
	}
}

// part is the kind of an item: row, run, collection, page or receipts.
func (ts *testStore) part(ref table.Ref) string {
	if ref.Name == ts.tables.Status {
		return "row"
	}
	if ref.Partition == "run" {
		return "run"
	}
	part, _, _ := strings.Cut(ref.Sort, "#")
	return part
}

func (ts *testStore) hook(hook func(tabletest.Call) error, call tabletest.Call) error {
	if hook == nil {
		return nil
	}
	return hook(call)
}

// another is the store of another process, with its own cache.
func (ts *testStore) another() *store.Store {
	return store.New(ts.hooks, ts.tables, store.Settings{Exempt: ts.exempt, CountBy: ts.by, StalledAfter: time.Hour,
		LateAfter: ts.late,
		Now:       func() time.Time { return ts.now }})
}

func (ts *testStore) pass(d time.Duration) { ts.now = ts.now.Add(d) }

func key(collection string) snapshot.CollectionKey {
	return snapshot.CollectionKey{CorrelationID: run, CollectionName: collection}
}

var export = snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true}

func receipt(collection, identity string) snapshot.Receipt {
	digest := sha256.Sum256([]byte(collection + " " + identity))
	return snapshot.Receipt{Identity: identity, Digest: string(digest[:12]),
		Message: snapshot.Message{CollectionKey: key(collection), Export: export, Filename: identity + ".gz"}}
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

func (ts *testStore) read(collection string) store.State {
	ts.Helper()
	states, err := ts.store.Read(ts.Context(), []snapshot.CollectionKey{key(collection)})
	if err != nil {
		ts.Fatal(err)
	}
	return states[key(collection)]
}

// receive reads the collection and counts messages, as an execution does.
func receive(ts *testStore, s *store.Store, execution string, receipts []snapshot.Receipt) (store.Counts, error) {
	collection := receipts[0].Message.CollectionKey
	states, err := s.Read(ts.Context(), []snapshot.CollectionKey{collection})
	if err != nil {
		return store.Counts{}, err
	}
	return s.Count(ts.Context(), execution, states[collection], receipts)
}

func (ts *testStore) count(receipts ...snapshot.Receipt) store.Counts {
	ts.Helper()
	return ts.countAs("execution-1", receipts...)
}

func (ts *testStore) countAs(execution string, receipts ...snapshot.Receipt) store.Counts {
	ts.Helper()
	counts, err := receive(ts, ts.store, execution, receipts)
	if err != nil {
		ts.Fatal(err)
	}
	return counts
}

func (ts *testStore) register(collection string) {
	ts.Helper()
	if err := ts.store.RegisterRun(ts.Context(), snapshot.Row{CollectionKey: key(collection)}, export); err != nil {
		ts.Fatal(err)
	}
}

func (ts *testStore) reconcile(collection, owner string) store.Reconciled {
	ts.Helper()
	at, err := ts.store.Reconcile(ts.Context(), key(collection), owner)
	if err != nil {
		ts.Fatal(err)
	}
	return at
}

// ledger is the ledger's item of a collection.
func (ts *testStore) ledger(collection string) snapshot.Collection {
	ts.Helper()
	return ts.read(collection).Collection
}

// theRun is the ledger's item of the run, nil if it has none.
func (ts *testStore) theRun() *snapshot.Run {
	ts.Helper()
	state, err := ts.store.Run(ts.Context(), run)
	if err != nil {
		ts.Fatal(err)
	}
	return state.Run
}

// deliver delivers the owner's pending message, as notify does, and records it.
func (ts *testStore) deliver(out snapshot.Outgoing, owner string) (sent bool) {
	ts.Helper()
	sent, err := ts.store.Deliver(ts.Context(), out, owner, func(snapshot.Export) error { ts.sent[out]++; return nil })
	if err != nil {
		ts.Fatal(err)
	}
	return sent
}

// execute does an execution's steps for one collection, from check-collection on.
func (ts *testStore) execute(collection, execution string) {
	ts.Helper()
	owner := snapshot.Owner(execution, collection)
	at := ts.reconcile(collection, owner)
	if at.Pending != nil {
		ts.deliver(*at.Pending, owner)
	}
	ts.check(collection, owner, at.Moved(), at.Check)
}

// check does the steps of check-all and of the notify after it.
func (ts *testStore) check(collection, owner string, moved bool, kinds []snapshot.Kind) store.Checked {
	ts.Helper()
	checked, err := ts.store.Check(ts.Context(), key(collection), owner, moved, kinds)
	if err != nil {
		ts.Fatal(err)
	}
	for _, out := range checked.Pending {
		ts.deliver(out, owner)
	}
	return checked
}

func request(collection string, epoch int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: key(collection), Version: epoch}
}

func notification(kind snapshot.Kind, generation int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: run}, Version: generation}
}

// wantSent expects that exactly these messages were delivered, each once, and clears the record.
func (ts *testStore) wantSent(want ...snapshot.Outgoing) {
	ts.Helper()
	for _, out := range want {
		if ts.sent[out] != 1 {
			ts.Errorf("%s %q version %d was delivered %d times, want once", out.Kind, out.CollectionName, out.Version,
				ts.sent[out])
		}
		delete(ts.sent, out)
	}
	for out, times := range ts.sent {
		ts.Errorf("%s %q version %d was delivered %d times, want never", out.Kind, out.CollectionName, out.Version,
			times)
	}
	clear(ts.sent)
}

// bothOf are both notifications of a generation.
func bothOf(generation int64) []snapshot.Outgoing {
	return []snapshot.Outgoing{notification(snapshot.AllReceived, generation), notification(snapshot.AllSuccessful,
		generation)}
}
