package local

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// streamRecord is the change of a row as EventBridge Pipes delivers it
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html).
type streamRecord struct {
	EventID        string       `json:"eventID"`
	EventName      string       `json:"eventName"`
	EventVersion   string       `json:"eventVersion"`
	EventSource    string       `json:"eventSource"`
	AWSRegion      string       `json:"awsRegion"`
	DynamoDB       streamChange `json:"dynamodb"`
	EventSourceARN string       `json:"eventSourceARN"`
}

type streamChange struct {
	ApproximateCreationDateTime int64  `json:"ApproximateCreationDateTime,omitempty"` // seconds
	Keys                        image  `json:"Keys,omitempty"`
	NewImage                    image  `json:"NewImage,omitempty"`
	OldImage                    image  `json:"OldImage,omitempty"`
	SequenceNumber              string `json:"SequenceNumber"`
	SizeBytes                   int64  `json:"SizeBytes"`
	StreamViewType              string `json:"StreamViewType"`
}

// image is an item in DynamoDB's JSON.
type image map[string]attribute

// attribute is a value in DynamoDB's JSON: {"S": "text"}.
type attribute struct{ types.AttributeValue }

func (a attribute) MarshalJSON() ([]byte, error) {
	var kind string
	var value any
	switch v := a.AttributeValue.(type) {
	case *types.AttributeValueMemberS:
		kind, value = "S", v.Value
	case *types.AttributeValueMemberN:
		kind, value = "N", v.Value
	case *types.AttributeValueMemberB:
		kind, value = "B", v.Value
	case *types.AttributeValueMemberBOOL:
		kind, value = "BOOL", v.Value
	case *types.AttributeValueMemberNULL:
		kind, value = "NULL", v.Value
	case *types.AttributeValueMemberSS:
		kind, value = "SS", v.Value
	case *types.AttributeValueMemberNS:
		kind, value = "NS", v.Value
	case *types.AttributeValueMemberBS:
		kind, value = "BS", v.Value
	case *types.AttributeValueMemberM:
		kind, value = "M", asImage(v.Value)
	case *types.AttributeValueMemberL:
		list := make([]attribute, 0, len(v.Value))
		for _, element := range v.Value {
			list = append(list, attribute{element})
		}
		kind, value = "L", list
	default:
		return nil, fmt.Errorf("an attribute of unknown type %T", v)
	}
	return json.Marshal(map[string]any{kind: value})
}

func asImage(item map[string]types.AttributeValue) image {
	all := make(image, len(item))
	for name, value := range item {
		all[name] = attribute{value}
	}
	return all
}

// StreamRecord returns the record as delivered, and as the pipe's filters see it: decoded JSON.
func StreamRecord(stream string, r types.Record) (json.RawMessage, map[string]any, error) {
	change := r.Dynamodb
	record := streamRecord{
		EventID: aws.ToString(r.EventID), EventName: string(r.EventName), EventVersion: aws.ToString(r.EventVersion),
		EventSource: aws.ToString(r.EventSource), AWSRegion: aws.ToString(r.AwsRegion), EventSourceARN: stream,
		DynamoDB: streamChange{
			Keys: asImage(change.Keys), NewImage: asImage(change.NewImage), OldImage: asImage(change.OldImage),
			SequenceNumber: aws.ToString(change.SequenceNumber), SizeBytes: aws.ToInt64(change.SizeBytes),
			StreamViewType: string(change.StreamViewType),
		},
	}
	if at := change.ApproximateCreationDateTime; at != nil {
		record.DynamoDB.ApproximateCreationDateTime = at.Unix()
	}
	text, err := asInput(record)
	if err != nil {
		return nil, nil, err
	}
	var event map[string]any
	if err := json.Unmarshal([]byte(text), &event); err != nil {
		return nil, nil, fmt.Errorf("reading the record: %w", err)
	}
	return json.RawMessage(text), event, nil
}
