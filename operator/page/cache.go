package page

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxEntries bounds a cache, apart from what is kept: the reading of a run of 10,000 collections takes some megabytes.
const maxEntries = 20

// cache holds recent readings by key, so that many views of a page share one. Those used least recently go first.
type cache[T any] struct {
	mu      sync.Mutex
	entries *simplelru.LRU[string, *entry[T]]
	kept    map[string]*entry[T]
}

type entry[T any] struct {
	held     chan struct{} // a channel, since synctest does not wait for a mutex
	value    T
	at       time.Time // when it was read; zero before, and once it is outdated
	outdated atomic.Bool
	cooldown time.Duration
	keepers  int
}

// find returns the entry of a key, nil if there is none.
func (c *cache[T]) find(key string) *entry[T] {
	if c.entries == nil {
		c.entries, _ = simplelru.NewLRU[string, *entry[T]](maxEntries, nil) // fails only without a size
		c.kept = map[string]*entry[T]{}
	}
	e, _ := c.entries.Get(key)
	if e == nil {
		e = c.kept[key]
	}
	return e
}

func (c *cache[T]) findOrAdd(key string) *entry[T] {
	e := c.find(key)
	if e == nil {
		e = &entry[T]{held: make(chan struct{}, 1)}
		c.entries.Add(key, e)
	}
	return e
}

// keep keeps the entry of a key until release is called, however many others are used.
func (c *cache[T]) keep(key string) (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.findOrAdd(key)
	e.keepers++
	c.kept[key] = e
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if e.keepers--; e.keepers == 0 {
			delete(c.kept, key)
		}
	}
}

// hold returns the entry of a key. No other caller has it until release is called.
func (c *cache[T]) hold(key string) (e *entry[T], release func()) {
	c.mu.Lock()
	e = c.findOrAdd(key)
	c.mu.Unlock()
	e.held <- struct{}{}
	if e.outdated.Swap(false) {
		e.at = time.Time{}
	}
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

// forget makes the next get read, and does not wait for a reading in progress.
func (c *cache[T]) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.find(key); e != nil {
		e.outdated.Store(true)
	}
}
