package statemachine_test

import (
	"encoding/json"
	"testing"
)

// The local engine runs the states inside of a Map but does not write them into the execution's history
// (docs/decisions.md). To see them entered by name, a path is run a second time through the same definition
// with the Map unrolled: its inner states, untouched, stand beside the outer ones, and in the Map's place
// stands a choice that hands them the one collection of the path.
const (
	mapState = "Look at Each Collection"
	noItems  = "(no collections)"
)

func unroll(t *testing.T, definition string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(definition), &m); err != nil {
		t.Fatal(err)
	}
	states := m["States"].(map[string]any)
	processor := states[mapState].(map[string]any)["ItemProcessor"].(map[string]any)
	for name, inner := range processor["States"].(map[string]any) {
		if _, taken := states[name]; taken {
			t.Fatalf("state %q stands inside and outside of the Map", name)
		}
		states[name] = inner
	}
	states[noItems] = map[string]any{"Type": "Succeed"}
	states[mapState] = map[string]any{"Type": "Choice", "Choices": []any{
		map[string]any{"Condition": "{% $count([$states.input.collections]) = 0 %}", "Next": noItems},
		map[string]any{"Condition": "{% $count([$states.input.collections]) = 1 %}", "Next": processor["StartAt"],
			"Output": "{% [$states.input.collections][0] %}"},
	}}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// outer keeps the states that stand outside of the Map.
func outer(t *testing.T, names []string) []string {
	t.Helper()
	states := definition(t).States
	var kept []string
	for _, name := range names {
		if _, ok := states[name]; ok {
			kept = append(kept, name)
		}
	}
	return kept
}
