package page

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

var errSeen = errors.New("seen")

// However many watch a run, one poller reads it, and it ends when nobody watches any more.
func TestOnePollerForAllWhoWatch(t *testing.T) {
	t.Parallel()
	var polling, most, reads atomic.Int64
	var ended sync.WaitGroup
	h := newHub(t.Context(), func(ctx context.Context, key string) (any, error) {
		if reads.Add(1) == 1 {
			most.Store(max(most.Load(), polling.Add(1)))
			ended.Go(func() { <-ctx.Done(); polling.Add(-1) })
		}
		return key, nil
	})
	const viewers = 20
	var joined, watching sync.WaitGroup
	joined.Add(viewers)
	leave := make(chan struct{})
	for range viewers {
		watching.Go(func() {
			err := h.follow(t.Context(), "run", func(last reading) error {
				if last.Value != "run" || last.Version == "" {
					t.Errorf("told %+v", last)
				}
				joined.Done()
				<-leave
				return errSeen
			})
			if !errors.Is(err, errSeen) {
				t.Errorf("ended with %v", err)
			}
		})
	}
	joined.Wait()
	h.mu.Lock()
	if len(h.watched) != 1 || h.watched["run"].viewers != viewers {
		t.Errorf("%d pollers, want one with %d viewers", len(h.watched), viewers)
	}
	h.mu.Unlock()
	close(leave)
	watching.Wait()
	ended.Wait() // the poller's context is done
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.watched) != 0 || polling.Load() != 0 || most.Load() != 1 {
		t.Errorf("%d pollers are left", len(h.watched))
	}
}

// An error is told, with what was read before it.
func TestErrorsAreTold(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	h := newHub(t.Context(), func(context.Context, string) (any, error) { return nil, broken })
	err := h.follow(t.Context(), "run", func(last reading) error { return last.Err })
	if !errors.Is(err, broken) {
		t.Errorf("told %v", err)
	}
}
