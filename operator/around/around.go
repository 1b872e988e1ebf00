// Package around reads what stands around a run and may explain why it does not move: messages that wait, were kept or
// found no execution, and executions that failed. It takes nothing out of a queue.
package around

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/trace"
)

// Read asks the queues that the deployment names how many messages they hold, about (SQS counts them with a delay), and
// the state machine which executions failed that worked on the run.
func Read(ctx context.Context, d deployment.Deployment, run string) (report.Around, error) {
	return ReadBy(ctx, d, trace.New(d), run)
}

// ReadBy is Read by a reader that remembers executions, for who reads again and again.
func ReadBy(ctx context.Context, d deployment.Deployment, executions *trace.Reader, run string) (report.Around, error) {
	around, err := queues(ctx, d)
	if err != nil || d.StateMachineArn == "" {
		return around, err
	}
	failed, err := executions.Failed(ctx, run)
	for _, execution := range failed {
		failure := report.Failure{Execution: execution.Name(), At: execution.Started, Error: cmp.Or(execution.Error,
			string(execution.Status)), Cause: execution.Cause}
		if execution.Stopped != nil {
			failure.At = *execution.Stopped
		}
		around.Failed = append(around.Failed, failure)
	}
	return around, err
}

func queues(ctx context.Context, d deployment.Deployment) (report.Around, error) {
	client := sqs.NewFromConfig(d.Config)
	var around report.Around
	if d.FileReceivedQueueUrl != "" {
		attributes, err := describe(ctx, client, d.FileReceivedQueueUrl)
		if err != nil {
			return around, err
		}
		around.Waiting = holds(attributes)
		if around.DeadLetters, err = deadLetters(ctx, client,
			attributes[string(types.QueueAttributeNameRedrivePolicy)]); err != nil {
			return around, err
		}
	}
	if d.RejectedMessagesQueueUrl != "" {
		attributes, err := describe(ctx, client, d.RejectedMessagesQueueUrl)
		if err != nil {
			return around, err
		}
		around.Kept = holds(attributes)
	}
	return around, nil
}

func describe(ctx context.Context, client *sqs.Client, url string) (map[string]string, error) {
	described, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
			types.QueueAttributeNameRedrivePolicy,
		}})
	if err != nil {
		return nil, fmt.Errorf("asking queue %s what it holds: %w", url[strings.LastIndex(url, "/")+1:], err)
	}
	return described.Attributes, nil
}

// holds counts the messages that wait and those that are being worked on.
func holds(attributes map[string]string) int {
	waiting, _ := strconv.Atoi(attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	inFlight, _ := strconv.Atoi(attributes[string(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)])
	return waiting + inFlight
}

func deadLetters(ctx context.Context, client *sqs.Client, redrivePolicy string) (int, error) {
	var policy struct{ DeadLetterTargetArn string }
	if redrivePolicy == "" {
		return 0, nil
	}
	if err := json.Unmarshal([]byte(redrivePolicy), &policy); err != nil {
		return 0, fmt.Errorf("reading the file-received queue's redrive policy: %w", err)
	}
	queue, err := arn.Parse(policy.DeadLetterTargetArn)
	if err != nil {
		return 0, fmt.Errorf("reading the file-received queue's redrive policy: %w", err)
	}
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue.Resource,
		QueueOwnerAWSAccountId: &queue.AccountID})
	if err != nil {
		return 0, fmt.Errorf("finding dead-letter queue %s: %w", queue.Resource, err)
	}
	attributes, err := describe(ctx, client, aws.ToString(found.QueueUrl))
	return holds(attributes), err
}
