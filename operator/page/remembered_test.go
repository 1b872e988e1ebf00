package page

import (
	"fmt"
	"testing"
	"time"
)

// As many keys as are kept are read once each, however often they are asked for. One more costs the one that nobody
// asked for longest, and no other.
func TestRememberedDropsOnlyTheOldest(t *testing.T) {
	t.Parallel()
	var m remembered[int]
	reads := map[string]int{}
	now := time.Unix(1000, 0)
	ask := func(i int) {
		now = now.Add(time.Millisecond)
		key := fmt.Sprint("key ", i)
		if _, err := m.get(key, now, time.Hour, func() (int, error) { reads[key]++; return i, nil }); err != nil {
			t.Error(err)
		}
	}
	for range 3 {
		for i := range mostKept {
			ask(i)
		}
	}
	ask(0) // so that 1 is the oldest
	ask(mostKept)
	for i := range mostKept + 1 {
		if i != 1 {
			ask(i)
		}
	}
	for key, n := range reads {
		if n != 1 {
			t.Errorf("%s was read %d times", key, n)
		}
	}
	if ask(1); reads["key 1"] != 2 || len(m.kept) != mostKept {
		t.Errorf("the oldest was read %d times, and %d are kept; want twice, and %d", reads["key 1"], len(m.kept),
			mostKept)
	}
}
