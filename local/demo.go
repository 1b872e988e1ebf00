package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/local"
)

type demoCommand struct {
	upOptions
	Collections int `env:"COLLECTIONS" default:"6" help:"Collections of the run."`
	Files       int `env:"FILES" default:"5" help:"Files of each collection."`
}

// Run brings the stack up, plays everybody around it for one run, and checks what came out.
// It returns an error if anything is not as it should be.
func (c *demoCommand) Run(ctx context.Context, project local.Project) error {
	if c.Collections < 1 || c.Files < 1 {
		return errors.New("a run has at least one collection and one file")
	}
	if err := c.up(ctx, project); err != nil {
		return err
	}
	port, err := project.EnginePort()
	if err != nil {
		return err
	}
	_, outputs, err := local.ReadOutputs(project.OutputsFile())
	if err != nil {
		return err
	}
	run := newRun("demo-"+strings.ToLower(rand.Text()[:10]), c.Collections, c.Files)
	fmt.Printf("\nRun %s: %d collections of %d files, with duplicates, a late file, malformed messages, and a collection\n"+
		"that the sender marks as Sent only after its last file has arrived\n",
		run.correlationID, c.Collections, c.Files)
	began := time.Now()
	seen, err := play(ctx, newWorld(local.Config(local.Endpoint(port)), outputs), run, os.Stdout)
	if err != nil {
		return err
	}
	return report(os.Stdout, run, seen, time.Since(began))
}

// play puts the run's rows, sends its messages, answers the requests as the sender does, and returns what was seen
// when the stack has come to rest, or when nothing has changed for too long.
func play(ctx context.Context, world *world, run *run, out io.Writer) (*seen, error) {
	closeNews, err := world.subscribe(ctx, run)
	if err != nil {
		return nil, err
	}
	defer closeNews()
	if err := world.putRows(ctx, run); err != nil {
		return nil, err
	}
	seen := &seen{run: run}
	group, ctx := errgroup.WithContext(ctx)
	listening, stopListening := context.WithCancel(ctx)
	for _, inbox := range world.inboxes(run, seen) {
		group.Go(func() error { return inbox.listen(listening) })
	}
	group.Go(func() error {
		defer stopListening()
		return send(ctx, world, run, seen, newProgress(out))
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return seen, nil
}

// send plays the exporter and the sender in four acts, each when the one before has had its effect.
func send(ctx context.Context, world *world, run *run, seen *seen, progress *progress) error {
	defer progress.end()
	messages := func(some []outgoing) func() error {
		return func() error {
			expected, err := world.send(ctx, some)
			seen.expect(expected)
			return err
		}
	}
	inTime := len(run.collections) - 1
	acts := []struct {
		play func() error
		done func() bool
	}{
		{messages(run.first), func() bool { return seen.succeeded()+seen.arrived() == inTime }},
		{func() error { return world.writeSent(ctx, run) }, func() bool { return seen.succeeded() == inTime }},
		{messages(run.late), seen.complete},
		{messages(run.afterwards), func() bool { return true }},
	}
	for _, act := range acts {
		if err := act.play(); err != nil {
			return err
		}
		finished, err := watch(ctx, world, seen, progress, act.done)
		if err != nil || !finished {
			return err // what is missing is reported
		}
	}
	return nil
}

const (
	lookEvery = 200 * time.Millisecond
	patience  = 45 * time.Second
)

// watch looks at the run until done, and then until the stack has come to rest. It gives up, and returns false,
// when nothing has changed for a while.
func watch(ctx context.Context, world *world, seen *seen, progress *progress, done func() bool) (bool, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last, changed := "", time.Now()
	for {
		rows, err := world.rows(ctx, seen.run)
		if err != nil {
			return false, err
		}
		seen.setRows(rows)
		now := seen.String()
		progress.show(now)
		if done() {
			atRest, err := world.atRest(ctx)
			if err != nil || atRest {
				return atRest, err
			}
		}
		if now != last {
			last, changed = now, time.Now()
		}
		if time.Since(changed) > patience {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-tick.C:
		}
	}
}
