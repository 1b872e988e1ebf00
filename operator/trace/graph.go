package trace

import (
	"maps"
	"slices"

	"snapshot-status-checker/statemachine"
)

// Graph is a definition, or the inside of one of its Maps: the states in the order in which they are reached.
type Graph struct {
	Start  string `json:"start"`
	States []Node `json:"states"`
	Ways   []Edge `json:"ways"`
}

// Node is a state.
type Node struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Comment string `json:"comment"`
	Inside  *Graph `json:"inside,omitempty"` // of a Map
}

// Edge is a way from a state to another one.
type Edge struct {
	From string               `json:"from"`
	To   string               `json:"to"`
	Kind statemachine.WayKind `json:"kind"`
}

// NewGraph makes the graph of a machine.
func NewGraph(m statemachine.Machine) Graph {
	graph := Graph{Start: m.StartAt, States: []Node{}, Ways: []Edge{}}
	for _, name := range inOrder(m) {
		state := m.States[name]
		node := Node{Name: name, Type: state.Type, Comment: state.Comment}
		if state.ItemProcessor != nil {
			inside := NewGraph(*state.ItemProcessor)
			node.Inside = &inside
		}
		graph.States = append(graph.States, node)
		for _, way := range state.Ways() {
			if edge := (Edge{From: name, To: way.To, Kind: way.Kind}); !slices.Contains(graph.Ways, edge) {
				graph.Ways = append(graph.Ways, edge)
			}
		}
	}
	return graph
}

// inOrder lists the states breadth-first; unreachable ones are last.
func inOrder(m statemachine.Machine) []string {
	names, seen := []string{}, map[string]bool{}
	add := func(name string) {
		if _, there := m.States[name]; there && !seen[name] {
			seen[name], names = true, append(names, name)
		}
	}
	add(m.StartAt)
	for i := 0; i < len(names); i++ {
		for _, way := range m.States[names[i]].Ways() {
			add(way.To)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.States)) {
		add(name)
	}
	return names
}
