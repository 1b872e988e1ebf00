package page

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	errSeen = errors.New("seen")
	aRun    = topic{Of: ofRun, Run: "run"}
)

// However many watch a run, one poller reads it, and it ends when nobody watches any more.
func TestOnePollerForAllWhoWatch(t *testing.T) {
	t.Parallel()
	var polling, most, reads atomic.Int64
	var ended sync.WaitGroup
	h := newHub(t.Context(), func(ctx context.Context, of topic) (reading, error) {
		if reads.Add(1) == 1 {
			most.Store(max(most.Load(), polling.Add(1)))
			ended.Go(func() { <-ctx.Done(); polling.Add(-1) })
		}
		return reading{Value: of.Run}, nil
	})
	const viewers = 20
	var joined, watching sync.WaitGroup
	joined.Add(viewers)
	leave := make(chan struct{})
	for range viewers {
		watching.Go(func() {
			err := h.follow(t.Context(), aRun, func(last reading) error {
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
	if len(h.watched) != 1 || h.watched[aRun].viewers != viewers {
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
	h := newHub(t.Context(), func(context.Context, topic) (reading, error) { return reading{}, broken })
	err := h.follow(t.Context(), aRun, func(last reading) error { return last.Err })
	if !errors.Is(err, broken) {
		t.Errorf("told %v", err)
	}
}

// A page that is opened, its chart and its poller share one reading. What takes long to read is read again only after ten
// times as long, whoever asks; nobody is told of something older.
func TestOneReadingForAllWhoAsk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const takes = 2 * time.Second
		ctx, stop := context.WithCancel(t.Context())
		var reads atomic.Int64
		h := newHub(ctx, func(context.Context, topic) (reading, error) {
			time.Sleep(takes)
			return reading{Value: reads.Add(1)}, nil
		})
		ask := func() { // as a page does, and its chart
			last, err := h.latest(ctx, aRun)
			if err != nil || last.Value != reads.Load() {
				t.Errorf("read %v, %v, want %d", last.Value, err, reads.Load())
			}
		}
		ask()
		ask()
		var told []any
		var following sync.WaitGroup
		following.Go(func() {
			_ = h.follow(ctx, aRun, func(last reading) error { told = append(told, last.Value); return nil })
		})
		time.Sleep(restful*takes - time.Second)
		ask()
		if n := reads.Load(); n != 1 {
			t.Errorf("%d readings before the rest is over, want 1", n)
		}
		time.Sleep(takes + 2*time.Second)
		ask()
		stop()
		following.Wait()
		if n := reads.Load(); n != 2 || len(told) != 2 || told[1] != int64(2) {
			t.Errorf("%d readings, of which a browser was told %v; want two of two", n, told)
		}
	})
}
