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
			var now []int
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
func nextSends(left []int, identities []string) (now, rest []int) {
	for len(now) < perSend && len(now) < len(left) {
		message := left[len(now)]
		if slices.Contains(now, message) && identities[message] == "" {
			break
		}
		now = append(now, message)
	}
	return now, left[len(now):]
}

// sendAll sends these messages and returns how many of them were no duplicates.
func (s *system) sendAll(ctx context.Context, messages []int, identities []string) (firsts int, err error) {
	var bodies []string
	for _, message := range messages {
		body := s.plan.file(message)
		if identity := identities[message]; identity != "" {
			body = envelope(identity, body)
		}
		bodies = append(bodies, body)
	}
	ids, err := s.post(ctx, bodies...)
	if err != nil {
		return 0, err
	}
	for i, message := range messages {
		if identities[message] != "" {
			s.seen.duplicates.Add(1)
			continue
		}
		identities[message] = ids[i]
		s.seen.files.add(ids[i])
		firsts++
	}
	s.seen.sendings.Add(int64(len(messages)))
	return firsts, nil
}

// post sends up to ten messages to the file-received queue and returns their ids.
func (s *system) post(ctx context.Context, bodies ...string) (ids []string, err error) {
	var entries []sqstypes.SendMessageBatchRequestEntry
	for i, body := range bodies {
		entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
			MessageBody: &body})
	}
	sent, err := s.queues.SendMessageBatch(ctx,
		&sqs.SendMessageBatchInput{QueueUrl: &s.outputs.FileReceivedQueueUrl, Entries: entries})
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
