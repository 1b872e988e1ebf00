package store_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/local/localtest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

const run = "correlation-1"

// world is the protocol over two tables of a test's own.
type world struct {
	*testing.T
	db      *counting
	tables  store.Tables
	now     time.Time
	counter *store.Counter
	looker  *store.Looker
	runs    *store.Runs
	debts   *store.Debts
}

// counting counts the calls, and fails those that a test wants to fail before they are made.
type counting struct {
	tabletest.DB
	calls map[string]int
	fail  func(call string) error
}

func (c *counting) called(call string) error {
	c.calls[call]++
	if c.fail != nil {
		return c.fail(call)
	}
	return nil
}

func (c *counting) Get(ctx context.Context, read table.Read) (table.Item, error) {
	if err := c.called("Get"); err != nil {
		return nil, err
	}
	return c.DB.Get(ctx, read)
}

func (c *counting) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	if err := c.called("GetMany"); err != nil {
		return nil, err
	}
	return c.DB.GetMany(ctx, reads)
}

func (c *counting) Query(ctx context.Context, query table.Query) (table.Page, error) {
	if err := c.called("Query"); err != nil {
		return table.Page{}, err
	}
	return c.DB.Query(ctx, query)
}

func (c *counting) Update(ctx context.Context, write table.Write) (table.Item, error) {
	if err := c.called("Update"); err != nil {
		return nil, err
	}
	return c.DB.Update(ctx, write)
}

func (c *counting) Transact(ctx context.Context, writes []table.Write) error {
	if err := c.called("Transact"); err != nil {
		return err
	}
	return c.DB.Transact(ctx, writes)
}

// everywhere runs a test over the table in memory and over the local engine's DynamoDB.
func everywhere(t *testing.T, test func(w *world)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(newWorld(t, &memory.DB{PageSize: 2}, store.NewTables("status", "ledger")))
	})
	t.Run("dynamo", func(t *testing.T) {
		t.Parallel()
		client := dynamodb.NewFromConfig(localtest.Config(localtest.Engine(t)))
		tables := store.NewTables(createTable(t, client, "status", "CorrelationId", "CollectionName"), createTable(t, client, "ledger", "PK", "SK"))
		test(newWorld(t, dynamo.New(client), tables))
	})
}

func createTable(t *testing.T, client *dynamodb.Client, name, partitionKey, sortKey string) string {
	t.Helper()
	name = strings.NewReplacer("/", "-", "#", "-").Replace(t.Name()) + "-" + name
	key := func(attribute string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &attribute, KeyType: kind}
	}
	text := func(attribute string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &attribute, AttributeType: types.ScalarAttributeTypeS}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{key(partitionKey, types.KeyTypeHash), key(sortKey, types.KeyTypeRange)},
		AttributeDefinitions: []types.AttributeDefinition{text(partitionKey), text(sortKey)},
	})
	if err == nil {
		err = dynamodb.NewTableExistsWaiter(client).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func newWorld(t *testing.T, db tabletest.DB, tables store.Tables) *world {
	w := &world{T: t, db: &counting{DB: db, calls: map[string]int{}}, tables: tables, now: time.Unix(1_600_000_000, 0)}
	now := func() time.Time { return w.now }
	pause := func(context.Context, int) error { return nil }
	w.counter = &store.Counter{DB: w.db, Tables: tables, Now: now, Pause: pause}
	w.looker = &store.Looker{DB: w.db, Tables: tables, Now: now, Pause: pause}
	w.runs = &store.Runs{DB: w.db, Tables: tables, Now: now, Pause: pause}
	w.debts = &store.Debts{DB: w.db, Tables: tables, Pause: pause}
	return w
}

func key(collection string) snapshot.CollectionKey {
	return snapshot.CollectionKey{CorrelationID: run, CollectionName: collection}
}

// overwrite writes attributes of a row as the other writers do: without looking.
func (w *world) overwrite(collection string, attributes map[string]any) {
	w.Helper()
	if _, err := w.db.DB.Update(w.Context(), table.Write{Ref: w.tables.Status.At(run, collection), Set: attributes}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) row(collection, status string, sent int64) {
	w.Helper()
	w.overwrite(collection, map[string]any{"CollectionStatus": status, "FilesSent": sent})
}

// stands reads a row's attributes.
func (w *world) stands(collection string) table.Item {
	w.Helper()
	item, err := w.db.DB.Get(w.Context(), table.Read{Ref: w.tables.Status.At(run, collection), Consistent: true})
	if err != nil {
		w.Fatal(err)
	}
	return item
}

func receipt(collection, identity string) snapshot.Receipt {
	return snapshot.Receipt{Identity: identity, Message: snapshot.Message{CollectionKey: key(collection),
		Export: snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true}, Filename: identity, Digest: "digest of " + identity}}
}

func receipts(collection string, n int) []snapshot.Receipt {
	var all []snapshot.Receipt
	for i := range n {
		all = append(all, receipt(collection, "id-"+strconv.Itoa(i)))
	}
	return all
}

func successFile(collection, identity string) snapshot.Receipt {
	r := receipt(collection, identity)
	r.Message.IsSuccessFile = true
	return r
}

func (w *world) read(collection string) store.State {
	w.Helper()
	states, err := w.counter.Read(w.Context(), []snapshot.CollectionKey{key(collection)})
	if err != nil {
		w.Fatal(err)
	}
	return states[key(collection)]
}

func (w *world) count(collection string, receipts ...snapshot.Receipt) store.Tally {
	w.Helper()
	tally, err := w.counter.Count(w.Context(), "execution-1", w.read(collection), receipts)
	if err != nil {
		w.Fatal(err)
	}
	return tally
}

func (w *world) look(collection, claimer string) store.State {
	w.Helper()
	state, err := w.looker.Look(w.Context(), key(collection), claimer)
	if err != nil {
		w.Fatal(err)
	}
	return state
}

func (w *world) check(claimer string) store.Verdict {
	w.Helper()
	verdict, err := w.runs.Check(w.Context(), run, claimer, snapshot.Received)
	if err != nil {
		w.Fatal(err)
	}
	return verdict
}

var errDied = errors.New("died here")

// dies lets the n-th call of this kind fail before it is made, and everything after it, as if the process died.
func (w *world) dies(call string, n int) {
	dead := false
	w.db.fail = func(made string) error {
		if made == call {
			n--
		}
		if dead = dead || n < 0; dead {
			return errDied
		}
		return nil
	}
}

func (w *world) revives() { w.db.fail = nil }

func (w *world) wantRow(collection string, want table.Item) {
	w.Helper()
	got := w.stands(collection)
	for attribute, value := range want {
		if got[attribute] != value {
			w.Errorf("%s of %s is %v, want %v", attribute, collection, got[attribute], value)
		}
	}
}
