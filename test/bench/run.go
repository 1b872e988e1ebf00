package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local"
	"snapshot-status-checker/test/scenario"
)

const (
	perCollection = 100 // files
	mixed         = 10  // collections that the sender works on at a time
)

// run is a run of the snapshot sender, and the messages of its files in the order in which they are sent.
type run struct {
	scenario.Run
	messages []scenario.Message
}

// newRun makes a run of about so many files.
func newRun(id string, files int) run {
	r := run{Run: scenario.Run{CorrelationID: id, SnapshotType: "full", ExportDate: "2020-01-01"}}
	each := max(1, min(perCollection, files))
	for i := range max(1, files/each) {
		r.Collections = append(r.Collections, scenario.Collection{Name: fmt.Sprintf("db.bench.collection-%05d", i),
			Status: "Sent", Files: each})
	}
	random := rand.New(rand.NewPCG(1, 2)) // the same order each time
	for some := range slices.Chunk(r.Collections, mixed) {
		begin := len(r.messages)
		for _, c := range some {
			for file := range c.Files {
				r.messages = append(r.messages, scenario.Message{Text: scenario.Text(r.File(c.Name, file))})
			}
		}
		part := r.messages[begin:]
		random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
	}
	return r
}

func (r run) successFiles() (messages []scenario.Message) {
	for _, c := range r.Collections {
		messages = append(messages, r.SuccessFile(c.Name))
	}
	return messages
}

// measure sends a run through the system. The files are in the queue before the clock starts. A wrong result is an
// error.
func (s *system) measure(ctx context.Context, r run, batch, pollers int) (m measured, err error) {
	m = measured{Version: s.commit, Kind: s.kind, Batch: batch, Files: len(r.messages)}
	s.counter.take()
	began := time.Now()
	if err := errors.Join(s.player.PutRows(ctx, r.Run), s.settle(ctx)); err != nil {
		return m, err
	}
	if _, err := s.player.Send(ctx, r.messages, 0); err != nil {
		return m, err
	}
	before, begun := s.cpu(), time.Now()
	stop := s.serve(ctx, s.sourceOf(batch, pollers))
	defer func() { err = errors.Join(err, stop()) }()
	if err := s.await(ctx, r, snapshot.Received); err != nil {
		return m, err
	}
	after := s.cpu()
	m.Seconds = time.Since(begun).Seconds()
	m.EngineCPU, m.FunctionCPU = after.engine-before.engine, after.functions-before.functions
	if _, err := s.player.Send(ctx, r.successFiles(), 0); err != nil {
		return m, err
	}
	if err := errors.Join(s.await(ctx, r, snapshot.Success), s.settle(ctx)); err != nil {
		return m, err
	}
	if err := s.checkSent(ctx, r); err != nil {
		return m, err
	}
	err = s.count(ctx, &m, began)
	return m, err
}

// sourceOf is the pipe from the queue with a batch size, and a window as the stack sets it.
func (s *system) sourceOf(batch, pollers int) local.Pipe {
	pipe := s.source
	pipe.BatchSize, pipe.Pollers, pipe.BatchWindow = batch, pollers, 0
	if batch > 10 {
		pipe.BatchWindow = time.Second
	}
	return pipe
}

const stuckAfter, settled = 2 * time.Minute, 1500 * time.Millisecond

// await waits until all rows have the status with every file counted once, and the system is idle.
func (s *system) await(ctx context.Context, r run, status snapshot.Status) error {
	var rows []scenario.Row
	finished, err := scenario.Poll(ctx, stuckAfter, func() (idle bool, err error) {
		rows, err = s.player.Rows(ctx, r.Run)
		if err != nil || scenario.InStatus(rows, status) < len(r.Collections) {
			return false, err
		}
		return s.idle(ctx)
	}, func() string { return scenario.Line(rows) })
	if err == nil && !finished {
		err = fmt.Errorf("run %s: no progress for %s: %s", r.CorrelationID, stuckAfter, scenario.Line(rows))
	}
	for _, row := range rows {
		if err == nil && row.Received != row.Sent {
			err = fmt.Errorf("run %s: %d of %d files of %s are counted", r.CorrelationID, row.Received, row.Sent,
				row.Name)
		}
	}
	return err
}

// idle reports whether nothing runs. (The baseline's row is moved by the last call that counts.)
func (s *system) idle(ctx context.Context) (bool, error) {
	if s.kind == baseline {
		return true, nil
	}
	return s.player.Idle(ctx)
}

// settle waits until the changes in the stream are reconciled and nothing runs.
func (s *system) settle(ctx context.Context) error {
	begun := time.Now()
	finished, err := scenario.Poll(ctx, stuckAfter, func() (bool, error) {
		idle, err := s.idle(ctx)
		return idle && time.Since(begun) > settled, err
	}, func() string { return "" })
	if err == nil && !finished {
		err = fmt.Errorf("the stack is not idle after %s", stuckAfter)
	}
	return err
}

// checkSent compares what was sent with one request for each collection and one notification of each kind. (The
// baseline notifies monitoring more often if its last collections complete at the same moment.)
func (s *system) checkSent(ctx context.Context, r run) error {
	requests, err := s.drain(ctx, s.outputs.ExportStateQueueUrl, r)
	if err != nil {
		return err
	}
	notifications, err := s.drain(ctx, s.notifications, r)
	if requests != len(r.Collections) || notifications < 2 || notifications > 2 && s.kind != baseline {
		err = errors.Join(err, fmt.Errorf("run %s: %d requests for %d collections, and %d notifications",
			r.CorrelationID, requests, len(r.Collections), notifications))
	}
	return err
}

// drain takes the run's messages from a queue and returns how many there were.
func (s *system) drain(ctx context.Context, url string, r run) (n int, err error) {
	once, cancel := context.WithCancel(ctx)
	cancel()
	inbox := s.player.Inbox(url, r.Run, func(context.Context, sqstypes.Message) error { n++; return nil })
	err = inbox.Listen(once)
	return n, errors.Join(err, ctx.Err())
}
