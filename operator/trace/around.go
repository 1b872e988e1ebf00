package trace

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/report"
)

// Around reads what may explain why a run makes no progress: how many messages the deployment's queues have, and the
// failed executions that worked on the run. It receives no message.
func (r *Reader) Around(ctx context.Context, run string) (report.Evidence, error) {
	around, err := queues(ctx, r.deployment)
	if err != nil || r.Machine == "" {
		return around, err
	}
	failed, err := r.Failed(ctx, run)
	for _, execution := range failed {
		failure := report.Failure{Execution: execution.Name(), At: execution.Started, Cause: execution.Cause,
			Error: cmp.Or(execution.Error, string(execution.Status))}
		if execution.Stopped != nil {
			failure.At = *execution.Stopped
		}
		around.Failed = append(around.Failed, failure)
	}
	return around, err
}

func queues(ctx context.Context, d deployment.Deployment) (report.Evidence, error) {
	client := sqs.NewFromConfig(d.Config)
	var around report.Evidence
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
		around.Rejected = holds(attributes)
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
		return nil, fmt.Errorf("reading the attributes of queue %s: %w", url[strings.LastIndex(url, "/")+1:], err)
	}
	return described.Attributes, nil
}

// holds counts visible messages and those in flight.
func holds(attributes map[string]string) int {
	waiting, _ := strconv.Atoi(attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	inFlight, _ := strconv.Atoi(attributes[string(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)])
	return waiting + inFlight
}

func deadLetters(ctx context.Context, client *sqs.Client, redrivePolicy string) (int, error) {
	url, err := rejected.DeadLetterQueue(ctx, client, redrivePolicy)
	if err != nil || url == "" {
		return 0, err
	}
	attributes, err := describe(ctx, client, url)
	return holds(attributes), err
}
