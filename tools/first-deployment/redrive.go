package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"snapshot-status-checker/operator/rejected"
)

// redrive tries to redrive the dead letters of files, of which there are none. The queue's policy has to deny it, also
// to an administrator.
func (t *trial) redrive(ctx context.Context) (string, error) {
	client := sqs.NewFromConfig(t.config)
	dead, err := rejected.Queues{SQS: client, FileReceived: t.outputs.FileReceivedQueueUrl}.DeadLetters(ctx)
	if err != nil {
		return "", err
	}
	got, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &dead.Rejected,
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		return "", fmt.Errorf("reading the dead-letter queue's ARN: %w", err)
	}
	_, err = client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{
		SourceArn: aws.String(got.Attributes[string(sqstypes.QueueAttributeNameQueueArn)])})
	return denied(err)
}

// denied is no error if a call was denied.
func denied(err error) (string, error) {
	var api smithy.APIError
	switch {
	case err == nil:
		return "", errors.New("the redrive was started")
	case errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied"):
		return api.ErrorMessage(), nil
	case errors.As(err, &api) && unknownCalls[api.ErrorCode()]:
		return "", missing{"no redrive"}
	}
	return "", fmt.Errorf("starting the redrive: %w", err)
}
