package lookagain_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/lookagain"
)

// Each collection is looked at once, in executions as large as they may be.
func TestStart(t *testing.T) {
	t.Parallel()
	const most = snapshot.MaxRequested
	for n, want := range map[int]int{0: 0, 1: 1, most: 1, most + 1: 2, 3*most + 5: 4} {
		var keys []snapshot.CollectionKey
		for i := range n {
			keys = append(keys, snapshot.CollectionKey{CollectionName: fmt.Sprint(i)})
		}
		executions, looked := 0, 0
		err := lookagain.Start(t.Context(), func(_ context.Context, some []snapshot.CollectionKey) error {
			for _, key := range some {
				if key != keys[looked] || len(some) > most {
					t.Errorf("of %d: %v in an execution of %d", n, key, len(some))
				}
				looked++
			}
			executions++
			return nil
		}, keys)
		if err != nil || looked != n || executions != want {
			t.Errorf("of %d: %d looked at in %d executions (%v), want %d", n, looked, executions, err, want)
		}
	}
	failed := errors.New("no right")
	calls := 0
	err := lookagain.Start(t.Context(), func(context.Context, []snapshot.CollectionKey) error {
		calls++
		return failed
	}, make([]snapshot.CollectionKey, 2*most))
	if !errors.Is(err, failed) || calls != 1 || !strings.Contains(err.Error(),
		"0 of 2 executions were started before. Trying again is safe") {
		t.Errorf("%d calls: %v", calls, err)
	}
	second := func(context.Context, []snapshot.CollectionKey) error {
		if calls++; calls == 3 {
			return failed
		}
		return nil
	}
	if err := lookagain.Start(t.Context(), second, make([]snapshot.CollectionKey, 3*most)); !strings.Contains(
		fmt.Sprint(err), "1 of 3 executions") {
		t.Error(err)
	}
}
