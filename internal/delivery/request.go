// Package delivery sends messages to queues: requests to the sender, and rejected messages. Its packages monitoring,
// machine and pipes use other services: one package for each service, so that a function links only the clients that
// it calls. Every message is sent at least once, with the same identity at every try.
package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/delivery/sendable"
	"snapshot-status-checker/internal/snapshot"
)

// SQS is the part of the SQS client that this package uses.
type SQS interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Sender asks the snapshot sender for _success files over the export state queue.
type Sender struct {
	SQS      SQS
	QueueURL string // of a FIFO queue if it ends in .fifo, of a standard one otherwise
}

// request is the message on the export state queue, in exactly the format that the sender expects: all values are
// strings.
type request struct {
	ShutdownFlag         string `json:"shutdown_flag"`
	CorrelationID        string `json:"correlation_id"`
	TopicName            string `json:"topic_name"`
	SnapshotType         string `json:"snapshot_type"`
	ReprocessFiles       string `json:"reprocess_files"`
	ExportDate           string `json:"export_date"`
	SendSuccessIndicator string `json:"send_success_indicator"`
}

// Request asks for the _success file of a collection. A FIFO queue ignores a repetition within five minutes. A repeated
// request is harmless: the sender answers it again.
func (s *Sender) Request(ctx context.Context, out snapshot.Outgoing, export snapshot.Export) error {
	body := sendable.JSON(request{
		ShutdownFlag:         strconv.FormatBool(export.ShutdownFlag),
		CorrelationID:        out.CorrelationID,
		TopicName:            out.CollectionName,
		SnapshotType:         export.SnapshotType,
		ReprocessFiles:       strconv.FormatBool(export.ReprocessFiles),
		ExportDate:           export.ExportDate,
		SendSuccessIndicator: "true",
	})
	in := &sqs.SendMessageInput{QueueUrl: &s.QueueURL, MessageBody: &body,
		MessageAttributes: map[string]types.MessageAttributeValue{
			sendable.EventID: text(out.EventID()),
		}}
	if strings.HasSuffix(s.QueueURL, ".fifo") {
		in.MessageGroupId = aws.String(MessageGroup(out.CollectionName))
		in.MessageDeduplicationId = aws.String(out.EventID())
	}
	if _, err := s.SQS.SendMessage(ctx, in); err != nil {
		return fmt.Errorf("sending the request: %w", err)
	}
	return nil
}

// maxGroup bounds a message group id, which may only have ASCII letters, digits and punctuation
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
const maxGroup = 128

// MessageGroup is a collection's message group: its name with _ for each dot or, if that is no valid id, a digest of
// its name.
func MessageGroup(collectionName string) string {
	group := strings.ReplaceAll(collectionName, ".", "_")
	invalid := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(group) > maxGroup || strings.ContainsFunc(group, invalid) {
		sum := sha256.Sum256([]byte(collectionName))
		return hex.EncodeToString(sum[:])
	}
	return group
}

// text makes a message attribute.
func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(sendable.Text(value))}
}
