// Package tabletest is the suite that every implementation of package table passes.
package tabletest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/table"
)

// DB is every operation of package table.
type DB interface {
	Get(context.Context, table.Read) (table.Item, error)
	GetMany(context.Context, []table.Read) (map[table.Ref]table.Item, error)
	Query(context.Context, table.Query) (table.Page, error)
	Update(context.Context, table.Write) (table.Item, error)
	Transact(context.Context, []table.Write) error
}

// Run runs the suite over two empty tables of a database.
func Run(t *testing.T, db DB, one, other table.Name) {
	s := suite{db: db, one: one, other: other}
	for name, test := range map[string]func(*testing.T){
		"Get/Missing":                    s.getMissing,
		"Get/OnlyWhatIsAsked":            s.getProjected,
		"GetMany/AcrossTables":           s.getMany,
		"Update/SetOnceAndAdd":           s.updateKinds,
		"Update/Conditions":              s.conditions,
		"Update/FailedWritesNothing":     s.updateFailed,
		"Update/ContendedAddsUp":         s.contendedAdds,
		"Update/OneOfManyWins":           s.oneWins,
		"Transact/AllOrNothing":          s.transactCanceled,
		"Transact/ReasonsInOrder":        s.transactReasons,
		"Query/WholeItems":               s.queryWhole,
		"Update/Remove":                  s.updateRemove,
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
	db         DB
	one, other table.Name
}

// ref is an item of the test's own: tests run side by side.
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
	item, err := s.db.Get(t.Context(), table.Read{Ref: ref, Attributes: []string{"Count", "Status", "Lacking"}, Consistent: true})
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
		Add:     map[string]table.Sum{"Total": {From: 10, N: 2}, "Delta": {N: -1}},
	}
	same(t, s.update(t, write), table.Item{"Said": "first", "Since": int64(1), "Total": int64(12), "Delta": int64(-1)})
	write.Set["Said"], write.SetOnce["Since"] = "second", int64(2)
	same(t, s.update(t, write), table.Item{"Said": "second", "Since": int64(1), "Total": int64(14), "Delta": int64(-2)})
	same(t, s.get(t, ref), table.Item{"Said": "second", "Since": int64(1), "Total": int64(14), "Delta": int64(-2)})
}

func (s suite) updateRemove(t *testing.T) {
	ref := s.ref(t, "a")
	s.update(t, table.Write{Ref: ref, Set: map[string]any{"Kept": "x", "Gone": "y"}})
	same(t, s.update(t, table.Write{Ref: ref, Set: map[string]any{"New": true}, Remove: []string{"Gone", "NeverThere"}}), table.Item{"Kept": "x", "New": true})
	same(t, s.update(t, table.Write{Ref: ref, Remove: []string{"New"}}), table.Item{"Kept": "x"})
}

func (s suite) conditions(t *testing.T) {
	there := s.ref(t, "there")
	s.update(t, table.Write{Ref: there, Set: map[string]any{"N": int64(5), "S": "x", "B": false}})
	for _, c := range []struct {
		name  string
		ref   table.Ref
		if_   table.Condition
		holds bool
	}{
		{"number equals", there, table.Condition{Attribute: "N", Value: int64(5)}, true},
		{"number differs", there, table.Condition{Attribute: "N", Value: int64(6)}, false},
		{"string equals", there, table.Condition{Attribute: "S", Value: "x"}, true},
		{"string differs in case", there, table.Condition{Attribute: "S", Value: "X"}, false},
		{"bool equals", there, table.Condition{Attribute: "B", Value: false}, true},
		{"other type", there, table.Condition{Attribute: "S", Value: int64(5)}, false},
		{"missing equals nothing", there, table.Condition{Attribute: "None", Value: int64(0)}, false},
		{"absent", there, table.Condition{Attribute: "None", Operator: table.Absent}, true},
		{"absent but there", there, table.Condition{Attribute: "N", Operator: table.Absent}, false},
		{"exists", there, table.Condition{Attribute: "N", Operator: table.Exists}, true},
		{"exists but missing", there, table.Condition{Attribute: "None", Operator: table.Exists}, false},
		{"item exists", there, table.Condition{Attribute: s.one.PartitionKey, Operator: table.Exists}, true},
		{"no item exists", s.ref(t, "none"), table.Condition{Attribute: s.one.PartitionKey, Operator: table.Exists}, false},
		{"item absent", there, table.Condition{Attribute: s.one.PartitionKey, Operator: table.Absent}, false},
		{"no item absent", s.ref(t, "new"), table.Condition{Attribute: s.one.PartitionKey, Operator: table.Absent}, true},
	} {
		_, err := s.db.Update(t.Context(), table.Write{Ref: c.ref, Set: map[string]any{"Touched": true}, If: []table.Condition{c.if_}})
		if c.holds && err != nil || !c.holds && !errors.Is(err, table.ErrConditionFailed) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func (s suite) updateFailed(t *testing.T) {
	ref := s.ref(t, "a")
	_, err := s.db.Update(t.Context(), table.Write{
		Ref: ref, Set: map[string]any{"N": int64(1)}, Add: map[string]table.Sum{"M": {N: 1}},
		If: []table.Condition{
			{Attribute: "N", Operator: table.Absent}, // holds
			{Attribute: s.one.PartitionKey, Operator: table.Exists},
		},
	})
	if !errors.Is(err, table.ErrConditionFailed) {
		t.Errorf("got %v", err)
	}
	if item := s.get(t, ref); item != nil {
		t.Errorf("a failed update made the item %v", item)
	}
}

func (s suite) contendedAdds(t *testing.T) {
	ref := s.ref(t, "a")
	const writers, each = 8, 10
	s.sideBySide(t, writers, func(int) error {
		for range each {
			if _, err := s.db.Update(t.Context(), table.Write{Ref: ref, Add: map[string]table.Sum{"N": {N: 1}}}); err != nil {
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
	s.sideBySide(t, 8, func(int) error {
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

func (s suite) sideBySide(t *testing.T, n int, do func(i int) error) {
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

func (s suite) transactCanceled(t *testing.T) {
	s.update(t, table.Write{Ref: s.ref(t, "old"), Set: map[string]any{"Digest": "d"}})
	absent := []table.Condition{{Attribute: s.one.PartitionKey, Operator: table.Absent}}
	writes := []table.Write{
		{Ref: s.ref(t, "new"), Set: map[string]any{"Digest": "n"}, If: absent},
		{Ref: s.ref(t, "old"), Set: map[string]any{"Digest": "o"}, If: absent},
		{Ref: s.ref(t, "count"), Add: map[string]table.Sum{"N": {N: 2}}},
	}
	if err := s.db.Transact(t.Context(), writes); !errors.As(err, new(*table.Canceled)) {
		t.Fatalf("got %v", err)
	}
	if item := s.get(t, s.ref(t, "count")); item != nil {
		t.Errorf("a cancelled transaction counted %v", item)
	}
	if err := s.db.Transact(t.Context(), []table.Write{writes[0], writes[2]}); err != nil {
		t.Fatal(err)
	}
	same(t, s.get(t, s.ref(t, "new")), table.Item{"Digest": "n"})
	same(t, s.get(t, s.ref(t, "old")), table.Item{"Digest": "d"})
	same(t, s.get(t, s.ref(t, "count")), table.Item{"N": int64(2)})
}

func (s suite) transactReasons(t *testing.T) {
	s.update(t, table.Write{Ref: s.ref(t, "old"), Set: map[string]any{"Digest": "d"}})
	err := s.db.Transact(t.Context(), []table.Write{
		{Ref: s.ref(t, "a"), Set: map[string]any{"X": true}, If: []table.Condition{{Attribute: "X", Operator: table.Exists}}},
		{Ref: s.ref(t, "b"), Set: map[string]any{"X": true}},
		{Ref: s.ref(t, "old"), Set: map[string]any{"X": true}, If: []table.Condition{{Attribute: "Digest", Value: "other"}}},
	})
	var canceled *table.Canceled
	if !errors.As(err, &canceled) {
		t.Fatalf("got %v", err)
	}
	same(t, canceled.Reasons, []table.Reason{
		{ConditionFailed: true},
		{},
		{ConditionFailed: true, Old: table.Item{"Digest": "d"}},
	})
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
