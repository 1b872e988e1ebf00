package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What DynamoDB bills, where the engine reports another number; and calls that do not count.
func TestCounter(t *testing.T) {
	t.Parallel()
	const one, refused = `{"ScannedCount":25,"ConsumedCapacity":{"CapacityUnits":1}}`,
		`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}`
	seen := func(service string, read, written, payloads float64) calls {
		return calls{Services: map[string]int{service: 1}, ReadUnits: read, WriteUnits: written, Payloads: payloads}
	}
	nothing := calls{Services: map[string]int{}}
	for name, test := range map[string]struct {
		service, operation, asked, answered string
		want                                calls
	}{
		"Query":             {dynamoService, "Query", `{"ConsistentRead":true}`, one, seen(dynamoService, 2, 0, 0)},
		"QueryInconsistent": {dynamoService, "Query", `{}`, one, seen(dynamoService, 1, 0, 0)},
		"BatchGetItem": {dynamoService, "BatchGetItem",
			`{"RequestItems":{"a":{"Keys":[{},{}],"ConsistentRead":true},"b":{"Keys":[{}]}}}`, `{}`,
			seen(dynamoService, 2.5, 0, 0)},
		"GetItem":        {dynamoService, "GetItem", `{}`, one, seen(dynamoService, 1, 0, 0)},
		"UpdateItem":     {dynamoService, "UpdateItem", `{}`, one, seen(dynamoService, 0, 1, 0)},
		"Refused":        {dynamoService, "UpdateItem", `{}`, refused, seen(dynamoService, 0, 1, 0)},
		"Stream":         {"DynamoDBStreams_20120810", "GetRecords", `{}`, one, nothing},
		"SmallInput":     {statesService, "StartExecution", `{"input":"[]"}`, `{}`, seen(statesService, 0, 0, 1)},
		"Receive":        {queueService, "ReceiveMessage", `{}`, `["ReceiptHandle"]`, seen(queueService, 0, 0, 0)},
		"ReceiveNothing": {queueService, "ReceiveMessage", `{}`, `{}`, nothing},
		"QueueURL":       {queueService, "GetQueueUrl", `{}`, `{}`, nothing},
		"Publish":        {topicService, "", ``, ``, seen(topicService, 0, 0, 0)},
		"LargeInput": {statesService, "StartSyncExecution", `{"input":"` + strings.Repeat("x", 65537) + `"}`, `{}`,
			seen(statesService, 0, 0, 2)},
	} {
		c := newCounter()
		c.count(test.service, test.operation, []byte(test.asked), []byte(test.answered))
		if diff := cmp.Diff(test.want, c.take()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		c.Close()
	}
}
