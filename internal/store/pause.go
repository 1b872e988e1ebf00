package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"snapshot-status-checker/internal/metrics"
	"snapshot-status-checker/internal/table"
)

// Pause waits before the next try, try counting from 0. It comes from outside, so that a simulation can
// order what happens meanwhile. It returns an error if the context ends first.
type Pause func(ctx context.Context, try int) error

// maxTries is how often an operation is tried in place under contention before it is given up as an error,
// which the state machine retries.
const maxTries = 10

// Jitter pauses for a random time between 0 and 40 ms · 2^try, at most 1 s: full jitter, after
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/. The first pauses are some times longer than a
// call takes, so that of many who want to bring one row up to date most find it done.
func Jitter(ctx context.Context, try int) error {
	timer := time.NewTimer(rand.N(min(40*time.Millisecond<<min(try, 10), time.Second)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// errAgain says that what was read was overtaken by another writer: read anew and decide again.
var errAgain = errors.New("overtaken by another writer")

// overtaken reports whether an operation failed on account of others at the same items, and wrote nothing.
func overtaken(err error) bool {
	return errors.Is(err, errAgain) || errors.Is(err, table.ErrConditionFailed) || errors.Is(err, table.ErrContention)
}

// tries calls do until it succeeds, fails for another reason than being overtaken, or maxTries is reached.
func (p Pause) tries(ctx context.Context, doing string, do func() error) error {
	var err error
	for try := range maxTries {
		err = do()
		if !overtaken(err) {
			return err
		}
		metrics.Add(ctx, metrics.ContentionRetries, 1)
		if pauseErr := p(ctx, try); pauseErr != nil {
			return fmt.Errorf("%s: %w", doing, errors.Join(err, pauseErr))
		}
	}
	return fmt.Errorf("%s: given up after %d tries: %w", doing, maxTries, err)
}
