package main

import "maps"

// calls is what a counter saw.
type calls struct {
	// Kinds is the number of calls by their kind, such as DynamoDB.UpdateItem.
	Kinds map[string]int
	// Failed is how many of them the engine refused, by kind and error: DynamoDB.UpdateItem
	// ConditionalCheckFailedException.
	Failed map[string]int
	// Payloads is how many requests EventBridge Pipes bills for the inputs of the executions that were started.
	Payloads float64
	// ReadUnits and WriteUnits are the capacity that the calls of each kind consumed, as the engine reports it.
	ReadUnits, WriteUnits map[string]float64
	// Seconds is how long the calls of each kind took together.
	Seconds map[string]float64
	// RepeatedUpdates is how many updates of rows followed on a refused one of the same row by the same call of a
	// function.
	RepeatedUpdates int
}

func newCalls() calls {
	return calls{
		Kinds: map[string]int{}, Failed: map[string]int{},
		ReadUnits: map[string]float64{}, WriteUnits: map[string]float64{}, Seconds: map[string]float64{},
	}
}

// plus is both together.
func (a calls) plus(b calls) calls {
	sum := newCalls()
	for _, part := range []calls{a, b} {
		sum.Payloads += part.Payloads
		sum.RepeatedUpdates += part.RepeatedUpdates
		for kind, n := range part.Kinds {
			sum.Kinds[kind] += n
		}
		for kind, n := range part.Failed {
			sum.Failed[kind] += n
		}
		for kind, n := range part.ReadUnits {
			sum.ReadUnits[kind] += n
		}
		for kind, n := range part.WriteUnits {
			sum.WriteUnits[kind] += n
		}
		for kind, n := range part.Seconds {
			sum.Seconds[kind] += n
		}
	}
	return sum
}

func (a calls) readUnits() float64  { return total(a.ReadUnits) }
func (a calls) writeUnits() float64 { return total(a.WriteUnits) }

func total(units map[string]float64) float64 {
	sum := 0.0
	for n := range maps.Values(units) {
		sum += n
	}
	return sum
}

// tableSeconds is how long the calls of DynamoDB took together.
func (a calls) tableSeconds() (sum float64) {
	for _, kind := range tableKinds {
		sum += a.Seconds["DynamoDB."+kind]
	}
	return sum
}
