package scenario

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Subscribe makes a queue for the run's news and returns it, with what takes it away again.
func (w *World) Subscribe(ctx context.Context, run Run) (url string, end func(), err error) {
	made, err := w.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("news-" + run.CorrelationID)})
	if err != nil {
		return "", nil, fmt.Errorf("making a queue for the news: %w", err)
	}
	described, err := w.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return "", nil, fmt.Errorf("making a queue for the news: %w", err)
	}
	arn := described.Attributes["QueueArn"]
	policy := strings.NewReplacer("QUEUE", arn, "TOPIC", w.outputs.MonitoringTopicArn).Replace(`{"Version": "2012-10-17",
		"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
		"Resource": "QUEUE", "Condition": {"ArnEquals": {"aws:SourceArn": "TOPIC"}}}]}`)
	if _, err := w.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: made.QueueUrl, Attributes: map[string]string{"Policy": policy},
	}); err != nil {
		return "", nil, fmt.Errorf("letting the topic send to the news queue: %w", err)
	}
	subscribed, err := w.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &w.outputs.MonitoringTopicArn, Protocol: aws.String("sqs"), Endpoint: &arn,
		Attributes: map[string]string{"RawMessageDelivery": "true"}, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return "", nil, fmt.Errorf("subscribing to the news: %w", err)
	}
	return aws.ToString(made.QueueUrl), func() {
		// What stays behind after an error here harms nobody.
		_, _ = w.sns.Unsubscribe(context.WithoutCancel(ctx),
			&sns.UnsubscribeInput{SubscriptionArn: subscribed.SubscriptionArn})
		_, _ = w.sqs.DeleteQueue(context.WithoutCancel(ctx), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
	}, nil
}
