package tabletest

import (
	"fmt"
	"testing"

	"snapshot-status-checker/internal/table"
)

// query reads the pages of a query of the test's partition.
func (s suite) query(t *testing.T, query table.Query) (items []table.Keyed, pages int) {
	t.Helper()
	query.Name, query.Partition, query.Consistent = s.one, t.Name(), true
	for {
		page, err := s.db.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		items, pages = append(items, page.Items...), pages+1
		if query.After = page.Next; page.Next == "" {
			return items, pages
		}
	}
}

func (s suite) queryPages(t *testing.T) {
	var want []table.Keyed
	for i := range int64(25) {
		key := table.Key{Partition: t.Name(), Sort: fmt.Sprintf("%02d", i)}
		s.update(t, table.Write{Ref: s.ref(t, key.Sort), Set: map[string]any{"N": i, "Bulk": "x"}})
		want = append(want, table.Keyed{Key: key, Item: table.Item{"N": i}})
	}
	got, pages := s.query(t, table.Query{Limit: 10, Attributes: []string{"N"}})
	same(t, got, want)
	if pages < 3 {
		t.Errorf("25 items in pages of 10 came in %d pages", pages)
	}
	for from, first := range map[string]int{"05": 5, "055": 6, "25": 25} { // with an item, and without one
		got, _ := s.query(t, table.Query{From: from, Limit: 2, Attributes: []string{"N"}})
		same(t, got, append([]table.Keyed(nil), want[first:]...))
	}
}

func (s suite) queryWhole(t *testing.T) {
	s.update(t, table.Write{Ref: s.ref(t, "a"), Set: map[string]any{"N": int64(1), "S": "x"}})
	s.update(t, table.Write{Ref: s.one.At(t.Name()+"-neighbour", "a"), Set: map[string]any{"N": int64(1)}})
	want := []table.Keyed{{Key: table.Key{Partition: t.Name(), Sort: "a"}, Item: table.Item{"N": int64(1), "S": "x"}}}
	got, _ := s.query(t, table.Query{})
	same(t, got, want)
	items, err := s.db.GetMany(t.Context(), []table.Read{{Ref: s.ref(t, "a"), Consistent: true}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, items, map[table.Ref]table.Item{s.ref(t, "a"): want[0].Item})
}
