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

var testTopic = topic{Kind: runTopic, Run: "run"}

func TestViewersShareOnePoller(t *testing.T) {
	t.Parallel()
	if one, many := readsFor(t, 1), readsFor(t, 20); one < 5 || many != one {
		t.Errorf("%d reads for 20 viewers, %d for one", many, one)
	}
}

// readsFor counts the readings in 90 seconds; one viewer stays for the last 60. All but the first reading fail: viewers
// are sent the error with the earlier value, and an error is not cached, so a second poller would be noticed.
func readsFor(t *testing.T, viewers int) (n int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		broken := errors.New("broken")
		h := newHub(t.Context(), func(_ context.Context, of topic) (reading, error) {
			if reads.Add(1) > 1 {
				return reading{}, broken
			}
			return reading{Value: of.Run}, nil
		})
		var viewing sync.WaitGroup
		view := func(stay time.Duration) {
			viewing.Go(func() {
				ctx, leave := context.WithTimeout(t.Context(), stay)
				defer leave()
				var last reading
				err := h.follow(ctx, testTopic, func(r reading) error {
					if last = r; r.Value != "run" || r.Version == "" {
						t.Errorf("sent %+v", r)
					}
					return nil
				})
				if err != nil || !errors.Is(last.Err, broken) {
					t.Errorf("ended with %v, the last error sent is %v", err, last.Err)
				}
			})
		}
		for range viewers - 1 {
			view(30 * time.Second)
		}
		view(90 * time.Second)
		viewing.Wait()
		n = reads.Load()
		time.Sleep(10 * time.Minute)
		if late := reads.Load() - n; late != 0 || len(h.pollers) != 0 {
			t.Errorf("read %d times without a viewer; %d pollers are left", late, len(h.pollers))
		}
	})
	return n
}

// Pages, charts and the poller share a reading, and wait for the cooldown of a slow one.
func TestSlowReadingIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const takes = 2 * time.Second
		ctx, stop := context.WithCancel(t.Context())
		var reads atomic.Int64
		h := newHub(ctx, func(context.Context, topic) (reading, error) {
			time.Sleep(takes)
			return reading{Value: reads.Add(1)}, nil
		})
		open := func() {
			last, err := h.latest(ctx, testTopic)
			if err != nil || last.Value != reads.Load() {
				t.Errorf("read %v, %v, want %d", last.Value, err, reads.Load())
			}
		}
		open()
		open()
		var sent []any
		var viewing sync.WaitGroup
		viewing.Go(func() {
			_ = h.follow(ctx, testTopic, func(last reading) error { sent = append(sent, last.Value); return nil })
		})
		time.Sleep(cooldownFactor*takes - time.Second)
		open()
		if n := reads.Load(); n != 1 {
			t.Errorf("%d readings before the end of the cooldown, want 1", n)
		}
		time.Sleep(takes + 2*time.Second)
		open()
		stop()
		viewing.Wait()
		if n := reads.Load(); n != 2 || len(sent) != 2 || sent[1] != int64(2) {
			t.Errorf("%d readings, the viewer was sent %v; want both of two", n, sent)
		}
	})
}
