package hotpath

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/operator/rejected"
)

// send puts messages into the source queue and returns their ids, in their order.
func (s *stack) send(t *testing.T, messages ...string) []string {
	t.Helper()
	ids := make([]string, len(messages))
	for first := 0; first < len(messages); first += 10 {
		var entries []types.SendMessageBatchRequestEntry
		for i := first; i < min(first+10, len(messages)); i++ {
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
				MessageBody: &messages[i]})
		}
		sent, err := s.queues.SendMessageBatch(t.Context(),
			&sqs.SendMessageBatchInput{QueueUrl: &s.Outputs.FileReceivedQueueUrl, Entries: entries})
		if err != nil || len(sent.Failed) > 0 {
			t.Fatal(err, sent)
		}
		for _, entry := range sent.Successful {
			i, _ := strconv.Atoi(*entry.Id)
			ids[i] = *entry.MessageId
		}
	}
	return ids
}

// receiveOne runs an execution for one message, which has this identity.
func (s *stack) receiveOne(t *testing.T, identity, body string) {
	t.Helper()
	s.receive(t, encode([]map[string]string{{"messageId": identity, "eventSource": "aws:sqs", "body": body}}))
}

// batches returns the number of messages by collection in each execution of the run. Unreadable messages are under "".
func (s *stack) batches(t *testing.T, run string) []map[string]int {
	t.Helper()
	var found []map[string]int
	for _, execution := range s.Executions(t, sfntypes.ExecutionStatusSucceeded) {
		described, err := s.machines.DescribeExecution(t.Context(),
			&sfn.DescribeExecutionInput{ExecutionArn: &execution})
		if err != nil {
			t.Fatal(err)
		}
		var brought []struct{ Body string }
		if !strings.Contains(*described.Input, run) || json.Unmarshal([]byte(*described.Input), &brought) != nil {
			continue
		}
		batch := map[string]int{}
		for _, record := range brought {
			_, after, _ := strings.Cut(strings.ReplaceAll(record.Body, `\`, ""), `"collection_name":"`)
			collection, _, _ := strings.Cut(after, `"`)
			batch[collection]++
		}
		found = append(found, batch)
	}
	return found
}

// drain receives and deletes all messages of a queue.
func (s *stack) drain(t *testing.T, queue string) []types.Message {
	t.Helper()
	var all []types.Message
	for {
		got, err := s.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue,
			MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return all
		}
		for _, message := range got.Messages {
			if _, err := s.queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &queue,
				ReceiptHandle: message.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, got.Messages...)
	}
}

// rejected drains the rejected-messages queue, and returns the reasons by identity.
func (s *stack) rejected(t *testing.T) map[string]string {
	t.Helper()
	rejected := map[string]string{}
	for _, message := range s.drain(t, s.Outputs.RejectedMessagesQueueUrl) {
		identity := aws.ToString(message.MessageAttributes["identity"].StringValue)
		if rejected[identity] != "" {
			t.Errorf("%s is rejected twice", identity)
		}
		rejected[identity] = aws.ToString(message.MessageAttributes["reason_code"].StringValue)
	}
	return rejected
}

// deadLetters is the URL of the source's dead-letter queue.
func (s *stack) deadLetters(t *testing.T) string {
	t.Helper()
	queues, err := rejected.Queues{SQS: s.queues, FileReceived: s.Outputs.FileReceivedQueueUrl}.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return queues.Rejected
}

// replayed is a message as a person replays it: in an envelope, under its identity.
func replayed(identity, body string) string {
	return encode(map[string]any{"Records": []any{map[string]string{"messageId": identity, "body": body}}})
}
