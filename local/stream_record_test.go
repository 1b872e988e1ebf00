package local

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
)

// The shape is that of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html.
func TestStreamRecordIsAsPipesDeliversIt(t *testing.T) {
	t.Parallel()
	const stream = "arn:aws:dynamodb:eu-west-1:123456789012:table/Rows/stream/2026-11-23T00:00:00.000"
	key := map[string]types.AttributeValue{"Id": &types.AttributeValueMemberS{Value: "<ö>"}}
	text, event, err := StreamRecord(stream, types.Record{
		EventID: aws.String("c4ca"), EventName: types.OperationTypeModify, EventVersion: aws.String("1.1"),
		EventSource: aws.String("aws:dynamodb"), AwsRegion: aws.String("eu-west-1"),
		Dynamodb: &types.StreamRecord{
			ApproximateCreationDateTime: aws.Time(time.Unix(1795449610, 0)),
			Keys:                        key, OldImage: key,
			NewImage: map[string]types.AttributeValue{
				"Number": &types.AttributeValueMemberN{Value: "101"},
				"Binary": &types.AttributeValueMemberB{Value: []byte{1, 2}},
				"Yes":    &types.AttributeValueMemberBOOL{Value: true},
				"Null":   &types.AttributeValueMemberNULL{Value: true},
				"Texts":  &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
				"Many":   &types.AttributeValueMemberNS{Value: []string{"1"}},
				"Blobs":  &types.AttributeValueMemberBS{Value: [][]byte{{1, 2}}},
				"Map":    &types.AttributeValueMemberM{Value: key},
				"List": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{
					Value: "1"}}},
			},
			SequenceNumber: aws.String("111"), SizeBytes: aws.Int64(26),
			StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
	  "eventID": "c4ca", "eventName": "MODIFY", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
	  "awsRegion": "eu-west-1",
	  "dynamodb": {
	    "ApproximateCreationDateTime": 1795449610,
	    "Keys": {"Id": {"S": "<ö>"}},
	    "OldImage": {"Id": {"S": "<ö>"}},
	    "NewImage": {
	      "Number": {"N": "101"}, "Binary": {"B": "AQI="}, "Yes": {"BOOL": true}, "Null": {"NULL": true},
	      "Texts": {"SS": ["a", "b"]}, "Many": {"NS": ["1"]}, "Blobs": {"BS": ["AQI="]},
	      "Map": {"M": {"Id": {"S": "<ö>"}}}, "List": {"L": [{"N": "1"}]}
	    },
	    "SequenceNumber": "111", "SizeBytes": 26, "StreamViewType": "NEW_AND_OLD_IMAGES"
	  },
	  "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/Rows/stream/2026-11-23T00:00:00.000"
	}`
	if diff := cmp.Diff(decoded(t, want), decoded(t, string(text))); diff != "" {
		t.Errorf("delivered record differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(decoded(t, want), any(event)); diff != "" {
		t.Errorf("record as filters see it differs (-want +got):\n%s", diff)
	}

	inserted, _, err := StreamRecord(stream, types.Record{EventName: types.OperationTypeInsert,
		Dynamodb: &types.StreamRecord{Keys: key, NewImage: key}})
	if err != nil {
		t.Fatal(err)
	}
	if old, is := decoded(t, string(inserted)).(map[string]any)["dynamodb"].(map[string]any)["OldImage"]; is {
		t.Errorf("a new row has an old image: %v", old)
	}
}
