package statemachine

import (
	"encoding/json"
	"fmt"
	"maps"
)

// Machine is the part of a definition, or of a Map inside it, that this project reads.
type Machine struct {
	StartAt string
	States  map[string]State
}

// State is a state of a machine.
type State struct {
	Type           string
	Comment        string
	Next           string
	End            bool
	Default        string
	TimeoutSeconds int
	Choices        []Choice
	Retry          []Retrier
	Catch          []Catcher
	Arguments      json.RawMessage
	ItemProcessor  *Machine // of a Map
}

// Choice is a branch of a Choice state.
type Choice struct{ Comment, Condition, Next string }

// Retrier is a retry rule for errors.
type Retrier struct {
	ErrorEquals     []string
	IntervalSeconds float64
	BackoffRate     float64
	MaxDelaySeconds float64
	MaxAttempts     int
	JitterStrategy  string
}

// Catcher is the next state after errors.
type Catcher struct {
	ErrorEquals []string
	Next        string
}

// Parse reads a definition.
func Parse(definition string) (Machine, error) {
	var m Machine
	if err := json.Unmarshal([]byte(definition), &m); err != nil {
		return m, fmt.Errorf("reading the state machine's definition: %w", err)
	}
	return m, nil
}

// All lists every state, those inside Maps included.
func (m Machine) All() map[string]State {
	states := maps.Clone(m.States)
	for _, s := range m.States {
		if s.ItemProcessor != nil {
			maps.Copy(states, s.ItemProcessor.All())
		}
	}
	return states
}

// Way is a transition from a state to another one.
type Way struct {
	To     string
	Kind   WayKind
	Choice *Choice // of ByChoice
}

// WayKind is the part of the definition that a transition is from.
type WayKind string

// The kinds of transitions.
const (
	ByNext    WayKind = "next"
	ByChoice  WayKind = "choice"
	ByDefault WayKind = "default"
	ByCatch   WayKind = "catch"
)

// Ways lists the state's transitions in the order of its definition.
func (s State) Ways() []Way {
	var ways []Way
	for i, choice := range s.Choices {
		ways = append(ways, Way{To: choice.Next, Kind: ByChoice, Choice: &s.Choices[i]})
	}
	if s.Type == "Choice" && s.Default != "" {
		ways = append(ways, Way{To: s.Default, Kind: ByDefault})
	}
	if s.Next != "" {
		ways = append(ways, Way{To: s.Next, Kind: ByNext})
	}
	for _, catcher := range s.Catch {
		ways = append(ways, Way{To: catcher.Next, Kind: ByCatch})
	}
	return ways
}
