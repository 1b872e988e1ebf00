// Package tabletest is the conformance suite of package table's implementations.
package tabletest

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/table"
)

// Run runs the suite over two empty tables of a database.
func Run(t *testing.T, db table.DB, one, other table.Name) {
	s := suite{db: db, one: one, other: other}
	for name, test := range map[string]func(*testing.T){
		"Get/Missing":                    s.getMissing,
		"Get/OnlyTheAttributes":          s.getProjected,
		"GetMany/AcrossTables":           s.getMany,
		"Update/SetOnceAndAdd":           s.updateKinds,
		"Update/Conditions":              s.conditions,
		"Update/FailedWritesNothing":     s.updateFailed,
		"Update/ContendedAddsUp":         s.contendedAdds,
		"Update/OneOfManyWins":           s.oneWins,
		"Query/WholeItems":               s.queryWhole,
		"Update/Sets":                    s.updateSets,
		"Update/RefusedReturnsTheItem":   s.refused,
		"Update/ContainsNoneOfMany":      s.containsNone,
		"Update/ForeignAsRead":           s.foreign,
		"Query/OrderAndPages":            s.queryPages,
		"Query/FromAKeyOn":               s.queryFrom,
		"Query/OnlyThePartition":         s.queryPartition,
		"Types/WrongTypeIsAnError":       s.wrongType,
		"Keys/NotAmongTheAttributes":     s.keysApart,
		"Update/EmptyStringsAreAccepted": s.emptyString,
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

func (s suite) getMissing(t *testing.T) {
	if item := s.get(t, s.ref(t, "none")); item != nil {
		t.Errorf("got %v", item)
	}
}

func (s suite) getProjected(t *testing.T) {
	ref := s.ref(t, "a")
	s.update(t, table.Write{Ref: ref, Set: map[string]any{"Count": int64(3), "Status": "Sent", "Name": "x"}})
	item, err := s.db.Get(t.Context(), table.Read{Ref: ref, Attributes: []string{"Count", "Status", "Lacking"},
		Consistent: true})
	if err != nil {
		t.Fatal(err)
	}
	same(t, item, table.Item{"Count": int64(3), "Status": "Sent"})
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

	del := func(blobs ...string) table.Item {
		return s.update(t, table.Write{Ref: ref, Set: map[string]any{"N": int64(1)},
			Delete: map[string]table.Blobs{"Blobs": table.NewBlobs(blobs...)}})
	}
	same(t, del("b", "none"), table.Item{"Blobs": table.NewBlobs("a", "\x00\xff"), "Numbers": table.NewInts(-1, 3, 20),
		"N": int64(1)})
	same(t, del("a", "\x00\xff"), table.Item{"Numbers": table.NewInts(-1, 3, 20), "N": int64(1)})
	same(t, del("a"), table.Item{"Numbers": table.NewInts(-1, 3, 20), "N": int64(1)})
}

func (s suite) contendedAdds(t *testing.T) {
	ref := s.ref(t, "a")
	const writers, each = 8, 10
	s.concurrently(t, writers, func(int) error {
		for range each {
			if _, err := s.db.Update(t.Context(),
				table.Write{Ref: ref, Add: map[string]any{"N": int64(1)}}); err != nil {
				return err
			}
		}
		return nil
	})
	same(t, s.get(t, ref), table.Item{"N": int64(writers * each)})
}

func (s suite) oneWins(t *testing.T) {
	ref := s.ref(t, "a")
	var mu sync.Mutex
	won := 0
	s.concurrently(t, 8, func(int) error {
		_, err := s.db.Update(t.Context(), table.Write{Ref: ref, Set: map[string]any{"Taken": true},
			If: []table.Condition{{Attribute: "Taken", Operator: table.Absent}}})
		if errors.Is(err, table.ErrConditionFailed) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		won++
		return err
	})
	if won != 1 {
		t.Errorf("%d of 8 took what only one may take", won)
	}
}

func (s suite) concurrently(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			if err := do(i); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func (s suite) wrongType(t *testing.T) {
	s.update(t, table.Write{Ref: s.ref(t, "a"), Set: map[string]any{"N": "three"}})
	if _, err := s.get(t, s.ref(t, "a")).Int("N"); err == nil {
		t.Error("a string was read as a number")
	}
}

func (s suite) keysApart(t *testing.T) {
	item := s.update(t, table.Write{Ref: s.ref(t, "a"), Set: map[string]any{"N": int64(1)}})
	same(t, item, table.Item{"N": int64(1)})
}

func (s suite) emptyString(t *testing.T) {
	s.update(t, table.Write{Ref: s.ref(t, "a"), Set: map[string]any{"S": ""}})
	same(t, s.get(t, s.ref(t, "a")), table.Item{"S": ""})
}
