package store_test

import (
	"crypto/sha256"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
	"snapshot-status-checker/internal/table/dynamo/dynamotest"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
	"snapshot-status-checker/local/localtest"
)

// config is the SDK's configuration for a DynamoDB: the local engine's, or with the build tag testaws DynamoDB Local.
var config = func(t testing.TB) aws.Config { return localtest.Config(localtest.Engine(t)) }

func TestMain(m *testing.M) { localtest.Main(m) }

const run = "correlation-1"

var (
	export      = snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true}
	allReceived = []snapshot.Kind{snapshot.AllReceived}
	both        = snapshot.Notifications
)

// testStore is a store over two tables of the test's own. steps_test.go has the steps of executions, tables_test.go
// the writes of others, faults_test.go what goes wrong at a call.
type testStore struct {
	*testing.T
	db       table.DB // the tables themselves, without hooks
	hooks    *tabletest.Hooked
	tables   store.Tables
	now      time.Time
	settings store.Settings
	store    *store.Store
	sent     map[snapshot.Outgoing]int // what was delivered, how often
	sweeps   int

	mu            sync.Mutex
	calls         map[string]int // by operation; of an update also "Update " and what it writes, see part
	before, after func(tabletest.Call) error
}

// newStore is a testStore over memory tables. They pass the same suite as DynamoDB, so nearly all tests use them.
func newStore(t *testing.T) *testStore {
	return newTestStore(t, &memory.DB{PageSize: 2}, store.NewTables("status", "ledger"))
}

// everywhere runs a test over memory tables and over DynamoDB. Together these tests make every kind of write of the
// store.
func everywhere(t *testing.T, test func(ts *testStore)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(newStore(t))
	})
	t.Run("dynamo", func(t *testing.T) {
		t.Parallel()
		client := dynamodb.NewFromConfig(config(t))
		test(newTestStore(t, dynamo.New(client), store.Tables{
			Status: dynamotest.Create(t, client, "status", "CorrelationId", "CollectionName"),
			Ledger: dynamotest.Create(t, client, "ledger", "PK", "SK"),
		}))
	})
}

func newTestStore(t *testing.T, db table.DB, tables store.Tables) *testStore {
	ts := &testStore{T: t, db: db, tables: tables, now: time.Unix(1_600_000_000, 0), calls: map[string]int{},
		sent: map[snapshot.Outgoing]int{}}
	ts.hooks = &tabletest.Hooked{DB: db, Before: ts.beforeCall,
		After: func(call tabletest.Call) error {
			if ts.after == nil {
				return nil
			}
			return ts.after(call)
		}}
	ts.store = ts.another()
	return ts
}

// another is the store of another process, with its own cache.
func (ts *testStore) another() *store.Store {
	settings := ts.settings
	settings.StalledAfter, settings.Now = time.Hour, func() time.Time { return ts.now }
	return store.New(ts.hooks, ts.tables, settings)
}

// configure changes the settings.
func (ts *testStore) configure(settings store.Settings) {
	ts.settings = settings
	ts.store = ts.another()
}

func (ts *testStore) pass(d time.Duration) { ts.now = ts.now.Add(d) }

// ok ends the test if there is an error.
func (ts *testStore) ok(err error) {
	ts.Helper()
	if err != nil {
		ts.Fatal(err)
	}
}

func key(collection string) snapshot.CollectionKey {
	return snapshot.CollectionKey{CorrelationID: run, CollectionName: collection}
}

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
	ts.ok(err)
	return states[key(collection)]
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
	ts.ok(err)
	return state.Run
}

// receive reads the collection and counts messages, as an execution does.
func receive(ts *testStore, s *store.Store, execution string, receipts ...snapshot.Receipt) (store.Counts, error) {
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
	return ts.countIn(ts.store, execution, receipts...)
}

// countIn counts in a process.
func (ts *testStore) countIn(process *store.Store, execution string, receipts ...snapshot.Receipt) store.Counts {
	ts.Helper()
	counts, err := receive(ts, process, execution, receipts...)
	ts.ok(err)
	return counts
}

// countLate counts with a reading of an earlier moment.
func (ts *testStore) countLate(state store.State, receipts ...snapshot.Receipt) store.Counts {
	ts.Helper()
	counts, err := ts.store.Count(ts.Context(), "late", state, receipts)
	ts.ok(err)
	return counts
}
