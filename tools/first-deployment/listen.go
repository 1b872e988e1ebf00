package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// heard says what a listener hears.
type heard string

const (
	monitoring heard = "monitoring"
	alarms     heard = "alarms"
)

// listener is a queue of its own that is subscribed to a topic, and all that it heard so far.
type listener struct {
	url    string
	bodies []string
}

// policyOf lets a service use one action of one resource for another resource, or for this account.
func policyOf(service, action, resource, key, value string) string {
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"Service": service}, "Action": action, "Resource": resource,
		"Condition": map[string]any{"StringEquals": map[string]string{key: value}},
	}}})
	if err != nil {
		panic(err) // nothing here but strings
	}
	return string(policy)
}

// makeAlarmTopic makes the topic that the stack's alarms go to, and listens to it.
func (t *trial) makeAlarmTopic(ctx context.Context) (string, error) {
	client := sns.NewFromConfig(t.config)
	name := t.stack + "-alarms"
	t.later("the topic for alarms is deleted", func(ctx context.Context) (string, error) {
		if t.alarmTopic == "" {
			return "none was made", nil
		}
		_, err := client.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &t.alarmTopic})
		return "", err
	})
	made, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name})
	if err != nil {
		return "", fmt.Errorf("making the topic for alarms: %w", err)
	}
	t.alarmTopic = *made.TopicArn
	if _, err := client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
		TopicArn: made.TopicArn, AttributeName: aws.String("Policy"),
		AttributeValue: aws.String(
			policyOf("cloudwatch.amazonaws.com", "sns:Publish", t.alarmTopic, "aws:SourceAccount", t.account)),
	}); err != nil {
		return "", fmt.Errorf("letting CloudWatch publish on the topic for alarms: %w", err)
	}
	return t.alarmTopic, t.listen(ctx, alarms, t.alarmTopic)
}

// listen makes a queue and subscribes it to the topic.
func (t *trial) listen(ctx context.Context, what heard, topic string) error {
	queues, topics := sqs.NewFromConfig(t.config), sns.NewFromConfig(t.config)
	name := t.stack + "-" + string(what)
	here := &listener{}
	var subscription *string
	t.later("the queue that listens to "+string(what)+" is deleted", func(ctx context.Context) (string, error) {
		var failed []error
		if subscription != nil {
			_, err := topics.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: subscription})
			failed = append(failed, err)
		}
		if here.url != "" {
			_, err := queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &here.url})
			failed = append(failed, err)
		}
		return "", errors.Join(failed...)
	})
	made, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		return fmt.Errorf("making a queue that listens to %s: %w", what, err)
	}
	here.url = *made.QueueUrl
	described, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return fmt.Errorf("asking for queue %s: %w", name, err)
	}
	arn := described.Attributes["QueueArn"]
	policy := policyOf("sns.amazonaws.com", "sqs:SendMessage", arn, "aws:SourceArn", topic)
	if _, err := queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: made.QueueUrl, Attributes: map[string]string{"Policy": policy},
	}); err != nil {
		return fmt.Errorf("letting the topic send to queue %s: %w", name, err)
	}
	subscribed, err := topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn,
		Attributes: map[string]string{"RawMessageDelivery": "true"}, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return fmt.Errorf("subscribing queue %s: %w", name, err)
	}
	subscription = subscribed.SubscriptionArn
	t.heard[what] = here
	return nil
}

// hear takes in what has come to a listener, and counts the messages that it ever heard with all of these texts.
func (t *trial) hear(ctx context.Context, what heard, texts ...string) (int, error) {
	client, here := sqs.NewFromConfig(t.config), t.heard[what]
	for {
		received, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &here.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
		})
		if err != nil {
			return 0, fmt.Errorf("listening to %s: %w", what, err)
		}
		for _, message := range received.Messages {
			here.bodies = append(here.bodies, aws.ToString(message.Body))
			if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{
				QueueUrl: &here.url, ReceiptHandle: message.ReceiptHandle,
			}); err != nil {
				return 0, fmt.Errorf("listening to %s: %w", what, err)
			}
		}
		if len(received.Messages) == 0 {
			break
		}
	}
	count := 0
	for _, body := range here.bodies {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(body, text)
		}
		if all {
			count++
		}
	}
	return count, nil
}

// publish publishes on the monitoring topic, which AWS's own key encrypts.
func (t *trial) publish(ctx context.Context) (string, error) {
	if err := t.listen(ctx, monitoring, t.outputs.MonitoringTopicArn); err != nil {
		return "", err
	}
	text := "first deployment of " + t.stack
	if _, err := sns.NewFromConfig(t.config).Publish(ctx, &sns.PublishInput{
		TopicArn: &t.outputs.MonitoringTopicArn, Message: &text,
	}); err != nil {
		return "", fmt.Errorf("publishing: %w", err)
	}
	return "", t.until(ctx, t.patience.run, func() (bool, error) {
		count, err := t.hear(ctx, monitoring, text)
		return count > 0, err
	})
}

// alarmHeard sets an alarm off by hand, one that nothing here would, and listens for it. CloudWatch sets it back by
// itself.
func (t *trial) alarmHeard(ctx context.Context) (string, error) {
	name := t.stack + "-ExportStatusConflicts"
	if _, err := cloudwatch.NewFromConfig(t.config).SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName: &name, StateValue: cloudwatchtypes.StateValueAlarm,
		StateReason: aws.String("the first deployment tries it"),
	}); err != nil {
		return "", fmt.Errorf("setting off alarm %s: %w", name, err)
	}
	return name, t.until(ctx, t.patience.run, func() (bool, error) {
		count, err := t.hear(ctx, alarms, name, "ALARM")
		return count > 0, err
	})
}
