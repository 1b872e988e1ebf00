package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// executionsAhead is how many executions may run before the sender waits. The engine would refuse more than it has
// function processes for.
const executionsAhead = 40

const perSend = 10 // the limit of SQS

// send sends the plan's messages faster than they are counted.
func (s *system) send(ctx context.Context) error {
	identities := make([]string, s.Messages) // of those that were sent
	left, files := s.plan.sends, 0
	return untilDone(every(ctx, 20*time.Millisecond, func() error {
		for len(left) > 0 && s.rows.Load() != nil && files-received(*s.rows.Load()) < executionsAhead*s.BatchSize {
			var now []send
			now, left = nextSends(left, identities)
			sent, err := s.sendAll(ctx, now, identities)
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

// nextSends takes some sends off the front. A duplicate waits for the identity of its message, which the first send
// returns.
func nextSends(left []send, identities []string) (now, rest []send) {
	for len(now) < perSend && len(now) < len(left) {
		next := left[len(now)]
		if slices.Contains(now, next) && identities[next.message] == "" {
			break
		}
		now = append(now, next)
	}
	return now, left[len(now):]
}

// sendAll sends these messages and returns how many of them were new. It makes files that come again dead letters.
func (s *system) sendAll(ctx context.Context, sends []send, identities []string) (firsts int, err error) {
	var bodies, again []string
	var first []send // or a duplicate
	for _, send := range sends {
		body := s.plan.file(send.message)
		if send.again {
			again = append(again, body)
			continue
		}
		if identity := identities[send.message]; identity != "" {
			body = envelope(identity, body)
		}
		bodies, first = append(bodies, body), append(first, send)
	}
	if _, err := s.post(ctx, s.deadLettersURL, again...); err != nil {
		return 0, err
	}
	ids, err := s.post(ctx, s.outputs.FileReceivedQueueUrl, bodies...)
	if err != nil {
		return 0, err
	}
	for i, send := range first {
		if identities[send.message] != "" {
			s.seen.duplicates.Add(1)
			continue
		}
		identities[send.message] = ids[i]
		s.seen.files.add(ids[i])
		firsts++
	}
	s.seen.sendings.Add(int64(len(sends)))
	return firsts, nil
}

// redrive moves dead letters to the file-received queue as the console does: each gets another id.
func (s *system) redrive(ctx context.Context) error {
	return s.collect(ctx, s.deadLettersURL, func(message sqstypes.Message) error {
		ids, err := s.post(ctx, s.outputs.FileReceivedQueueUrl, aws.ToString(message.Body))
		if err == nil {
			s.seen.files.add(ids[0])
			s.seen.again.Add(1)
		}
		return err
	})
}

// post sends up to ten messages to a queue and returns their ids.
func (s *system) post(ctx context.Context, url string, bodies ...string) (ids []string, err error) {
	if len(bodies) == 0 {
		return nil, nil
	}
	var entries []sqstypes.SendMessageBatchRequestEntry
	for i, body := range bodies {
		entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
			MessageBody: &body})
	}
	sent, err := s.queues.SendMessageBatch(ctx,
		&sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
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

// killFunctions kills a random function process for each value of the channel kills.
func (s *system) killFunctions(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.faults.kills:
		}
		if functions := s.engine.Functions(); len(functions) > 0 {
			victim := functions[rand.N(len(functions))]
			if err := syscall.Kill(victim, syscall.SIGKILL); err == nil { // else it has just ended
				s.seen.killed.Add(1)
			}
		}
	}
}
