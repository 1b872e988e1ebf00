package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// executionsAhead is how many executions may be under way before the sending of files waits. Without it all would be
// started at once, and most of them be refused for want of function processes.
const executionsAhead = 40

const perSend = 10 // SQS takes no more at once

// send sends the plan's messages, faster than they are counted, until all are sent.
func (w *world) send(ctx context.Context) error {
	identities := make([]string, w.Messages) // of those that were sent
	left, files := w.plan.sends, 0
	return untilDone(every(ctx, 20*time.Millisecond, func() error {
		for len(left) > 0 && w.rows.Load() != nil && files-received(*w.rows.Load()) < executionsAhead*w.BatchSize {
			var now []send
			now, left = nextSends(left, identities)
			sent, err := w.sendAll(ctx, now, identities)
			if err != nil {
				return err
			}
			files += sent
		}
		if len(left) == 0 {
			return errDone
		}
		return nil
	}))
}

// nextSends takes some sends off the front, each message at most once, since the second goes under the first's
// identity.
func nextSends(left []send, identities []string) (now, rest []send) {
	for len(now) < perSend && len(now) < len(left) {
		next := left[len(now)]
		for _, other := range now {
			if other == next && identities[next.message] == "" {
				return now, left[len(now):]
			}
		}
		now = append(now, next)
	}
	return now, left[len(now):]
}

// sendAll sends these and returns how many of them were the first of their message.
func (w *world) sendAll(ctx context.Context, sends []send, identities []string) (firsts int, err error) {
	var bodies []string
	for _, s := range sends {
		body := w.plan.file(s.message)
		if identity := identities[s.message]; identity != "" {
			body = envelope(identity, body)
		}
		bodies = append(bodies, body)
	}
	ids, err := w.post(ctx, bodies...)
	if err != nil {
		return 0, err
	}
	for i, s := range sends {
		if identities[s.message] != "" {
			w.seen.duplicates.Add(1)
			continue
		}
		identities[s.message] = ids[i]
		w.seen.files.add(ids[i])
		firsts++
	}
	w.seen.sendings.Add(int64(len(sends)))
	return firsts, nil
}

// post sends up to ten messages to the file-received queue and returns their ids.
func (w *world) post(ctx context.Context, bodies ...string) (ids []string, err error) {
	var entries []sqstypes.SendMessageBatchRequestEntry
	for i, body := range bodies {
		entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
			MessageBody: &body})
	}
	sent, err := w.queues.SendMessageBatch(ctx,
		&sqs.SendMessageBatchInput{QueueUrl: &w.outputs.FileReceivedQueueUrl, Entries: entries})
	if err != nil {
		return nil, fmt.Errorf("sending messages: %w", err)
	}
	for _, failed := range sent.Failed {
		return nil, fmt.Errorf("sending messages: %s: %s", aws.ToString(failed.Code), aws.ToString(failed.Message))
	}
	ids = make([]string, len(bodies))
	for _, entry := range sent.Successful {
		i, err := strconv.Atoi(aws.ToString(entry.Id))
		if err != nil {
			return nil, fmt.Errorf("sending messages: %w", err)
		}
		ids[i] = aws.ToString(entry.MessageId)
	}
	return ids, nil
}

// killFunctions kills one of the engine's function processes at every call for it, whatever it is doing.
func (w *world) killFunctions(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.faults.kills:
		}
		if functions := w.engine.Functions(); len(functions) > 0 {
			victim := functions[rand.N(len(functions))]
			if err := syscall.Kill(victim, syscall.SIGKILL); err == nil { // else it went by itself
				w.seen.killed.Add(1)
			}
		}
	}
}
