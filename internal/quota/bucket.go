package quota

// bucket hands out tokens at a rate, and saves up to a burst of them. Who finds too few waits in line.
type bucket struct {
	limit  Limit
	tokens float64 // may be negative: promised to those who wait
	at     float64 // when tokens was right
}

func newBucket(limit Limit) bucket { return bucket{limit: limit, tokens: limit.Burst} }

// take takes n tokens and returns the time from which they are there, unless that is later than the deadline: then it
// takes none and returns false. A call for a time before that of an earlier call stands in line behind it.
func (b *bucket) take(t, n, deadline float64) (float64, bool) {
	if t > b.at {
		b.tokens = min(b.limit.Burst, b.tokens+(t-b.at)*b.limit.Rate)
		b.at = t
	}
	there := t
	if n > b.tokens {
		there = max(t, b.at+(n-b.tokens)/b.limit.Rate)
	}
	if there > deadline {
		return there, false
	}
	b.tokens -= n
	return there, true
}

// grow sets the rate to so many times what it was, with a burst of one second.
func (b *bucket) grow(rate float64) { b.limit = Limit{rate, rate} }

// noticeable is a wait that tells of a limit, and not only of chance, in seconds.
const noticeable = 0.1

// wait is what a quota did to a run.
type wait struct {
	First     float64 // when something first waited for it for a second or more
	Bound     float64 // for how long in all something waited for it that waited noticeably long
	Longest   float64 // wait
	Throttled int     // requests that waited or were refused
	last      float64 // end of the time counted in Bound
}

// add counts a wait. Waits are added in the order in which they begin.
func (w *wait) add(from, to float64) {
	if to <= from {
		return
	}
	if to-from >= 1 && w.Longest < 1 {
		w.First = from
	}
	w.Throttled++
	w.Longest = max(w.Longest, to-from)
	if to-from >= noticeable && to > w.last {
		w.Bound += to - max(from, w.last)
		w.last = to
	}
}
