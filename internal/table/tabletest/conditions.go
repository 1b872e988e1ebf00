package tabletest

import (
	"errors"
	"fmt"
	"testing"

	"snapshot-status-checker/internal/table"
)

// A refused update returns the present item.
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

// One condition takes as many elements as an update adds at most.
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

// A condition may compare with a value of another type that was read.
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
