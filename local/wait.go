package local

import (
	"context"
	"time"
)

const (
	lockPoll  = 100 * time.Millisecond
	readyPoll = 50 * time.Millisecond
	gonePoll  = 20 * time.Millisecond
)

// pause waits for d, or returns the context's error when that is done.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
