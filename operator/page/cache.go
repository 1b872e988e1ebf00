package page

import (
	"sync"
	"time"
)

// maxEntries bounds a cache: the reading of a run of 10,000 collections takes some megabytes.
const maxEntries = 20

// cache holds recent readings by key, so that many views of a page share one.
type cache[T any] struct {
	mu      sync.Mutex
	entries map[string]*entry[T]
}

type entry[T any] struct {
	used time.Time // last; cache.mu guards it

	lock     chan struct{} // held while reading; a channel, since synctest does not wait for a mutex
	value    T
	at       time.Time
	cooldown time.Duration
}

// get returns the value if it is younger than maxAge or its cooldown, else it reads. Concurrent callers share one
// reading. Errors are not cached.
func (c *cache[T]) get(key string, now time.Time, maxAge time.Duration, read func() (T, error)) (T, error) {
	e := c.entry(key, now)
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

// entry returns the entry of a key. A new one evicts the least recently used one if the cache is full.
func (c *cache[T]) entry(key string, now time.Time) *entry[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		if c.entries == nil {
			c.entries = map[string]*entry[T]{}
		}
		if len(c.entries) >= maxEntries {
			c.evictOldest()
		}
		e = &entry[T]{lock: make(chan struct{}, 1)}
		c.entries[key] = e
	}
	e.used = now
	return e
}

func (c *cache[T]) evictOldest() {
	oldest, found := "", false
	for key, e := range c.entries {
		if !found || e.used.Before(c.entries[oldest].used) {
			oldest, found = key, true
		}
	}
	delete(c.entries, oldest)
}

// forget makes the next get read.
func (c *cache[T]) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, key)
}
