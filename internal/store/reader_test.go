package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

func (w *world) reader() *store.Reader {
	return &store.Reader{DB: w.db, Tables: w.tables, Pause: func(context.Context, int) error { return nil }}
}

// Of a large run every call is refused once: each is made twice, and none of the others again.
func TestAReadingGoesOnWhereItWasRefused(t *testing.T) {
	t.Parallel()
	const collections, ofAPage = 1000, 100
	w := newWorld(t, &memory.DB{PageSize: ofAPage}, store.NewTables("status", "ledger"))
	for i := range collections {
		w.row(fmt.Sprintf("db.core.collection-%05d", i), "Sent", 1)
	}
	w.count("db.core.collection-00000", receipts("db.core.collection-00000", 250)...)
	clear(w.db.calls)
	refused := 0
	w.db.fail = func(string) error {
		if refused++; refused%2 == 1 {
			return table.ErrContention
		}
		return nil
	}
	state, err := w.reader().Run(t.Context(), run)
	if err != nil || len(state.Collections) != collections {
		t.Errorf("%d collections: %v", len(state.Collections), err)
	}
	messages := 0
	err = w.reader().Messages(t.Context(), key("db.core.collection-00000"), func(store.Marker) error { messages++; return nil })
	if err != nil || messages != 250 {
		t.Errorf("%d messages: %v", messages, err)
	}
	want := map[string]int{"GetMany": 2 * (1 + collections/table.MaxBatch), "Query": 2 * (collections/ofAPage + 1 + 3)}
	if diff := cmp.Diff(want, w.db.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// What is refused again and again is given up.
func TestAReadingIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &memory.DB{}, store.NewTables("status", "ledger"))
	w.db.fail = func(string) error { return table.ErrContention }
	for doing, read := range map[string]func() error{
		"reading a run":    func() error { _, err := w.reader().Run(t.Context(), run); return err },
		"listing the runs": func() error { _, err := w.reader().Runs(t.Context()); return err },
	} {
		if err := read(); err == nil || !strings.HasPrefix(err.Error(), doing+": given up after 10 tries") {
			t.Errorf("%s: %v", doing, err)
		}
	}
}

// A message that named no file has a marker without a name.
func TestAMarkerWithoutAName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &memory.DB{}, store.NewTables("status", "ledger"))
	w.row("db.a", "Sent", 2)
	text := `{"correlation_id":"` + run + `","collection_name":"db.a","snapshot_type":"full","export_date":"2020-01-01"`
	w.count("db.a", append(snapshot.Unwrap([]byte(text+`}`), "id-1"), snapshot.Unwrap([]byte(text+`,"filename":"f"}`), "id-2")...)...)
	var names []string
	err := w.reader().Messages(t.Context(), key("db.a"), func(marker store.Marker) error {
		names = append(names, marker.Filename)
		return nil
	})
	if diff := cmp.Diff([]string{"", "f"}, names); err != nil || diff != "" {
		t.Errorf("%s (%v)", diff, err)
	}
}
