package page

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxEntries bounds a cache: the reading of a run of 10,000 collections takes some megabytes.
const maxEntries = 20

// cache holds recent readings by key, so that many views of a page share one. Those used least recently go first.
type cache[T any] struct {
	mu      sync.Mutex
	entries *simplelru.LRU[string, *entry[T]]
}

type entry[T any] struct {
	held     chan struct{} // a channel, since synctest does not wait for a mutex
	value    T
	at       time.Time // when it was read; zero before, and once it is outdated
	cooldown time.Duration
}

// hold returns the entry of a key. No other caller has it until release is called.
func (c *cache[T]) hold(key string) (e *entry[T], release func()) {
	c.mu.Lock()
	if c.entries == nil {
		c.entries, _ = simplelru.NewLRU[string, *entry[T]](maxEntries, nil) // fails only without a size
	}
	e, found := c.entries.Get(key)
	if !found {
		e = &entry[T]{held: make(chan struct{}, 1)}
		c.entries.Add(key, e)
	}
	c.mu.Unlock()
	e.held <- struct{}{}
	return e, func() { <-e.held }
}

// get returns the value if it is younger than maxAge or its cooldown, else it reads. Errors are not cached.
func (c *cache[T]) get(key string, now time.Time, maxAge time.Duration, read func() (T, error)) (T, error) {
	e, release := c.hold(key)
	defer release()
	if now.Sub(e.at) < max(maxAge, e.cooldown) {
		return e.value, nil
	}
	began := time.Now()
	value, err := read()
	if err == nil {
		took := time.Since(began)
		e.value, e.at, e.cooldown = value, now.Add(took), cooldown(took)
	}
	return value, err
}

// forget makes the next get read.
func (c *cache[T]) forget(key string) {
	e, release := c.hold(key)
	defer release()
	e.at = time.Time{}
}
