package scenario

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/snapshot"
)

// Played is what came of a played run.
type Played struct {
	Rows     []Row
	Answered int  // requests of the stack, by a _success file each
	Finished bool // the run is as far as it can get; else it has stood still for too long
}

// Play writes the plan's rows, sends its messages, at so many a second (0: as fast as can be), and plays the sender. It
// ends when the run is as far as it can get: what can move has moved, and, as far as settled says, nothing is owed. It
// gives up when nothing has changed for as long as patience. show is told how far the run is.
func (w *World) Play(
	ctx context.Context, plan Plan, rate float64, patience time.Duration, show func(string),
	settled func() (bool, error),
) (Played, error) {
	var played Played
	if err := w.PutRows(ctx, plan.Run); err != nil {
		return played, err
	}
	var answered atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	listening, stopListening := context.WithCancel(ctx)
	defer stopListening()
	group.Go(func() error { return w.Sender(plan.Run, func(Fields) { answered.Add(1) }).Listen(listening) })
	group.Go(func() error {
		defer stopListening()
		watch := func(done func([]Row) bool) func() (bool, error) {
			return func() (bool, error) {
				rows, err := w.Rows(ctx, plan.Run)
				if err != nil {
					return false, err
				}
				played.Rows = rows
				show(fmt.Sprintf("%s  requests answered %d", Line(rows), answered.Load()))
				return done(rows), nil
			}
		}
		var err error
		played.Finished, err = w.acts(ctx, plan, rate, patience, watch,
			func() string { return fmt.Sprint(played.Rows, answered.Load()) }, settled)
		return err
	})
	err := group.Wait()
	played.Answered = int(answered.Load())
	return played, err
}

// acts are the two acts of a run: all files, and then the status Sent of those that are sent last.
func (w *World) acts(ctx context.Context, plan Plan, rate float64, patience time.Duration,
	watch func(func([]Row) bool) func() (bool, error), now func() string, settled func() (bool, error),
) (bool, error) {
	if _, err := w.Send(ctx, plan.Messages, rate); err != nil {
		return false, err
	}
	finished, err := Watch(ctx, patience, watch(plan.arrived), now)
	if err != nil || !finished {
		return false, err
	}
	if err := w.WriteSent(ctx, plan.Run); err != nil {
		return false, err
	}
	moved := watch(plan.moved)
	return Watch(ctx, patience, func() (bool, error) {
		done, err := moved()
		if err != nil || !done {
			return false, err
		}
		if done, err = w.AtRest(ctx); err != nil || !done {
			return false, err
		}
		return settled()
	}, now)
}

// arrived tells whether all files that arrive are counted, as far as they can be.
func (p Plan) arrived(rows []Row) bool {
	return p.all(rows, func(c Collection, row Row) bool { return c.Failing || row.Received >= c.Arriving() })
}

// moved tells whether each collection has got as far as it can.
func (p Plan) moved(rows []Row) bool {
	return p.all(rows, func(c Collection, row Row) bool {
		return c.Status == blocked || c.Missing > 0 || c.Failing || snapshot.Status(row.Status).Is(snapshot.Success)
	})
}

func (p Plan) all(rows []Row, is func(Collection, Row) bool) bool {
	byName := map[string]Row{}
	for _, row := range rows {
		byName[row.Name] = row
	}
	for _, c := range p.Collections {
		if row, there := byName[c.Name]; !there || !is(c, row) {
			return false
		}
	}
	return true
}

const lookEvery = 200 * time.Millisecond

// Watch looks again and again until done. It gives up, and returns false, when what now says has not changed for as
// long as patience.
func Watch(ctx context.Context, patience time.Duration, done func() (bool, error), now func() string) (bool, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last, changed := "", time.Now()
	for {
		if is, err := done(); err != nil || is {
			return is, err
		}
		if is := now(); is != last {
			last, changed = is, time.Now()
		}
		if time.Since(changed) > patience {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// Line says how far a run's rows are.
func Line(rows []Row) string {
	received, sent := 0, 0
	for _, row := range rows {
		received, sent = received+row.Received, sent+row.Sent
	}
	const width = 24
	filled := min(width, width*received/max(sent, 1))
	return fmt.Sprintf("%s%s  files %d/%d  received %d/%d  success %d/%d",
		strings.Repeat("█", filled), strings.Repeat("░", width-filled), received, sent,
		InStatus(rows, snapshot.Received, snapshot.Success), len(rows), InStatus(rows, snapshot.Success), len(rows))
}

// InStatus counts the rows in one of these statuses, in any case.
func InStatus(rows []Row, statuses ...snapshot.Status) int {
	count := 0
	for _, row := range rows {
		for _, status := range statuses {
			if snapshot.Status(row.Status).Is(status) {
				count++
			}
		}
	}
	return count
}
