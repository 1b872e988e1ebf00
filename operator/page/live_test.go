package page

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestViewersShareReadings(t *testing.T) {
	t.Parallel()
	if one, many := readsFor(t, 1), readsFor(t, 20); one < 5 || many != one {
		t.Errorf("%d reads for 20 viewers, %d for one", many, one)
	}
}

// readsFor counts the readings in 90 seconds; one viewer stays for the last 60. All but the first reading fail: viewers
// are sent the error with the earlier value, and share the failed readings, too.
func readsFor(t *testing.T, viewers int) (n int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		broken := errors.New("broken")
		h := &hub{ctx: t.Context(), maxInterval: maxInterval, read: func(_ context.Context, of topic) (reading, error) {
			if reads.Add(1) > 1 {
				return reading{}, broken
			}
			return reading{Value: of.Run}, nil
		}}
		var viewing sync.WaitGroup
		for i := range viewers {
			viewing.Go(func() {
				stay := 30 * time.Second
				if i == 0 {
					stay = 90 * time.Second
				}
				ctx, leave := context.WithTimeout(t.Context(), stay)
				defer leave()
				var last reading
				err := h.follow(ctx, ofRun, func(r reading) error {
					if last = r; r.Value != runID || r.Version == "" {
						t.Errorf("sent %+v", r)
					}
					return nil
				})
				if err != nil || !errors.Is(last.Err, broken) {
					t.Errorf("ended with %v, the last error sent is %v", err, last.Err)
				}
			})
		}
		viewing.Wait()
		n = reads.Load()
		if time.Sleep(10 * time.Minute); reads.Load() != n {
			t.Errorf("read %d times without a viewer", reads.Load()-n)
		}
	})
	return n
}

// Pages, charts and viewers share a reading, and wait for the cooldown of a slow one. A viewer who leaves meanwhile
// does not end it for the others.
func TestSlowReadingIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const takes = 2 * time.Second
		var reads atomic.Int64
		h := &hub{ctx: t.Context(), maxInterval: maxInterval, read: func(context.Context, topic) (reading, error) {
			time.Sleep(takes)
			return reading{Value: reads.Add(1)}, nil
		}}
		open := func(want int64) {
			t.Helper()
			if n, _, err := latest[int64](t.Context(), h, ofRun); err != nil || n != want || reads.Load() != want {
				t.Errorf("page shows reading %d of %d, %v, want %d", n, reads.Load(), err, want)
			}
		}
		leaves, leave := context.WithTimeout(t.Context(), takes/2)
		defer leave()
		if left := h.take(leaves, ofRun, true); left.Value != nil {
			t.Errorf("a reading of who has left: %+v", left)
		}
		reads.Store(0)
		open(1)
		open(1)
		var sent []any
		go h.follow(t.Context(), ofRun, func(last reading) error { sent = append(sent, last.Value); return nil })
		time.Sleep(cooldownFactor*takes - time.Second)
		open(1)
		time.Sleep(takes + 2*time.Second)
		open(2)
		if synctest.Wait(); len(sent) != 2 || sent[1] != int64(2) {
			t.Errorf("the viewer was sent %v; want both of two", sent)
		}
	})
}

// However many topics are viewed, each is read as seldom as one alone, and a viewer who joins later changes nothing.
func TestManyTopicsAreReadAsSeldomAsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := map[string]int{}
		var last, longest time.Duration
		began := time.Now()
		h := &hub{ctx: t.Context(), maxInterval: maxInterval, read: func(_ context.Context, of topic) (reading, error) {
			if reads[of.Run]++; of.Run == "0" {
				longest, last = max(longest, time.Since(began)-last), time.Since(began)
			}
			return reading{Value: of.Run}, nil
		}}
		ctx, leave := context.WithTimeout(t.Context(), 10*time.Minute)
		defer leave()
		var viewing sync.WaitGroup
		view := func(ctx context.Context, run string) {
			viewing.Go(func() {
				_ = h.follow(ctx, topic{Kind: runTopic, Run: run}, func(reading) error { return nil })
			})
			synctest.Wait() // the readers of reads do not run at once
		}
		first, leaveFirst := context.WithTimeout(ctx, 5*time.Minute+29*time.Second)
		defer leaveFirst()
		view(first, "0")
		for i := range 2 * maxEntries {
			view(ctx, strconv.Itoa(i+1))
		}
		time.Sleep(5*time.Minute + 20*time.Second)
		view(ctx, "0")
		viewing.Wait()
		if longest > maxInterval {
			t.Errorf("%v without a reading, want at most %v", longest, maxInterval)
		}
		for run, n := range reads {
			if n > 25 {
				t.Errorf("topic %s is read %d times in 10 minutes, want 24 or 25", run, n)
			}
		}
	})
}

// The end of the server ends a reading in progress.
func TestEndOfTheServerEndsReadings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		h := &hub{ctx: ctx, read: func(ctx context.Context, _ topic) (reading, error) {
			<-ctx.Done()
			return reading{}, ctx.Err()
		}}
		ended := make(chan error)
		go func() { ended <- h.follow(t.Context(), ofRun, func(reading) error { return errors.New("sent") }) }()
		synctest.Wait()
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// forget does not wait for a reading in progress, which is outdated then.
func TestForgetDuringAReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		h := &hub{ctx: t.Context(), maxInterval: maxInterval, read: func(context.Context, topic) (reading, error) {
			n++
			time.Sleep(time.Minute)
			return reading{Value: n}, nil
		}}
		go h.take(t.Context(), ofRun, false)
		synctest.Wait()
		began := time.Now()
		h.recent.forget(ofRun.String())
		h.recent.forget("unknown")
		if waited := time.Since(began); waited != 0 || h.recent.find("unknown") != nil {
			t.Errorf("forget waited for %v, or made an entry", waited)
		}
		if got, _, err := latest[int](t.Context(), h, ofRun); got != 2 || err != nil {
			t.Errorf("then reading %d, %v, want 2", got, err)
		}
	})
}

func TestPageDoesNotRepeatAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	h := &hub{ctx: t.Context(), read: func(context.Context, topic) (reading, error) {
		return reading{Value: 1}, broken
	}}
	if _, _, err := latest[int](t.Context(), h, ofRun); !errors.Is(err, broken) {
		t.Errorf("err = %v, want %v", err, broken)
	}
	broken = nil
	if n, _, err := latest[int](t.Context(), h, ofRun); n != 1 || err != nil {
		t.Errorf("then %d, %v, want 1", n, err)
	}
}
