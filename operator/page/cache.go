package page

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxEntries bounds a cache: the reading of a run of 10,000 collections takes some megabytes.
const maxEntries = 20

// cache holds recent readings by key, so that many views of a page share one.
type cache[T any] struct {
	mu      sync.Mutex
	entries *simplelru.LRU[string, *entry[T]]
}

type entry[T any] struct {
	lock     chan struct{} // held while reading; a channel, since synctest does not wait for a mutex
	value    T
	at       time.Time
	cooldown time.Duration
}

// get returns the value if it is younger than maxAge or its cooldown, else it reads. Concurrent callers share one
// reading. Errors are not cached.
func (c *cache[T]) get(key string, now time.Time, maxAge time.Duration, read func() (T, error)) (T, error) {
	e := c.entry(key)
	e.lock <- struct{}{}
	defer func() { <-e.lock }()
	if !e.at.IsZero() && now.Sub(e.at) < max(maxAge, e.cooldown) {
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

func (c *cache[T]) entry(key string) *entry[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries, _ = simplelru.NewLRU[string, *entry[T]](maxEntries, nil) // fails only without a size
	}
	e, found := c.entries.Get(key)
	if !found {
		e = &entry[T]{lock: make(chan struct{}, 1)}
		c.entries.Add(key, e)
	}
	return e
}

// forget makes the next get read.
func (c *cache[T]) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries != nil {
		c.entries.Remove(key)
	}
}
