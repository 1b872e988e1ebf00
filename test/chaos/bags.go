package chaos

import (
	"maps"
	"slices"
	"sync"
)

// bag counts things by label. It is safe for concurrent use. Its zero value is empty.
type bag struct {
	mu sync.Mutex
	by map[string]map[string]int
}

func (b *bag) add(label, thing string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by == nil {
		b.by = map[string]map[string]int{}
	}
	if b.by[label] == nil {
		b.by[label] = map[string]int{}
	}
	b.by[label][thing]++
}

// of returns a copy of the things of a label, with their numbers.
func (b *bag) of(label string) map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.by[label])
}

// labels returns the sorted labels.
func (b *bag) labels() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.by))
}

// count returns how many things there are, and how many distinct ones.
func (b *bag) count() (all, distinct int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[string]bool{}
	for _, things := range b.by {
		for thing, n := range things {
			all += n
			seen[thing] = true
		}
	}
	return all, len(seen)
}
