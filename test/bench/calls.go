package main

// calls are what a counter saw.
type calls struct {
	Kinds    map[string]int // by kind, such as DynamoDB.UpdateItem
	Failed   map[string]int // by kind and error: DynamoDB.UpdateItem ConditionalCheckFailedException
	Payloads float64        // requests that EventBridge Pipes bills for the inputs of the started executions
	// capacity units by kind, as the engine reports them
	ReadUnits, WriteUnits map[string]float64
	Seconds               map[string]float64 // of the calls of each kind together
	// updates of rows that followed a refused update of the same row by the same call of a function
	RepeatedUpdates int
}

func newCalls() calls {
	return calls{
		Kinds: map[string]int{}, Failed: map[string]int{},
		ReadUnits: map[string]float64{}, WriteUnits: map[string]float64{}, Seconds: map[string]float64{},
	}
}

func (a calls) plus(b calls) calls {
	sum := newCalls()
	for _, part := range []calls{a, b} {
		sum.Payloads += part.Payloads
		sum.RepeatedUpdates += part.RepeatedUpdates
		add(sum.Kinds, part.Kinds)
		add(sum.Failed, part.Failed)
		add(sum.ReadUnits, part.ReadUnits)
		add(sum.WriteUnits, part.WriteUnits)
		add(sum.Seconds, part.Seconds)
	}
	return sum
}

func add[N int | float64](sum, part map[string]N) {
	for kind, n := range part {
		sum[kind] += n
	}
}

func (a calls) readUnits() float64  { return total(a.ReadUnits) }
func (a calls) writeUnits() float64 { return total(a.WriteUnits) }

func total(units map[string]float64) (sum float64) {
	for _, n := range units {
		sum += n
	}
	return sum
}

// tableSeconds is the time of the calls of DynamoDB together.
func (a calls) tableSeconds() (sum float64) {
	for _, kind := range tableKinds {
		sum += a.Seconds["DynamoDB."+kind]
	}
	return sum
}
