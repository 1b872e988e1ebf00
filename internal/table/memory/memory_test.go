package memory_test

import (
	"testing"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
)

var (
	one   = table.Name{Table: "one", PartitionKey: "PK", SortKey: "SK"}
	other = table.Name{Table: "other", PartitionKey: "CorrelationId", SortKey: "CollectionName"}
)

func TestConformance(t *testing.T) { tabletest.Run(t, &memory.DB{}, one, other) }

func TestReadsThatAreNotConsistentMissTheLatestWrite(t *testing.T) {
	db := &memory.DB{}
	ref := one.At("p", "s")
	for n := range int64(2) {
		if _, err := db.Update(t.Context(), table.Write{Ref: ref, Set: map[string]any{"N": n}}); err != nil {
			t.Fatal(err)
		}
	}
	item, err := db.Get(t.Context(), table.Read{Ref: ref})
	if n, _ := item.Int("N"); err != nil || n != 0 {
		t.Errorf("got %v, %v, want the item before its last write", item, err)
	}
}

func TestPageSizeEndsPages(t *testing.T) {
	db := &memory.DB{PageSize: 2}
	for _, sort := range []string{"a", "b", "c"} {
		db.Put(one.At("p", sort), table.Item{"N": int64(1)})
	}
	page, err := db.Query(t.Context(), table.Query{Name: one, Partition: "p", Consistent: true})
	if err != nil || len(page.Items) != 2 || page.Next != "b" {
		t.Errorf("got %+v, %v", page, err)
	}
}
