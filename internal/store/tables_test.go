package store_test

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// The tables: writes of other systems, and what is expected of the result.

func (ts *testStore) rowRef(collection string) table.Ref { return ts.tables.Status.At(run, collection) }

func (ts *testStore) runRef() table.Ref { return ts.tables.Ledger.At("run", run) }

func (ts *testStore) collectionRef(collection string) table.Ref {
	return ts.tables.Ledger.At("collection#"+run+"#"+collection, "collection")
}

func (ts *testStore) pageRef(page int) table.Ref {
	return ts.tables.Ledger.At("collection#"+run+"#a", fmt.Sprintf("page#%06d", page))
}

// write writes without the store.
func (ts *testStore) write(write table.Write) {
	ts.Helper()
	_, err := ts.db.Update(ts.Context(), write)
	ts.ok(err)
}

// overwrite writes attributes of a row unconditionally, as other systems do.
func (ts *testStore) overwrite(collection string, attributes map[string]any) {
	ts.Helper()
	ts.write(table.Write{Ref: ts.rowRef(collection), Set: attributes})
}

func (ts *testStore) row(collection, status string, sent int64) {
	ts.Helper()
	ts.overwrite(collection, map[string]any{"CollectionStatus": status, "FilesSent": sent})
}

// counted makes a row with FilesSent, and counts as many files.
func (ts *testStore) counted(collection, status string, files int) {
	ts.Helper()
	ts.row(collection, status, int64(files))
	ts.count(receipts(collection, "m", files)...)
}

// exportAgain resets a row as the exporter does before it exports a collection again.
func (ts *testStore) exportAgain(collection string) {
	ts.Helper()
	ts.overwrite(collection, map[string]any{"CollectionStatus": "Exporting", "FilesSent": int64(0),
		"FilesReceived": int64(0)})
}

// sentAgain is another export of one file that is counted, up to the status Sent.
func (ts *testStore) sentAgain(collection, identity string) {
	ts.Helper()
	ts.exportAgain(collection)
	ts.row(collection, "Sent", 1)
	ts.count(receipt(collection, identity))
}

// predecessorCounts is the predecessor's count of so many files.
func (ts *testStore) predecessorCounts(collection string, files int64) {
	ts.Helper()
	ts.write(table.Write{Ref: ts.rowRef(collection), Add: map[string]any{"FilesReceived": files}})
}

// put replaces an item, or deletes it for nil. Package table has no such operation.
func (ts *testStore) put(ref table.Ref, item table.Item) {
	ts.Helper()
	if db, ok := ts.db.(*memory.DB); ok {
		db.Put(ref, item)
		return
	}
	client := dynamodb.NewFromConfig(config(ts))
	_, err := client.DeleteItem(ts.Context(), &dynamodb.DeleteItemInput{TableName: &ref.Table,
		Key: map[string]types.AttributeValue{
			ref.PartitionKey: &types.AttributeValueMemberS{Value: ref.Partition},
			ref.SortKey:      &types.AttributeValueMemberS{Value: ref.Sort},
		}})
	ts.ok(err)
	if item != nil {
		ts.write(table.Write{Ref: ref, Set: item})
	}
}

// replace replaces a row by one that the exporter makes.
func (ts *testStore) replace(collection, status string, sent int64) {
	ts.Helper()
	ts.put(ts.rowRef(collection), table.Item{"CollectionStatus": status, "FilesSent": sent})
}

func (ts *testStore) remove(collection string) { ts.Helper(); ts.put(ts.rowRef(collection), nil) }

// items are the items of a partition of the ledger.
func (ts *testStore) items(partition string) (items []table.Keyed) {
	ts.Helper()
	query := table.Query{Name: ts.tables.Ledger, Partition: partition, Consistent: true}
	for {
		page, err := ts.db.Query(ts.Context(), query)
		ts.ok(err)
		items = append(items, page.Items...)
		if query.After = page.Next; page.Next == "" {
			return items
		}
	}
}

// loseLedger deletes the ledger's items of a collection.
func (ts *testStore) loseLedger(collection string) {
	ts.Helper()
	for _, keyed := range ts.items("collection#" + run + "#" + collection) {
		ts.put(ts.tables.Ledger.At(keyed.Partition, keyed.Sort), nil)
	}
}

func (ts *testStore) item(ref table.Ref) table.Item {
	ts.Helper()
	item, err := ts.db.Get(ts.Context(), table.Read{Ref: ref, Consistent: true})
	ts.ok(err)
	return item
}

func (ts *testStore) wantRow(collection string, want table.Item) {
	ts.Helper()
	got := ts.item(ts.rowRef(collection))
	for attribute, value := range want {
		if got[attribute] != value {
			ts.Errorf("%s of %s is %v, want %v", attribute, collection, got[attribute], value)
		}
	}
}

func received(files int64) table.Item {
	return table.Item{"FilesReceived": files, "SyncedFiles": files}
}

// epochs are the attributes of a row's epoch.
func epochs(start, files int64) table.Item {
	return table.Item{"EpochStart": start, "SyncedFiles": files, "FilesReceived": files}
}

func status(status string) table.Item { return table.Item{"CollectionStatus": status} }

func (ts *testStore) hint(kind snapshot.Kind) snapshot.Hint {
	ts.Helper()
	return ts.theRun().Hints[kind]
}

func (ts *testStore) setHint(kind snapshot.Kind, hint snapshot.Hint) {
	ts.Helper()
	name := map[snapshot.Kind]string{snapshot.AllReceived: "AllReceived", snapshot.AllSuccessful: "AllSuccessful"}[kind]
	ts.write(table.Write{Ref: ts.runRef(), Set: map[string]any{
		name + "Blocker": hint.Collection, name + "BlockerSetBy": hint.By, name + "Notified": hint.Notified}})
}

func request(collection string, epoch int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: key(collection), Version: epoch}
}

func notification(kind snapshot.Kind, generation int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: run}, Version: generation}
}

// bothOf are both notifications of a generation.
func bothOf(generation int64) []snapshot.Outgoing {
	return []snapshot.Outgoing{notification(snapshot.AllReceived, generation),
		notification(snapshot.AllSuccessful, generation)}
}

func alert(kind snapshot.Kind, since time.Time) snapshot.Outgoing {
	return notification(kind, since.Unix())
}

// wantAlerts expects these alerts to be the owner's.
func (ts *testStore) wantAlerts(found store.Examination, want ...snapshot.Outgoing) {
	ts.Helper()
	if diff := cmp.Diff(want, found.Alerts); diff != "" {
		ts.Errorf("alerts (-want +got)\n%s", diff)
	}
}

// wantSent expects that exactly these messages were delivered, each once, and clears the record.
func (ts *testStore) wantSent(want ...snapshot.Outgoing) {
	ts.Helper()
	times := map[snapshot.Outgoing]int{}
	for _, out := range want {
		times[out] = 1
	}
	if diff := cmp.Diff(times, ts.sent); diff != "" {
		ts.Errorf("delivered, how often (-want +got)\n%s", diff)
	}
	clear(ts.sent)
}

func identities(receipts []snapshot.Receipt) (of []string) {
	for _, r := range receipts {
		of = append(of, r.Identity)
	}
	return of
}

// wantCounts expects these messages to be counted, repeated and duplicates.
func (ts *testStore) wantCounts(counts store.Counts, counted, repeated, duplicates []string) {
	ts.Helper()
	got := [][]string{identities(counts.Counted), identities(counts.Repeated), identities(counts.Duplicates)}
	if diff := cmp.Diff([][]string{counted, repeated, duplicates}, got); diff != "" {
		ts.Errorf("counted, repeated, duplicates (-want +got)\n%s", diff)
	}
}
