package quota

import "snapshot-status-checker/internal/price"

// Result is how a run went.
type Result struct {
	Complete    bool    // every collection is successful; else messages were given up
	Duration    float64 // s until the last execution ended
	Delivered   float64 // s until the last file was sent
	SendersHeld float64 // s that the senders' own writes had to wait
	Executions  int
	Groups      int // updates that counted files
	Calls       int // of increment
	Retries     int // of the state machine
	Refused     int // updates refused since the page was turned
	PagesRead   int // by processes that did not have them
	MostCalls   int // at a time
	MostOpen    int // STANDARD executions at a time
	Returned    int // messages of EXPRESS that came back to the queue
	GivenUp     int // messages, kept in the rejected-messages queue or, of EXPRESS, in the source's dead-letter queue
	Waits       [kinds]wait
	Usage       price.Usage
}

// Bill is what the run costs at list prices.
func (r Result) Bill() price.Bill { return price.List.Bill(r.Usage) }

// First is the quota that first made something wait for a second or more, leaving out the pipe, which begins with few
// pollers.
func (r Result) First() (Kind, bool) {
	first, found := Kind(0), false
	for kind := range kinds {
		if w := r.Waits[kind]; kind != PipePollers && w.Longest >= 1 && (!found || w.First < r.Waits[first].First) {
			first, found = kind, true
		}
	}
	return first, found
}

// Most is the quota for which something waited longest in all.
func (r Result) Most() (Kind, bool) {
	most := Kind(0)
	for kind := range kinds {
		if r.Waits[kind].Bound > r.Waits[most].Bound {
			most = kind
		}
	}
	return most, r.Waits[most].Bound > 0
}
