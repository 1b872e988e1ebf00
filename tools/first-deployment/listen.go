package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/test/scenario"
)

// listener receives from a topic.
type listener struct {
	*scenario.Subscription
	bodies []string // of all messages so far
}

// makeAlarmTopic creates the topic for the stack's alarms, and listens to it.
func (t *trial) makeAlarmTopic(ctx context.Context) (string, error) {
	client := sns.NewFromConfig(t.config)
	name := t.stack + "-alarms"
	t.atEnd("the topic for alarms is deleted", func(ctx context.Context) (string, error) {
		if t.alarmTopic == "" {
			return "none was created", nil
		}
		_, err := client.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &t.alarmTopic})
		return "", err
	})
	created, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name})
	if err != nil {
		return "", fmt.Errorf("creating the topic for alarms: %w", err)
	}
	t.alarmTopic = *created.TopicArn
	if _, err := client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
		TopicArn: created.TopicArn, AttributeName: aws.String("Policy"),
		AttributeValue: aws.String(fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
			"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": %q,
			"Condition": {"StringEquals": {"aws:SourceAccount": %q}}}]}`, t.alarmTopic, t.account)),
	}); err != nil {
		return "", fmt.Errorf("allowing CloudWatch to publish on the topic for alarms: %w", err)
	}
	t.alarms, err = t.listen(ctx, "alarms", t.alarmTopic)
	return t.alarmTopic, err
}

// listen creates a queue and subscribes it to the topic.
func (t *trial) listen(ctx context.Context, to, topic string) (*listener, error) {
	here := &listener{Subscription: scenario.NewSubscription(t.config, t.stack+"-"+to, topic)}
	t.atEnd("the queue that listens to "+to+" is deleted",
		func(ctx context.Context) (string, error) { return "", here.End(ctx) })
	return here, here.Begin(ctx)
}

// hear receives what has arrived at a listener, and counts the messages so far that contain all of these texts.
func (t *trial) hear(ctx context.Context, here *listener, texts ...string) (count int, err error) {
	for more := 1; more > 0; {
		more, err = scenario.Take(ctx, sqs.NewFromConfig(t.config), here.URL, func(message sqstypes.Message) error {
			here.bodies = append(here.bodies, aws.ToString(message.Body))
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	for _, body := range here.bodies {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(body, text) }) {
			count++
		}
	}
	return count, nil
}

// awaitHeard waits until a message with all of these texts has arrived.
func (t *trial) awaitHeard(ctx context.Context, here *listener, texts ...string) error {
	return t.until(ctx, t.timeouts.run, func() (bool, error) {
		count, err := t.hear(ctx, here, texts...)
		return count > 0, err
	})
}

// publish publishes on the monitoring topic, which AWS's own key encrypts.
func (t *trial) publish(ctx context.Context) (string, error) {
	var err error
	if t.monitoring, err = t.listen(ctx, "monitoring", t.outputs.MonitoringTopicArn); err != nil {
		return "", err
	}
	text := "first deployment of " + t.stack
	if _, err := sns.NewFromConfig(t.config).Publish(ctx, &sns.PublishInput{
		TopicArn: &t.outputs.MonitoringTopicArn, Message: &text,
	}); err != nil {
		return "", fmt.Errorf("publishing: %w", err)
	}
	return "", t.awaitHeard(ctx, t.monitoring, text)
}

// alarmHeard raises an alarm by hand, one that the trial does not raise otherwise, and listens for it. CloudWatch
// resets it.
func (t *trial) alarmHeard(ctx context.Context) (string, error) {
	name := t.stack + "-ExportStatusConflicts"
	if _, err := cloudwatch.NewFromConfig(t.config).SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName: &name, StateValue: cloudwatchtypes.StateValueAlarm,
		StateReason: aws.String("the first deployment tests it"),
	}); err != nil {
		return "", fmt.Errorf("raising alarm %s: %w", name, err)
	}
	return name, t.awaitHeard(ctx, t.alarms, name, "ALARM")
}
