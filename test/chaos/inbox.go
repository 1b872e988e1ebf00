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

// seen is what was done to the system and what came out of it.
type seen struct {
	sendings, duplicates     atomic.Int64
	killed                   atomic.Int64
	writes, sentLate         atomic.Int64
	putBack, successFiles    atomic.Int64
	files                    bag // identities of the files' messages
	writeErrors              bag // codes
	requests, news, rejected bags
}

// bag counts how often each thing was put into it.
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

// counts returns what is in the bag by now.
func (b *bag) counts() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	counts := map[string]int{}
	for thing, n := range b.n {
		counts[thing] = n
	}
	return counts
}

// bags counts how often each thing was put in, by a label.
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

// collect takes message after message out of a queue until the context is done. A message stays in the queue until it
// is dealt with, so that an empty queue means that all are.
func (w *world) collect(ctx context.Context, url string, take func(sqstypes.Message) error) error {
	for ctx.Err() == nil {
		got, err := w.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
		})
		if err != nil {
			return fmt.Errorf("collecting messages: %w", err)
		}
		for _, message := range got.Messages {
			if err := take(message); err != nil {
				return err
			}
			if _, err := w.queues.DeleteMessage(ctx,
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

// answerRequests is the sender, who answers each request with the collection's success file, some of them twice.
func (w *world) answerRequests(ctx context.Context) error {
	return w.collect(ctx, w.outputs.ExportStateQueueUrl, func(message sqstypes.Message) error {
		var request struct {
			TopicName string `json:"topic_name"`
		}
		if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &request); err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		w.seen.requests.add(request.TopicName, attribute(message, eventID))
		body := w.plan.successFile(request.TopicName)
		ids, err := w.post(ctx, body)
		if err == nil && rand.Float64() < duplicateShare {
			_, err = w.post(ctx, envelope(ids[0], body))
		}
		w.seen.successFiles.Add(1)
		return err
	})
}

func (w *world) collectNews(ctx context.Context) error {
	return w.collect(ctx, w.newsURL, func(message sqstypes.Message) error {
		var news struct {
			Title string `json:"title_text"`
		}
		if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &news); err != nil {
			return fmt.Errorf("reading the news: %w", err)
		}
		w.seen.news.add(news.Title, attribute(message, eventID))
		return nil
	})
}

// putBackKept is the person who puts back, under its identity, what was kept because retries were used up.
func (w *world) putBackKept(ctx context.Context) error {
	return w.collect(ctx, w.outputs.RejectedMessagesQueueUrl, func(message sqstypes.Message) error {
		reason, identity := attribute(message, delivery.AttrReasonCode), attribute(message, delivery.AttrIdentity)
		w.seen.rejected.add(reason, identity)
		if reason != string(snapshot.ReasonNotCounted) {
			return nil
		}
		if identity == "" {
			return errors.New("a message was kept without its identity")
		}
		_, err := w.post(ctx, envelope(identity, aws.ToString(message.Body)))
		w.seen.putBack.Add(1)
		return err
	})
}
