package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
)

// seen counts the input, the faults and the output.
type seen struct {
	sendings, duplicates              atomic.Int64
	killed                            atomic.Int64
	writes, sentLate                  atomic.Int64
	replayed, successFiles, again     atomic.Int64
	files                             bag // identities of the files' messages
	writeErrors                       bag // codes
	requests, notifications, rejected bags
}

// bag counts equal strings.
type bag struct {
	mu sync.Mutex
	n  map[string]int
}

func (b *bag) add(thing string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n == nil {
		b.n = map[string]int{}
	}
	b.n[thing]++
}

// counts returns a copy of the counts.
func (b *bag) counts() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	counts := map[string]int{}
	for thing, n := range b.n {
		counts[thing] = n
	}
	return counts
}

// bags are bags by label.
type bags struct {
	mu sync.Mutex
	by map[string]map[string]int
}

func (b *bags) add(label, thing string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by == nil {
		b.by = map[string]map[string]int{}
	}
	if b.by[label] == nil {
		b.by[label] = map[string]int{}
	}
	b.by[label][thing]++
}

// collect receives messages until the context is done. It deletes each after take, so that no message of an empty queue
// is left to take.
func (s *system) collect(ctx context.Context, url string, take func(sqstypes.Message) error) error {
	for ctx.Err() == nil {
		got, err := s.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
		})
		if err != nil {
			return fmt.Errorf("collecting messages: %w", err)
		}
		for _, message := range got.Messages {
			if err := take(message); err != nil {
				return err
			}
			if _, err := s.queues.DeleteMessage(ctx,
				&sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: message.ReceiptHandle}); err != nil {
				return fmt.Errorf("collecting messages: %w", err)
			}
		}
	}
	return nil
}

func attribute(message sqstypes.Message, name string) string {
	return aws.ToString(message.MessageAttributes[name].StringValue)
}

const eventID = "event_id"

// answerRequests answers each request with the collection's success file, as the sender does, some of them twice.
func (s *system) answerRequests(ctx context.Context) error {
	return s.collect(ctx, s.outputs.ExportStateQueueUrl, func(message sqstypes.Message) error {
		var request struct {
			TopicName string `json:"topic_name"`
		}
		if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &request); err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		s.seen.requests.add(request.TopicName, attribute(message, eventID))
		body := s.plan.successFile(request.TopicName)
		ids, err := s.post(ctx, s.outputs.FileReceivedQueueUrl, body)
		if err == nil && rand.Float64() < duplicateShare {
			_, err = s.post(ctx, s.outputs.FileReceivedQueueUrl, envelope(ids[0], body))
		}
		s.seen.successFiles.Add(1)
		return err
	})
}

func (s *system) collectNotifications(ctx context.Context) error {
	return s.collect(ctx, s.notificationsURL, func(message sqstypes.Message) error {
		var notification struct {
			Title string `json:"title_text"`
		}
		if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &notification); err != nil {
			return fmt.Errorf("reading a notification: %w", err)
		}
		s.seen.notifications.add(notification.Title, attribute(message, eventID))
		return nil
	})
}

// replayRejected replays messages that were rejected because the retries were used up.
func (s *system) replayRejected(ctx context.Context) error {
	return s.collect(ctx, s.outputs.RejectedMessagesQueueUrl, func(message sqstypes.Message) error {
		reason, identity := attribute(message, delivery.AttrReasonCode), attribute(message, delivery.AttrIdentity)
		s.seen.rejected.add(reason, identity)
		if reason != string(snapshot.ReasonNotCounted) {
			return nil
		}
		if identity == "" {
			return errors.New("a message was rejected without its identity")
		}
		_, err := s.post(ctx, s.outputs.FileReceivedQueueUrl, envelope(identity, aws.ToString(message.Body)))
		s.seen.replayed.Add(1)
		return err
	})
}
