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

// Rejected is the rejected-messages queue. It holds messages that cannot be counted, for a person.
type Rejected struct {
	SQS      SQS
	QueueURL string
}

// Attributes of a rejected message.
const (
	AttrReasonCode = "reason_code" // a snapshot.Reason
	AttrReason     = "reason"      // a sentence
	AttrIdentity   = "identity"    // a replay's messageId
)

// Reject sends a message to the queue: its raw text, the reason and the identity. Repeating it adds another copy with
// the same identity.
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
