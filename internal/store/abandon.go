package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// This file ends runs by hand. The sweep skips such a run: it starts and delivers nothing and sends no alert. It only
// reads the rows, and takes the run up again when they have changed; see Examine. Messages are counted as before, and
// their executions deliver what they enqueue.

// ErrUnknownRun reports that the ledger does not have a run, so the sweep does not know it.
var ErrUnknownRun = errors.New("the run is not in the ledger: none of its messages was counted here")

// ErrFinished reports that a run needs no end by hand.
var ErrFinished = errors.New("the run is done: monitoring was notified that all of it is successful")

// Abandon ends a run by hand. It is an ErrUnknownRun or ErrFinished if there is nothing to end. Repeating it replaces
// the reason and keeps the time, unless something moved in between, which had ended the first abandonment.
//
// A sweep that examines the run at this moment may still start its executions and send an alert that it has enqueued.
func (s *Store) Abandon(ctx context.Context, correlationID, reason string) (snapshot.Abandonment, error) {
	for range maxTries {
		run, err := s.knownRun(ctx, correlationID)
		if err != nil {
			return snapshot.Abandonment{}, err
		}
		e := examining{Store: s, run: run, tally: &snapshot.Tally{}}
		if err := e.readRows(ctx); err != nil {
			return snapshot.Abandonment{}, fmt.Errorf("reading the run to abandon: %w", err)
		}
		if run.Finished(e.tally) {
			return snapshot.Abandonment{}, ErrFinished
		}
		abandonment := snapshot.Abandonment{At: s.Now().UTC().Truncate(time.Second), Reason: reason,
			Sums: run.Sums(e.tally), Stored: true}
		if run.EndedByHand(e.tally) {
			abandonment.At = run.ByHand.At
		}
		switch written, err := s.setByHand(ctx, run, abandonment); {
		case err != nil:
			return snapshot.Abandonment{}, fmt.Errorf("abandoning the run: %w", err)
		case written:
			return abandonment, nil
		}
	}
	return snapshot.Abandonment{}, fmt.Errorf("other writers interfered %d times", maxTries)
}

// Resume takes up a run that was ended by hand. It does nothing and returns false for another run, and an ErrUnknownRun
// if the ledger does not have it.
func (s *Store) Resume(ctx context.Context, correlationID string) (resumed bool, err error) {
	for range maxTries {
		run, err := s.knownRun(ctx, correlationID)
		if err != nil || run.ByHand.At.IsZero() {
			return false, err
		}
		if resumed, err := s.setByHand(ctx, run, snapshot.Abandonment{}); err != nil || resumed {
			return resumed, err
		}
	}
	return false, fmt.Errorf("other writers interfered %d times", maxTries)
}

func (s *Store) knownRun(ctx context.Context, correlationID string) (snapshot.Run, error) {
	run, err := s.getRun(ctx, correlationID)
	switch {
	case err != nil:
		return snapshot.Run{}, fmt.Errorf("reading the run: %w", err)
	case run == nil:
		return snapshot.Run{}, ErrUnknownRun
	}
	return *run, nil
}

// setByHand replaces the abandonment, on condition that it is the one that was read. It returns false if it is not, or
// if the run is gone.
func (s *Store) setByHand(ctx context.Context, run snapshot.Run, to snapshot.Abandonment) (written bool, err error) {
	set := map[string]any{attrByHandAt: seconds(to.At), attrByHandReason: to.Reason, attrByHandSums: to.Sums}
	return s.updateRun(ctx, run, set, byHandAsRead(run.ByHand)...)
}

func byHandAsRead(read snapshot.Abandonment) []table.Condition {
	if !read.Stored {
		return []table.Condition{{Attribute: attrByHandAt, Operator: table.Absent}}
	}
	return []table.Condition{{Attribute: attrByHandAt, Value: seconds(read.At)},
		{Attribute: attrByHandSums, Value: read.Sums}}
}

// EndedByHand reports whether the run was ended by hand; see snapshot.Run.EndedByHand.
func (r RunState) EndedByHand(exempt []snapshot.Status) bool {
	tally := &snapshot.Tally{}
	for _, row := range r.tallied {
		tally.Add(row, exempt)
	}
	return r.Run != nil && r.Run.EndedByHand(tally)
}
