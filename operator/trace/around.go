package trace

import (
	"cmp"
	"context"
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

func queues(ctx context.Context, d deployment.Deployment) (around report.Evidence, err error) {
	client := sqs.NewFromConfig(d.Config)
	var redrivePolicy, deadLetters string
	if around.Waiting, redrivePolicy, err = holds(ctx, client, d.FileReceivedQueueUrl); err != nil {
		return around, err
	}
	if deadLetters, err = rejected.DeadLetterQueue(ctx, client, redrivePolicy); err != nil {
		return around, err
	}
	if around.DeadLetters, _, err = holds(ctx, client, deadLetters); err != nil {
		return around, err
	}
	around.Rejected, _, err = holds(ctx, client, d.RejectedMessagesQueueUrl)
	return around, err
}

// holds counts a queue's messages, visible ones and those in flight. The queue "" has none.
func holds(ctx context.Context, client *sqs.Client, url string) (messages int, redrivePolicy string, err error) {
	if url == "" {
		return 0, "", nil
	}
	got, err := rejected.Attributes(ctx, client, url, "reading the attributes of queue "+url[strings.LastIndex(url,
		"/")+1:], types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, types.QueueAttributeNameRedrivePolicy)
	waiting, _ := strconv.Atoi(got[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	inFlight, _ := strconv.Atoi(got[string(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)])
	return waiting + inFlight, got[string(types.QueueAttributeNameRedrivePolicy)], err
}
