package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/snapshot"
)

// inbox takes the run's messages out of a queue that it may share with others: theirs are put back.
type inbox struct {
	sqs     *sqs.Client
	url     string
	mine    func(text string) bool
	take    func(ctx context.Context, message sqstypes.Message) error
	foreign []*string // receipt handles
}

// inboxes are the three queues that the run's results come out of. The sender's answer to a request is in the first.
func (w *world) inboxes(run *run, seen *seen) []*inbox {
	ofRun := func(text string) bool { return strings.Contains(text, run.correlationID) }
	box := func(url string, take func(context.Context, sqstypes.Message) error) *inbox {
		return &inbox{sqs: w.sqs, url: url, mine: ofRun, take: take}
	}
	return []*inbox{
		box(w.outputs.ExportStateQueueUrl, func(ctx context.Context, message sqstypes.Message) error {
			var request fields
			if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &request); err != nil {
				return fmt.Errorf("reading a request: %w", err)
			}
			seen.addRequest(request)
			name, _ := request["topic_name"].(string)
			_, err := w.send(ctx, []outgoing{{text: run.successFile(name)}})
			return err
		}),
		box(w.newsQueueURL, func(_ context.Context, message sqstypes.Message) error {
			var news struct {
				Title string `json:"title_text"`
			}
			if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &news); err != nil {
				return fmt.Errorf("reading the news: %w", err)
			}
			seen.addNews(news.Title)
			return nil
		}),
		box(w.outputs.RejectedMessagesQueueUrl, func(_ context.Context, message sqstypes.Message) error {
			attribute := func(name string) string { return aws.ToString(message.MessageAttributes[name].StringValue) }
			seen.addRejected(rejected{
				reject: reject{snapshot.Reason(attribute("reason_code")), attribute("identity")},
				detail: attribute("reason"), text: aws.ToString(message.Body),
			})
			return nil
		}),
	}
}

// listen takes the run's messages until the context is done, and then what has come until the queue is empty.
func (b *inbox) listen(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	defer b.putBack(whole)
	for {
		last := ctx.Err() != nil
		wait := int32(1)
		if last {
			wait = 0
		}
		received, err := b.sqs.ReceiveMessage(whole, &sqs.ReceiveMessageInput{
			QueueUrl: &b.url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait, VisibilityTimeout: 120,
			MessageAttributeNames: []string{"All"},
		})
		if err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		if last && len(received.Messages) == 0 {
			return nil
		}
		for _, message := range received.Messages {
			if err := b.handle(whole, message); err != nil {
				return err
			}
		}
	}
}

func (b *inbox) handle(ctx context.Context, message sqstypes.Message) error {
	if !b.mine(aws.ToString(message.Body)) {
		b.foreign = append(b.foreign, message.ReceiptHandle)
		return nil
	}
	_, err := b.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &b.url, ReceiptHandle: message.ReceiptHandle})
	return errors.Join(err, b.take(ctx, message))
}

// putBack makes others' messages visible again. If it fails they come back by themselves.
func (b *inbox) putBack(ctx context.Context) {
	for _, handle := range b.foreign {
		_, _ = b.sqs.ChangeMessageVisibility(ctx,
			&sqs.ChangeMessageVisibilityInput{QueueUrl: &b.url, ReceiptHandle: handle, VisibilityTimeout: 0})
	}
}
