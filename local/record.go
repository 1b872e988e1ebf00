package local

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// record is an SQS message as EventBridge Pipes delivers it
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html).
type record struct {
	MessageID              string                     `json:"messageId"`
	ReceiptHandle          string                     `json:"receiptHandle"`
	Body                   string                     `json:"body"`
	Attributes             map[string]string          `json:"attributes"`
	MessageAttributes      map[string]recordAttribute `json:"messageAttributes"`
	MD5OfMessageAttributes string                     `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody              string                     `json:"md5OfBody"`
	EventSource            string                     `json:"eventSource"`
	EventSourceARN         string                     `json:"eventSourceARN"`
	AWSRegion              string                     `json:"awsRegion"`
}

type recordAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

// RecordsInput is the input of an execution that these messages start: the array of their records.
func RecordsInput(queueARN string, messages []types.Message) (string, error) {
	parsed, err := arn.Parse(queueARN)
	if err != nil {
		return "", fmt.Errorf("reading the queue's ARN: %w", err)
	}
	records := make([]record, 0, len(messages))
	for _, message := range messages {
		attributes := map[string]recordAttribute{}
		for name, value := range message.MessageAttributes {
			attributes[name] = recordAttribute{
				StringValue: value.StringValue, BinaryValue: value.BinaryValue, DataType: aws.ToString(value.DataType),
				StringListValues: []string{}, BinaryListValues: [][]byte{},
			}
		}
		records = append(records, record{
			MessageID:              aws.ToString(message.MessageId),
			ReceiptHandle:          aws.ToString(message.ReceiptHandle),
			Body:                   aws.ToString(message.Body),
			Attributes:             message.Attributes,
			MessageAttributes:      attributes,
			MD5OfMessageAttributes: aws.ToString(message.MD5OfMessageAttributes),
			MD5OfBody:              aws.ToString(message.MD5OfBody),
			EventSource:            "aws:sqs",
			EventSourceARN:         queueARN,
			AWSRegion:              parsed.Region,
		})
	}
	return asInput(records)
}
