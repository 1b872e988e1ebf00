package scenario

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/snapshot"
)

// Played is the result of a played run.
type Played struct {
	Rows     []Row
	Answered int  // requests of the stack, each answered by a _success file
	Finished bool // the run is as far as it can get; false after a timeout
}

// Play writes the plan's rows, sends its messages at this rate a second (0: without a limit) and plays the sender. When
// all files are counted, it writes the status Sent of the collections that are SentLast. It ends when the run is as far
// as it can get: every move is made, and delivered reports that nothing is pending. It gives up when nothing changed
// for as long as timeout. Progress is passed to show.
func (p *Player) Play(ctx context.Context, plan Plan, rate float64, timeout time.Duration, show func(string),
	delivered func() (bool, error),
) (Played, error) {
	var played Played
	if err := p.PutRows(ctx, plan.Run); err != nil {
		return played, err
	}
	var answered atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	listening, stopListening := context.WithCancel(ctx)
	defer stopListening()
	group.Go(func() error { return p.Sender(plan.Run, func(Fields) { answered.Add(1) }).Listen(listening) })
	wait := func(done func() (bool, error)) (bool, error) {
		return Poll(ctx, timeout, func() (is bool, err error) {
			if played.Rows, err = p.Rows(ctx, plan.Run); err != nil {
				return false, err
			}
			show(fmt.Sprintf("%s  requests answered %d", Line(played.Rows), answered.Load()))
			return done()
		}, func() string { return fmt.Sprint(played.Rows, answered.Load()) })
	}
	group.Go(func() error {
		defer stopListening()
		if _, err := p.Send(ctx, plan.Messages, rate); err != nil {
			return err
		}
		counted, err := wait(func() (bool, error) { return plan.counted(played.Rows), nil })
		if err != nil || !counted {
			return err
		}
		if err := p.WriteSent(ctx, plan.Run); err != nil {
			return err
		}
		played.Finished, err = wait(func() (bool, error) {
			if !plan.moved(played.Rows) {
				return false, nil
			}
			if idle, err := p.Idle(ctx); err != nil || !idle {
				return false, err
			}
			return delivered()
		})
		return err
	})
	err := group.Wait()
	played.Answered = int(answered.Load())
	return played, err
}

// counted reports whether all files that arrive and can be counted are counted.
func (p Plan) counted(rows []Row) bool {
	return p.all(rows, func(c Collection, row Row) bool { return c.Failing || row.Received >= c.Arriving() })
}

// moved reports whether each collection has its last status.
func (p Plan) moved(rows []Row) bool {
	return p.all(rows, func(c Collection, row Row) bool {
		return c.Status == blocked || c.Missing > 0 || c.Failing || snapshot.Status(row.Status).Is(snapshot.Success)
	})
}

// all reports whether each collection has a row that is so. The run may have other rows.
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

const pollInterval = 200 * time.Millisecond

// Poll calls done until it returns true. It gives up, and returns false, when the text of state did not change for as
// long as timeout.
func Poll(ctx context.Context, timeout time.Duration, done func() (bool, error), state func() string) (bool, error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	last, changed := "", time.Now()
	for {
		if is, err := done(); err != nil || is {
			return is, err
		}
		if is := state(); is != last {
			last, changed = is, time.Now()
		}
		if time.Since(changed) > timeout {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// Line is a run's progress in one line.
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
		if slices.ContainsFunc(statuses, snapshot.Status(row.Status).Is) {
			count++
		}
	}
	return count
}

// Progress shows a run's progress: on a terminal a line that it redraws, else at most a line a second.
type Progress struct {
	out      io.Writer
	terminal bool
	last     string
	at       time.Time
	unshown  string
}

// NewProgress shows progress on out.
func NewProgress(out io.Writer) *Progress {
	p := &Progress{out: out}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// Show shows the line if it differs from the last one.
func (p *Progress) Show(line string) {
	switch {
	case line == p.last:
		return
	case p.terminal:
		fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	case time.Since(p.at) < time.Second:
		p.unshown = line
		return
	default:
		fmt.Fprintln(p.out, line)
	}
	p.last, p.at, p.unshown = line, time.Now(), ""
}

// End ends the line.
func (p *Progress) End() {
	if p.terminal || p.unshown != "" {
		fmt.Fprintln(p.out, p.unshown)
	}
}
