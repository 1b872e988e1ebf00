// Package tabletest is the suite that every implementation of package table passes.
package tabletest

import (
	"errors"
	"fmt"
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
		"Get/OnlyWhatIsAsked":            s.getProjected,
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

// A refused update returns the item as it is, so that nobody has to read it again.
func (s suite) refused(t *testing.T) {
	there := s.ref(t, "there")
	item := table.Item{"N": int64(1), "Set": table.NewBlobs("x")}
	s.update(t, table.Write{Ref: there, Set: item})
	for ref, want := range map[table.Ref]table.Item{there: item, s.ref(t, "none"): nil} {
		got, err := s.db.Update(t.Context(), table.Write{Ref: ref, Set: map[string]any{"N": int64(2)},
			If: []table.Condition{{Attribute: "N", Value: int64(7)}}})
		if !errors.Is(err, table.ErrConditionFailed) {
			t.Errorf("got %v", err)
		}
		same(t, got, want)
	}
}

// One condition names as many elements as an update adds at most.
func (s suite) containsNone(t *testing.T) {
	ref := s.ref(t, "a")
	var names []string
	for i := range table.MaxContained {
		names = append(names, fmt.Sprintf("digest-%05d", i))
	}
	add := func(names []string) error {
		set := table.NewBlobs(names...)
		_, err := s.db.Update(t.Context(), table.Write{Ref: ref, Set: map[string]any{"A": "x", "B": true, "C": int64(1),
			"D": "x"},
			Add: map[string]any{"Count": int64(len(names)), "Set": set},
			If: []table.Condition{{Attribute: "Pages", Operator: table.Absent},
				{Attribute: "Set", Operator: table.ContainsNone, Value: set}}})
		return err
	}
	if err := add(names); err != nil {
		t.Fatal(err)
	}
	if err := add(append(names[99:], "another")); !errors.Is(err, table.ErrConditionFailed) {
		t.Errorf("an element that is there was added: %v", err)
	}
	if err := add([]string{"another"}); err != nil {
		t.Error(err)
	}
	same(t, s.get(t, ref)["Count"], int64(101))
}

// What others wrote in another type may stand in a condition as it was read.
func (s suite) foreign(t *testing.T) {
	for name, value := range map[string]any{"text": "three", "boolean": true, "blobs": table.NewBlobs("x"),
		"numbers": table.NewInts(1)} {
		ref := s.ref(t, name)
		s.update(t, table.Write{Ref: ref, Set: map[string]any{"Odd": value}})
		read := s.get(t, ref)["Odd"]
		if _, err := s.db.Update(t.Context(), table.Write{Ref: ref, Set: map[string]any{"M": int64(1)},
			If: []table.Condition{{Attribute: "Odd", Value: read}}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (s suite) conditions(t *testing.T) {
	there := s.ref(t, "there")
	s.update(t, table.Write{Ref: there, Set: map[string]any{"N": int64(5), "Five": int64(5), "S": "x", "B": false,
		"Set": table.NewBlobs("a", "b")}})
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
		{"at least, more", there, table.Condition{Attribute: "N", Operator: table.AtLeast, Value: int64(4)}, true},
		{"at least, equal", there, table.Condition{Attribute: "N", Operator: table.AtLeast, Value: int64(5)}, true},
		{"at least, less", there, table.Condition{Attribute: "N", Operator: table.AtLeast, Value: int64(6)}, false},
		{"missing is not at least", there, table.Condition{Attribute: "None", Operator: table.AtLeast, Value: int64(0)},
			false},
		{"text is not at least", there, table.Condition{Attribute: "S", Operator: table.AtLeast, Value: int64(0)},
			false},
		{"below, less", there, table.Condition{Attribute: "N", Operator: table.Below, Value: int64(6)}, true},
		{"below, equal", there, table.Condition{Attribute: "N", Operator: table.Below, Value: int64(5)}, false},
		{"missing is not below", there, table.Condition{Attribute: "None", Operator: table.Below, Value: int64(9)},
			false},
		{"equals an attribute", there, table.Condition{Attribute: "N", Operator: table.EqualsAttribute, Value: "Five"},
			true},
		{"differs from an attribute", there, table.Condition{Attribute: "N", Operator: table.EqualsAttribute,
			Value: "S"}, false},
		{"missing equals no attribute", there, table.Condition{Attribute: "None", Operator: table.EqualsAttribute,
			Value: "N"}, false},
		{"equals no missing attribute", there, table.Condition{Attribute: "N", Operator: table.EqualsAttribute,
			Value: "None"}, false},
		{"set contains none", there, table.Condition{Attribute: "Set", Operator: table.ContainsNone,
			Value: table.NewBlobs("x", "y")}, true},
		{"set contains one", there, table.Condition{Attribute: "Set", Operator: table.ContainsNone,
			Value: table.NewBlobs("x", "a")}, false},
		{"missing set contains none", there, table.Condition{Attribute: "None", Operator: table.ContainsNone,
			Value: table.NewBlobs("a")}, true},
		{"absent", there, table.Condition{Attribute: "None", Operator: table.Absent}, true},
		{"absent but there", there, table.Condition{Attribute: "N", Operator: table.Absent}, false},
		{"exists", there, table.Condition{Attribute: "N", Operator: table.Exists}, true},
		{"exists but missing", there, table.Condition{Attribute: "None", Operator: table.Exists}, false},
		{"item exists", there, table.Condition{Attribute: s.one.PartitionKey, Operator: table.Exists}, true},
		{"no item exists", s.ref(t, "none"), table.Condition{Attribute: s.one.PartitionKey, Operator: table.Exists},
			false},
		{"item absent", there, table.Condition{Attribute: s.one.PartitionKey, Operator: table.Absent}, false},
		{"no item absent", s.ref(t, "new"), table.Condition{Attribute: s.one.PartitionKey, Operator: table.Absent},
			true},
	} {
		_, err := s.db.Update(t.Context(), table.Write{Ref: c.ref, Set: map[string]any{"Touched": true},
			If: []table.Condition{c.if_}})
		if c.holds && err != nil || !c.holds && !errors.Is(err, table.ErrConditionFailed) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func (s suite) updateFailed(t *testing.T) {
	ref := s.ref(t, "a")
	_, err := s.db.Update(t.Context(), table.Write{
		Ref: ref, Set: map[string]any{"N": int64(1)}, Add: map[string]any{"M": int64(1)},
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
