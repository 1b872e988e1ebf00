// Package tabletest is the conformance suite of package table's implementations.
package tabletest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/table"
)

// Run runs the suite over two empty tables of a database.
func Run(t *testing.T, db table.DB, one, other table.Name) {
	s := suite{db: db, one: one, other: other}
	for name, test := range map[string]func(*testing.T){
		"Get/MissingAndProjected":      s.getOne,
		"GetMany/AcrossTables":         s.getMany,
		"Update/SetOnceAndAdd":         s.updateKinds,
		"Update/Conditions":            s.conditions,
		"Update/FailedWritesNothing":   s.updateFailed,
		"Update/ContendedAddsUp":       s.contendedAdds,
		"Update/OneOfManyWins":         s.oneWins,
		"Update/Sets":                  s.updateSets,
		"Update/RefusedReturnsTheItem": s.refused,
		"Update/ContainsNoneOfMany":    s.containsNone,
		"Update/ForeignAsRead":         s.foreign,
		"Query/WholeItems":             s.queryWhole,
		"Query/OrderPagesAndFrom":      s.queryPages,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t) })
	}
}

type suite struct {
	db         table.DB
	one, other table.Name
}

// ref is an item of the test's own: tests run concurrently.
func (s suite) ref(t *testing.T, sort string) table.Ref { return s.one.At(t.Name(), sort) }

func (s suite) get(t *testing.T, ref table.Ref) table.Item {
	t.Helper()
	item, err := s.db.Get(t.Context(), table.Read{Ref: ref, Consistent: true})
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func (s suite) update(t *testing.T, write table.Write) table.Item {
	t.Helper()
	item, err := s.db.Update(t.Context(), write)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// An item is read without its key, whole or in part; its values have their types, an empty text too.
func (s suite) getOne(t *testing.T) {
	if item := s.get(t, s.ref(t, "none")); item != nil {
		t.Errorf("got %v", item)
	}
	ref := s.ref(t, "a")
	all := table.Item{"Count": int64(3), "Status": "Sent", "Empty": ""}
	same(t, s.update(t, table.Write{Ref: ref, Set: all}), all)
	same(t, s.get(t, ref), all)
	item, err := s.db.Get(t.Context(), table.Read{Ref: ref, Attributes: []string{"Count", "Status", "Lacking"},
		Consistent: true})
	if err != nil {
		t.Fatal(err)
	}
	same(t, item, table.Item{"Count": int64(3), "Status": "Sent"})
	if _, err := item.Int("Status"); err == nil {
		t.Error("a string was read as a number")
	}
}

func (s suite) getMany(t *testing.T) {
	here, there := s.one.At(t.Name(), "a"), s.other.At(t.Name(), "a")
	s.update(t, table.Write{Ref: here, Set: map[string]any{"N": int64(1)}})
	s.update(t, table.Write{Ref: there, Set: map[string]any{"N": int64(2), "Other": true}})
	items, err := s.db.GetMany(t.Context(), []table.Read{
		{Ref: here, Attributes: []string{"N"}, Consistent: true},
		{Ref: there, Attributes: []string{"N"}, Consistent: true},
		{Ref: s.other.At(t.Name(), "missing"), Attributes: []string{"N"}, Consistent: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, items, map[table.Ref]table.Item{here: {"N": int64(1)}, there: {"N": int64(2)}})
}

func (s suite) updateKinds(t *testing.T) {
	ref := s.ref(t, "a")
	write := table.Write{
		Ref:     ref,
		Set:     map[string]any{"Said": "first"},
		SetOnce: map[string]any{"Since": int64(1)},
		Add:     map[string]any{"Total": int64(2), "Delta": int64(-1)},
	}
	same(t, s.update(t, write), table.Item{"Said": "first", "Since": int64(1), "Total": int64(2), "Delta": int64(-1)})
	write.Set["Said"], write.SetOnce["Since"] = "second", int64(2)
	same(t, s.update(t, write), table.Item{"Said": "second", "Since": int64(1), "Total": int64(4), "Delta": int64(-2)})
	same(t, s.get(t, ref), table.Item{"Said": "second", "Since": int64(1), "Total": int64(4), "Delta": int64(-2)})
}

func (s suite) updateSets(t *testing.T) {
	ref := s.ref(t, "a")
	add := func(blobs table.Blobs, numbers table.Ints) table.Write {
		return table.Write{Ref: ref, Add: map[string]any{"Blobs": blobs, "Numbers": numbers}}
	}
	s.update(t, add(table.NewBlobs("b", "\x00\xff"), table.NewInts(3, -1)))
	want := table.Item{"Blobs": table.NewBlobs("b", "a", "\x00\xff"), "Numbers": table.NewInts(-1, 3, 20)}
	same(t, s.update(t, add(table.NewBlobs("b", "a"), table.NewInts(20, 3))), want)
	same(t, s.get(t, ref), want)

	for _, step := range []struct{ delete, left table.Blobs }{
		{table.NewBlobs("b", "none"), table.NewBlobs("a", "\x00\xff")}, {table.NewBlobs("a", "\x00\xff"), nil},
		{table.NewBlobs("a"), nil},
	} {
		want := table.Item{"Numbers": table.NewInts(-1, 3, 20), "N": int64(1)}
		if step.left != nil {
			want["Blobs"] = step.left
		}
		same(t, s.update(t, table.Write{Ref: ref, Set: map[string]any{"N": int64(1)},
			Delete: map[string]table.Blobs{"Blobs": step.delete}}), want)
	}
}

func (s suite) contendedAdds(t *testing.T) {
	ref := s.ref(t, "a")
	const writers, each = 8, 10
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range each {
				if _, err := s.db.Update(t.Context(),
					table.Write{Ref: ref, Add: map[string]any{"N": int64(1)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	same(t, s.get(t, ref), table.Item{"N": int64(writers * each)})
}

func (s suite) oneWins(t *testing.T) {
	var group sync.WaitGroup
	var won atomic.Int64
	for range 8 {
		group.Go(func() {
			_, err := s.db.Update(t.Context(), table.Write{Ref: s.ref(t, "a"), Set: map[string]any{"Taken": true},
				If: []table.Condition{{Attribute: "Taken", Operator: table.Absent}}})
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, table.ErrConditionFailed) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 8 took what only one may take", won.Load())
	}
}
