package local

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

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

// MarshalJSON derives the type from the name of the SDK's type: AttributeValueMemberS is {"S": …}.
func (a attribute) MarshalJSON() ([]byte, error) {
	member := reflect.Indirect(reflect.ValueOf(a.AttributeValue))
	kind, known := strings.CutPrefix(member.Type().Name(), "AttributeValueMember")
	if !known {
		return nil, fmt.Errorf("an attribute of unknown type %T", a.AttributeValue)
	}
	value := member.FieldByName("Value").Interface()
	switch v := value.(type) {
	case map[string]types.AttributeValue:
		value = asImage(v)
	case []types.AttributeValue:
		list := make([]attribute, 0, len(v))
		for _, element := range v {
			list = append(list, attribute{element})
		}
		value = list
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
