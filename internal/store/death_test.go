package store_test

import (
	"errors"
	"testing"

	"snapshot-status-checker/internal/table/tabletest"
)

// What goes wrong, and what others do in between.

var errDied = errors.New("died here")

// dies lets the process die before its n-th call from now on: that and everything after it fails.
func (w *world) dies(n int) { w.diesBefore(n, func(tabletest.Call) bool { return true }) }

// diesBefore is dies, of the n-th call for which this holds.
func (w *world) diesBefore(n int, which func(tabletest.Call) bool) {
	dead := false
	w.before = func(call tabletest.Call) error {
		if which(call) {
			n--
		}
		if dead = dead || n < 0; dead {
			return errDied
		}
		return nil
	}
}

// diesAfter lets the process die after its n-th call took effect: the answer is lost, and everything after it fails.
func (w *world) diesAfter(n int) {
	w.after = func(tabletest.Call) error {
		if n--; n < 0 {
			return errDied
		}
		return nil
	}
	w.before = func(tabletest.Call) error {
		if n < 0 {
			return errDied
		}
		return nil
	}
}

func (w *world) revives() { w.before, w.after = nil, nil }

// everyDeath plays a scenario once for every call of do at which the process can die, before the call or after it took
// effect. then gets the world after the death.
func everyDeath(t *testing.T, given func(w *world), do func(w *world) error, then func(w *world)) {
	for name, die := range map[string]func(*world, int){"before": (*world).dies, "after": (*world).diesAfter} {
		for n := 0; ; n++ {
			w := newMemoryWorld(t)
			given(w)
			die(w, n)
			err := do(w)
			w.revives()
			if err != nil && !errors.Is(err, errDied) {
				t.Fatalf("%s call %d: %v", name, n, err)
			}
			then(w)
			if t.Failed() {
				t.Fatalf("dead %s call %d", name, n)
			}
			if err == nil {
				if n == 0 {
					t.Fatal("nothing died")
				}
				break
			}
		}
	}
}

// isUpdate says whether a call updates an item of this part; see part.
func (w *world) isUpdate(part string) func(tabletest.Call) bool {
	return func(call tabletest.Call) bool { return call.Operation == "Update" && w.part(call.Refs[0]) == part }
}

// nth is which, for the n-th such call from 1 on.
func nth(n int, which func(tabletest.Call) bool) func(tabletest.Call) bool {
	return func(call tabletest.Call) bool {
		if which(call) {
			n--
		}
		return n == 0
	}
}

// meanwhile does something once, before the first call for which this holds.
func (w *world) meanwhile(which func(tabletest.Call) bool, do func()) {
	done := false
	w.before = func(call tabletest.Call) error {
		if !done && which(call) {
			done = true
			do()
		}
		return nil
	}
	w.Cleanup(func() {
		if !done && !w.Failed() {
			w.Error("what should happen meanwhile did not happen")
		}
	})
}
