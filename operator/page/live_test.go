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

var aRun = topic{Of: ofRun, Run: "run"}

// However many watch a run, it is read as often as for one, as long as one of them watches.
func TestOnePollerForAllWhoWatch(t *testing.T) {
	t.Parallel()
	if one, many := readsFor(t, 1), readsFor(t, 20); one < 5 || many != one {
		t.Errorf("%d reads for many who watch, %d for one", many, one)
	}
}

// readsFor counts what is read of a run in a minute and a half; for the last minute one viewer is left.
func readsFor(t *testing.T, viewers int) (n int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		h := newHub(t.Context(), func(_ context.Context, of topic) (reading, error) {
			if reads.Add(1) > 1 {
				return reading{}, errors.New("an error is not remembered: each poller would be seen to read for itself")
			}
			return reading{Value: of.Run}, nil
		})
		var watching sync.WaitGroup
		watch := func(ctx context.Context) {
			told := 0
			err := h.follow(ctx, aRun, func(last reading) error {
				if told++; last.Value != "run" || last.Version == "" {
					t.Errorf("told %+v", last)
				}
				return nil
			})
			if err != nil || told == 0 {
				t.Errorf("ended with %v, told %d times", err, told)
			}
		}
		some, leave := context.WithTimeout(t.Context(), 30*time.Second)
		defer leave()
		for range viewers - 1 {
			watching.Go(func() { watch(some) })
		}
		last, leave := context.WithTimeout(t.Context(), 90*time.Second)
		defer leave()
		watching.Go(func() { watch(last) })
		watching.Wait()
		n = reads.Load()
		time.Sleep(10 * time.Minute)
		if late := reads.Load() - n; late != 0 || len(h.watched) != 0 {
			t.Errorf("read %d times though nobody watched any more; %d pollers are left", late, len(h.watched))
		}
	})
	return n
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

// A page that is opened, its chart and its poller share one reading. What takes long to read is read again only after
// ten times as long, whoever asks; nobody is told of something older.
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
