package chaos

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// busy measures how much other work slows this process down: 1 on a quiet machine.
type busy struct {
	mu     sync.Mutex
	recent float64 // of the last few probes
	sum    float64
	probes int
}

const (
	probeEvery = 2 * time.Second
	probe      = 20 * time.Millisecond // of processor time
	// tooBusy is the mean slowdown of a busy machine. A run alone on 2 cores has a slowdown of 2 to 4.
	tooBusy = 8
)

// watch measures until the context is done.
func (b *busy) watch(ctx context.Context) error {
	return every(ctx, probeEvery, func() error {
		now, err := slowdown(probe)
		if err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.recent = 0.7*max(1, b.recent) + 0.3*now
		b.sum += now
		b.probes++
		return nil
	})
}

// now is the recent slowdown.
func (b *busy) now() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(1, b.recent)
}

// mean is the slowdown since the start.
func (b *busy) mean() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(1, b.sum/float64(max(1, b.probes)))
}

// slowdown uses this much processor time and returns how many times longer it took.
func slowdown(processor time.Duration) (float64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used := func() (time.Duration, error) {
		var t unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
			return 0, fmt.Errorf("reading the thread's processor time: %w", err)
		}
		return time.Duration(t.Nano()), nil
	}
	begun := time.Now()
	before, err := used()
	for after := before; err == nil && after-before < processor; after, err = used() {
	}
	return max(1, time.Since(begun).Seconds()/processor.Seconds()), err
}
