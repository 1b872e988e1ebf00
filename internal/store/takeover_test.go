package store_test

import "snapshot-status-checker/internal/table"

// What docs/cutover.md promises of rows that the system counted which this one replaces. That one, the predecessor, adds
// to FilesReceived without looking, and knows of no ledger.

// predecessorCounts is its receipt of so many files.
func (w *world) predecessorCounts(collection string, files int64) {
	w.Helper()
	w.write(table.Write{Ref: w.tables.Status.At(run, collection), Add: map[string]any{"FilesReceived": files}})
}

// loseLedger deletes all that the ledger knows of a collection: another one takes its place.
func (w *world) loseLedger(collection string) {
	w.Helper()
	query := table.Query{Name: w.tables.Ledger, Partition: "collection#" + run + "#" + collection, Consistent: true}
	for {
		page, err := w.db.Query(w.Context(), query)
		if err != nil {
			w.Fatal(err)
		}
		for _, keyed := range page.Items {
			w.put(w.tables.Ledger.At(keyed.Partition, keyed.Sort), nil)
		}
		if query.After = page.Next; page.Next == "" {
			return
		}
	}
}
