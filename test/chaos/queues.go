package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/test/scenario"
)

// seen counts the input, the faults and the output.
type seen struct {
	sendings, duplicates          atomic.Int64
	killed                        atomic.Int64
	writes, sentLate              atomic.Int64
	replayed, successFiles, again atomic.Int64
	writeErrors                   bag // of the other writer, by their codes
	requests, notifications       bag // event ids, by collection and title
	rejected                      bag // identities, by reason
}

func attribute(message sqstypes.Message, name string) string {
	return aws.ToString(message.MessageAttributes[name].StringValue)
}

const eventID = "event_id"

// answerRequests answers each request with the collection's success file, as the sender does, some of them twice.
func (s *system) answerRequests(ctx context.Context) error {
	return scenario.Collect(ctx, s.queues, s.outputs.ExportStateQueueUrl, func(message sqstypes.Message) error {
		var request struct {
			TopicName string `json:"topic_name"`
		}
		if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &request); err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		s.seen.requests.add(request.TopicName, attribute(message, eventID))
		body := s.plan.run.SuccessFile(request.TopicName).Text
		ids, err := s.send(ctx, body)
		if err == nil && rand.Float64() < duplicateShare {
			_, err = s.send(ctx, envelope(ids[0], body))
		}
		s.seen.successFiles.Add(1)
		return err
	})
}

func (s *system) collectNotifications(ctx context.Context) error {
	return scenario.Collect(ctx, s.queues, s.notificationsURL, func(message sqstypes.Message) error {
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
	return scenario.Collect(ctx, s.queues, s.outputs.RejectedMessagesQueueUrl, func(message sqstypes.Message) error {
		reason, identity := attribute(message, delivery.AttrReasonCode), attribute(message, delivery.AttrIdentity)
		s.seen.rejected.add(reason, identity)
		if reason != string(snapshot.ReasonNotCounted) {
			return nil
		}
		if identity == "" {
			return errors.New("a message was rejected without its identity")
		}
		s.seen.replayed.Add(1)
		_, err := s.send(ctx, envelope(identity, aws.ToString(message.Body)))
		return err
	})
}

// redrive moves dead letters to the file-received queue as the console does: each gets another id.
func (s *system) redrive(ctx context.Context) error {
	return scenario.Collect(ctx, s.queues, s.deadLettersURL, func(message sqstypes.Message) error {
		s.seen.again.Add(1)
		_, err := s.send(ctx, aws.ToString(message.Body))
		return err
	})
}

// send sends up to ten messages to the file-received queue and returns their ids.
func (s *system) send(ctx context.Context, bodies ...string) (ids []string, err error) {
	return scenario.Post(ctx, s.queues, s.outputs.FileReceivedQueueUrl, bodies...)
}

// envelope is a message that brings another one under its identity, as in a replay.
func envelope(identity, body string) string {
	return scenario.Envelope(scenario.Record(identity, body)).Text
}
