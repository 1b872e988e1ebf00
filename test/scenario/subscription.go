package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Subscription is a queue that receives what is published on a topic.
type Subscription struct {
	URL string // the queue's; empty before Begin

	sqs          *sqs.Client
	sns          *sns.Client
	queue, topic string
	subscription *string // its ARN
}

// NewSubscription plans a queue of this name that receives from the topic (ARN). It calls nothing.
func NewSubscription(config aws.Config, queue, topic string) *Subscription {
	return &Subscription{sqs: sqs.NewFromConfig(config), sns: sns.NewFromConfig(config), queue: queue, topic: topic}
}

// Begin creates the queue and subscribes it. End is needed after an error too.
func (s *Subscription) Begin(ctx context.Context) error {
	topic, err := arn.Parse(s.topic)
	if err != nil {
		return fmt.Errorf("subscribing queue %s: %w", s.queue, err)
	}
	queue := topic // beside the topic, in its account and region
	queue.Service, queue.Resource = "sqs", s.queue
	policy := strings.NewReplacer("QUEUE", queue.String(), "TOPIC", s.topic).Replace(`{"Version": "2012-10-17",
		"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
		"Resource": "QUEUE", "Condition": {"ArnEquals": {"aws:SourceArn": "TOPIC"}}}]}`)
	created, err := s.sqs.CreateQueue(ctx,
		&sqs.CreateQueueInput{QueueName: &s.queue, Attributes: map[string]string{"Policy": policy}})
	if err != nil {
		return fmt.Errorf("creating queue %s: %w", s.queue, err)
	}
	s.URL = aws.ToString(created.QueueUrl)
	subscribed, err := s.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &s.topic, Protocol: aws.String("sqs"), Endpoint: aws.String(queue.String()),
		Attributes: map[string]string{"RawMessageDelivery": "true"}, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return fmt.Errorf("subscribing queue %s: %w", s.queue, err)
	}
	s.subscription = subscribed.SubscriptionArn
	return nil
}

// End deletes what Begin created.
func (s *Subscription) End(ctx context.Context) error {
	var failed []error
	if s.subscription != nil {
		_, err := s.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: s.subscription})
		failed = append(failed, err)
	}
	if s.URL != "" {
		_, err := s.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &s.URL})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
