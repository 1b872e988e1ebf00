package tabletest

import (
	"fmt"
	"testing"

	"snapshot-status-checker/internal/table"
)

func (s suite) queryPages(t *testing.T) {
	want := make([]string, 25)
	for i := range want {
		want[i] = fmt.Sprintf("%02d", i)
		s.update(t, table.Write{Ref: s.ref(t, want[i]), Set: map[string]any{"N": int64(i), "Bulk": "x"}})
	}
	var got []string
	pages := 0
	query := table.Query{Name: s.one, Partition: t.Name(), Limit: 10, Attributes: []string{"N"}, Consistent: true}
	for {
		page, err := s.db.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, keyed := range page.Items {
			got = append(got, keyed.Sort)
			same(t, keyed, table.Keyed{Key: table.Key{Partition: t.Name(), Sort: keyed.Sort},
				Item: table.Item{"N": int64(len(got) - 1)}})
		}
		if page.Next == "" {
			break
		}
		query.After = page.Next
	}
	same(t, got, want)
	if pages < 3 {
		t.Errorf("25 items in pages of 10 came in %d pages", pages)
	}
}

func (s suite) queryFrom(t *testing.T) {
	for i := range 9 {
		s.update(t, table.Write{Ref: s.ref(t, fmt.Sprint(i)), Set: map[string]any{"N": int64(i)}})
	}
	read := func(from string) (got []string) {
		query := table.Query{Name: s.one, Partition: t.Name(), From: from, Limit: 2, Consistent: true}
		for {
			page, err := s.db.Query(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for _, keyed := range page.Items {
				got = append(got, keyed.Sort)
			}
			if page.Next == "" {
				return got
			}
			query.After = page.Next
		}
	}
	same(t, read("5"), []string{"5", "6", "7", "8"})
	same(t, read("55"), []string{"6", "7", "8"}) // a key without an item
	same(t, read("9"), []string(nil))
}

func (s suite) queryWhole(t *testing.T) {
	s.update(t, table.Write{Ref: s.ref(t, "a"), Set: map[string]any{"N": int64(1), "S": "x"}})
	page, err := s.db.Query(t.Context(), table.Query{Name: s.one, Partition: t.Name(), Consistent: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []table.Keyed{{Key: table.Key{Partition: t.Name(), Sort: "a"}, Item: table.Item{"N": int64(1), "S": "x"}}}
	same(t, page.Items, want)
	items, err := s.db.GetMany(t.Context(), []table.Read{{Ref: s.ref(t, "a"), Consistent: true}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, items, map[table.Ref]table.Item{s.ref(t, "a"): want[0].Item})
}

func (s suite) queryPartition(t *testing.T) {
	s.update(t, table.Write{Ref: s.one.At(t.Name()+"-neighbour", "a"), Set: map[string]any{"N": int64(1)}})
	page, err := s.db.Query(t.Context(), table.Query{Name: s.one, Partition: t.Name(), Consistent: true})
	if err != nil {
		t.Fatal(err)
	}
	same(t, page, table.Page{})
}
