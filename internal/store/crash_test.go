package store_test

import (
	"errors"
	"testing"

	"snapshot-status-checker/internal/table/tabletest"
)

// Faults, and writes of other systems in between.

var errCrashed = errors.New("the process has ended")

// crashes ends the process before its n-th call from now on: that call and all later ones fail.
func (ts *testStore) crashes(n int) { ts.crashesBefore(n, func(tabletest.Call) bool { return true }) }

// crashesBefore is crashes for the n-th call for which the condition holds.
func (ts *testStore) crashesBefore(n int, which func(tabletest.Call) bool) {
	ended := false
	ts.before = func(call tabletest.Call) error {
		if which(call) {
			n--
		}
		if ended = ended || n < 0; ended {
			return errCrashed
		}
		return nil
	}
}

// crashesAfter ends the process after its n-th call took effect: the answer is lost, and all later calls fail.
func (ts *testStore) crashesAfter(n int) {
	ts.after = func(tabletest.Call) error {
		if n--; n < 0 {
			return errCrashed
		}
		return nil
	}
	ts.before = func(tabletest.Call) error {
		if n < 0 {
			return errCrashed
		}
		return nil
	}
}

func (ts *testStore) recovers() { ts.before, ts.after = nil, nil }

// everyCrash plays a scenario once for every call of do, ending the process before the call and after it took effect.
// then gets the store afterwards.
func everyCrash(t *testing.T, given func(ts *testStore), do func(ts *testStore) error, then func(ts *testStore)) {
	for name, crash := range map[string]func(*testStore, int){"before": (*testStore).crashes,
		"after": (*testStore).crashesAfter} {
		for n := 0; ; n++ {
			ts := newMemoryStore(t)
			given(ts)
			crash(ts, n)
			err := do(ts)
			ts.recovers()
			if err != nil && !errors.Is(err, errCrashed) {
				t.Fatalf("%s call %d: %v", name, n, err)
			}
			then(ts)
			if t.Failed() {
				t.Fatalf("crashed %s call %d", name, n)
			}
			if err == nil {
				if n == 0 {
					t.Fatal("nothing crashed")
				}
				break
			}
		}
	}
}

// isUpdate reports whether a call updates an item of this part; see part.
func (ts *testStore) isUpdate(part string) func(tabletest.Call) bool {
	return func(call tabletest.Call) bool { return call.Operation == "Update" && ts.part(call.Refs[0]) == part }
}

// nth holds for the n-th call for which the condition holds, from 1 on.
func nth(n int, which func(tabletest.Call) bool) func(tabletest.Call) bool {
	return func(call tabletest.Call) bool {
		if which(call) {
			n--
		}
		return n == 0
	}
}

// meanwhile calls do once, before the first call for which the condition holds.
func (ts *testStore) meanwhile(which func(tabletest.Call) bool, do func()) {
	done := false
	ts.before = func(call tabletest.Call) error {
		if !done && which(call) {
			done = true
			do()
		}
		return nil
	}
	ts.Cleanup(func() {
		if !done && !ts.Failed() {
			ts.Error("what should happen meanwhile did not happen")
		}
	})
}
