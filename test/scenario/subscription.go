package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Subscription is a queue that receives what is published on a topic.
type Subscription struct {
	URL string // the queue's; empty before Begin

	sqs          *sqs.Client
	sns          *sns.Client
	queue, topic string
	arn          *string // the subscription's
}

// NewSubscription plans a queue of this name that receives from the topic (ARN). It calls nothing.
func NewSubscription(config aws.Config, queue, topic string) *Subscription {
	return &Subscription{sqs: sqs.NewFromConfig(config), sns: sns.NewFromConfig(config), queue: queue, topic: topic}
}

// Begin creates the queue and subscribes it. End is needed after an error too.
func (s *Subscription) Begin(ctx context.Context) error {
	created, err := s.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &s.queue})
	if err != nil {
		return fmt.Errorf("creating queue %s: %w", s.queue, err)
	}
	s.URL = aws.ToString(created.QueueUrl)
	described, err := s.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &s.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return fmt.Errorf("reading the ARN of queue %s: %w", s.queue, err)
	}
	arn := described.Attributes["QueueArn"]
	policy := strings.NewReplacer("QUEUE", arn, "TOPIC", s.topic).Replace(`{"Version": "2012-10-17",
		"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
		"Resource": "QUEUE", "Condition": {"ArnEquals": {"aws:SourceArn": "TOPIC"}}}]}`)
	if _, err := s.sqs.SetQueueAttributes(ctx,
		&sqs.SetQueueAttributesInput{QueueUrl: &s.URL, Attributes: map[string]string{"Policy": policy}}); err != nil {
		return fmt.Errorf("allowing the topic to send to queue %s: %w", s.queue, err)
	}
	subscribed, err := s.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &s.topic, Protocol: aws.String("sqs"), Endpoint: &arn,
		Attributes: map[string]string{"RawMessageDelivery": "true"}, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return fmt.Errorf("subscribing queue %s: %w", s.queue, err)
	}
	s.arn = subscribed.SubscriptionArn
	return nil
}

// End deletes what Begin created.
func (s *Subscription) End(ctx context.Context) error {
	var failed []error
	if s.arn != nil {
		_, err := s.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: s.arn})
		failed = append(failed, err)
	}
	if s.URL != "" {
		_, err := s.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &s.URL})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
