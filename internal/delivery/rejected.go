package delivery

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/delivery/sendable"
	"snapshot-status-checker/internal/snapshot"
)

// Rejected is the rejected-messages queue: messages that cannot be counted, for a person.
type Rejected struct {
	SQS      SQS
	QueueURL string
}

// Attributes of a rejected message.
const (
	AttrReasonCode = "reason_code" // a snapshot.Reason
	AttrReason     = "reason"      // a sentence
	AttrIdentity   = "identity"    // to replay the message with: the record's messageId
)

// Reject sends a rejected message to the queue: its raw text as it came, and why it was rejected. A message that is
// rejected twice is there twice, with one identity.
func (r *Rejected) Reject(ctx context.Context, receipt snapshot.Receipt) error {
	_, err := r.SQS.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:    &r.QueueURL,
		MessageBody: aws.String(sendable.Text(receipt.Raw)),
		MessageAttributes: map[string]types.MessageAttributeValue{
			AttrReasonCode: text(string(receipt.Rejection.Reason)),
			AttrReason:     text(receipt.Rejection.Detail),
			AttrIdentity:   text(receipt.Identity),
		},
	})
	if err != nil {
		return fmt.Errorf("rejecting a message: %w", err)
	}
	return nil
}
