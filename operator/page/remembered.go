package page

import (
	"sync"
	"time"
)

// mostKept is how many keys are remembered. The reading of a run of 10,000 collections takes some megabytes.
const mostKept = 20

// remembered keeps what was read a moment ago, by key, so that many views of one page ask once.
type remembered[T any] struct {
	mu   sync.Mutex
	kept map[string]*remembrance[T]
}

type remembrance[T any] struct {
	asked time.Time // last; remembered.mu guards it

	turn  chan struct{} // holds one while somebody reads; a channel, since tests with a clock of their own wait for it
	value T
	at    time.Time
	rest  time.Duration // by what reading it took
}

// get returns what was read no longer than so ago, or than reading it calls for a rest, or reads it. Those who ask at
// one time wait for one reading. Errors are not kept.
func (m *remembered[T]) get(key string, now time.Time, longest time.Duration, read func() (T, error)) (T, error) {
	one := m.of(key, now)
	one.turn <- struct{}{}
	defer func() { <-one.turn }()
	if !one.at.IsZero() && now.Sub(one.at) < max(longest, one.rest) {
		return one.value, nil
	}
	began := time.Now()
	value, err := read()
	if err == nil {
		took := time.Since(began)
		one.value, one.at, one.rest = value, now.Add(took), rest(took)
	}
	return value, err
}

// of returns the place of a key. A new one takes that of the key that nobody has asked for longest, if all are taken.
func (m *remembered[T]) of(key string, now time.Time) *remembrance[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.kept[key]
	if one == nil {
		if m.kept == nil {
			m.kept = map[string]*remembrance[T]{}
		}
		if len(m.kept) >= mostKept {
			m.dropOldest()
		}
		one = &remembrance[T]{turn: make(chan struct{}, 1)}
		m.kept[key] = one
	}
	one.asked = now
	return one
}

func (m *remembered[T]) dropOldest() {
	oldest, found := "", false
	for key, one := range m.kept {
		if !found || one.asked.Before(m.kept[oldest].asked) {
			oldest, found = key, true
		}
	}
	delete(m.kept, oldest)
}

// forget makes the next get read.
func (m *remembered[T]) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, key)
}
