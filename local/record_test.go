package local

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

// The shape is that of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html.
func TestRecordsInputIsAsPipesDeliversIt(t *testing.T) {
	t.Parallel()
	input, err := RecordsInput("arn:aws:sqs:eu-west-1:123456789012:my-queue", []types.Message{
		{
			MessageId: aws.String("059f36b4-87a3-44ab-83d2-661975830a7d"), ReceiptHandle: aws.String("AQEBwJnK"),
			Body: aws.String(`{"a": "<ö> &"}`), MD5OfBody: aws.String("e4e68fb7bd0e697a0ae8f1bb342846b3"),
			Attributes: map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"},
		},
		{
			MessageId: aws.String("2e1424d4"), ReceiptHandle: aws.String("AQEBzWwa"), Body: aws.String("x"),
			MD5OfBody: aws.String("9dd4"), MD5OfMessageAttributes: aws.String("12ab"),
			Attributes: map[string]string{"ApproximateReceiveCount": "2"},
			MessageAttributes: map[string]types.MessageAttributeValue{
				"kind": {DataType: aws.String("String"), StringValue: aws.String("late")},
				"blob": {DataType: aws.String("Binary"), BinaryValue: []byte{1, 2}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `[
	  {
	    "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
	    "receiptHandle": "AQEBwJnK",
	    "body": "{\"a\": \"<ö> &\"}",
	    "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"},
	    "messageAttributes": {},
	    "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
	    "eventSource": "aws:sqs",
	    "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:my-queue",
	    "awsRegion": "eu-west-1"
	  },
	  {
	    "messageId": "2e1424d4",
	    "receiptHandle": "AQEBzWwa",
	    "body": "x",
	    "attributes": {"ApproximateReceiveCount": "2"},
	    "messageAttributes": {
	      "kind": {"stringValue": "late", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
	      "blob": {"binaryValue": "AQI=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"}
	    },
	    "md5OfMessageAttributes": "12ab",
	    "md5OfBody": "9dd4",
	    "eventSource": "aws:sqs",
	    "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:my-queue",
	    "awsRegion": "eu-west-1"
	  }
	]`
	if diff := cmp.Diff(decoded(t, want), decoded(t, input)); diff != "" {
		t.Errorf("records differ (-want +got):\n%s", diff)
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}
