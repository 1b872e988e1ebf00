package statemachine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local"
	"snapshot-status-checker/statemachine"
)

// causeLength is the longest cause of an error that the definition keeps.
const causeLength = 1000

func TestMaxMessageBytes(t *testing.T) {
	t.Parallel()
	for batchSize, want := range map[int]int{1: 128256, 2: 63744, 10: 12134, 71: 1049, 72: 1024, 100: 1024} {
		if got := statemachine.MaxMessageBytes(batchSize); got != want {
			t.Errorf("batches of %d: %d bytes, not %d", batchSize, got, want)
		}
	}
}

// A full batch of the largest messages fits through the whole execution: up to 72 messages even if every byte of every
// body is escaped; above, where SQS allows no smaller limit, if a quarter is escaped. (In the example of
// docs/reference.md a seventh is.)
//
// A message's attributes count towards its size, but JSON adds more to them than to a body. With ten of them a full
// batch of up to 72 fits if a quarter of its bodies is escaped.
func TestAFullBatchFitsIntoAnExecution(t *testing.T) {
	t.Parallel()
	attributes, attributeBytes := map[string]types.MessageAttributeValue{}, 0
	for i := range 10 {
		name, value := fmt.Sprint("attribute-", i), strings.Repeat("v", 20)
		attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
		attributeBytes += len(name) + len("String") + len(value)
	}
	fits := func(batchSize int, message types.Message) {
		t.Helper()
		if got := largest(t, batchSize, message); got > statemachine.PayloadBytes {
			t.Errorf("a batch of %d messages makes a payload of %d bytes", batchSize, got)
		}
	}
	for batchSize := 1; batchSize <= 100; batchSize++ {
		size := statemachine.MaxMessageBytes(batchSize)
		if batchSize > 72 {
			fits(batchSize, envelope(aQuarterEscaped(size)))
			continue
		}
		fits(batchSize, envelope(strings.Repeat(`"`, size)))
		with := envelope(aQuarterEscaped(size - attributeBytes))
		with.MessageAttributes, with.MD5OfMessageAttributes = attributes, aws.String(strings.Repeat("0", 32))
		fits(batchSize, with)
	}
	if !strings.Contains(statemachine.Definition, fmt.Sprintf("Cause), 0, %d)", causeLength)) {
		t.Errorf("the cause of a failed call is not cut to %d characters", causeLength)
	}
	if got := largest(t, 74,
		envelope(strings.Repeat(`"`, statemachine.MaxMessageBytes(74)))); got <= statemachine.PayloadBytes-20_000 {
		t.Errorf("%d bytes: the exception in docs/reference.md is none", got)
	}
}

// largest is the size of the largest value in an execution of the batch: the arguments of increment's call, or the
// rejected messages after its failure. The names in it are the longest possible.
func largest(t *testing.T, batchSize int, message types.Message) int {
	t.Helper()
	input, err := local.RecordsInput(queueARN, slices.Repeat([]types.Message{message}, batchSize)) // in Pipes' format
	if err != nil {
		t.Fatal(err)
	}
	name := "arn:aws-us-gov:states:us-gov-west-1:123456789012:express:" + strings.Repeat("n", 80) + ":" +
		strings.Repeat("e", 80) + ":" + strings.Repeat("u", 36)
	most := 0
	for _, value := range []any{
		map[string]any{"FunctionName": name,
			"Payload": map[string]any{"execution_id": name, "event": json.RawMessage(input)}},
		map[string]any{"messages": json.RawMessage(input), "by_hand": false,
			"error": map[string]string{"Error": strings.Repeat("E", 256), "Cause": strings.Repeat(`"`, causeLength)}},
	} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, len(text))
	}
	return most
}

func aQuarterEscaped(size int) string {
	return strings.Repeat(`"`, size/4) + strings.Repeat("x", size-size/4)
}

var queueARN = "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:" + strings.Repeat("q", 80)

// envelope is a message with everything that SQS adds to one of a standard queue, each value of its observed maximum
// length: the handle as in the API's examples, the sender as a role's session with the longest name, the trace of
// X-Ray.
func envelope(body string) types.Message {
	return types.Message{
		MessageId: aws.String(strings.Repeat("0", 36)), ReceiptHandle: aws.String(strings.Repeat("A", 412)),
		Body: &body, MD5OfBody: aws.String(strings.Repeat("0", 32)),
		Attributes: map[string]string{
			"ApproximateReceiveCount": "5", "SentTimestamp": "1763920000000",
			"ApproximateFirstReceiveTimestamp": "1763920000000",
			"SenderId":                         strings.Repeat("A", 21) + ":" + strings.Repeat("s", 64),
			"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;" +
				"Lineage=1:a87bd80c:1|68fd508a:5|c512fbe3:2",
			"DeadLetterQueueSourceArn": queueARN,
		},
	}
}

// maxEvents bounds the history of a STANDARD execution; see MaxCollections.
const maxEvents = 25_000

// The history fits every event of the longest path through the definition, with all tries of each state.
func TestTheHistoryHoldsEveryTry(t *testing.T) {
	t.Parallel()
	for name, items := range map[string]map[string]int{
		"reconciling":      {"Reconcile Each Collection": statemachine.MaxCollections},
		"after the sweep":  {"Reconcile Each Collection": snapshot.MaxRequested},
		"rejecting":        {"Reject Uncounted Messages": 100}, // the largest batch
		"more than enough": {"Reconcile Each Collection": statemachine.MaxCollections + 10},
	} {
		const started, ended = 1, 1 // ExecutionStarted; ExecutionSucceeded or ExecutionFailed
		events := started + longestWay(t, definition(t), items) + ended
		if fits := events <= maxEvents; fits != (name != "more than enough") {
			t.Errorf("%s: %v items make %d events, the history holds %d", name, items, events, maxEvents)
		}
	}
}

// longestWay is the maximum of a machine's events, by the number of items of each Map. The types are those of
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html.
func longestWay(t *testing.T, m statemachine.Machine, items map[string]int) int {
	t.Helper()
	known := map[string]int{}
	var from func(name string) int
	from = func(name string) int {
		if most, ok := known[name]; ok {
			return most
		}
		known[name] = maxEvents + 1 // a way that leads back to itself fits into no history
		s, longest := m.States[name], 0
		for _, way := range s.Ways() {
			longest = max(longest, from(way.To))
		}
		known[name] = stateEvents(t, name, s, items) + longest
		return known[name]
	}
	return from(m.StartAt)
}

// stateEvents is the maximum of a state's events.
func stateEvents(t *testing.T, name string, s statemachine.State, items map[string]int) int {
	t.Helper()
	switch s.Type {
	case "Task":
		tries := 1
		for _, retrier := range s.Retry {
			tries += retrier.MaxAttempts
		}
		// TaskStateEntered; for each try TaskScheduled, TaskStarted, and TaskSucceeded, TaskFailed or TaskTimedOut;
		// after a failure that is caught, too: TaskStateExited.
		return 1 + 3*tries + 1
	case "Choice", "Pass", "Succeed":
		return 2 // such as ChoiceStateEntered, ChoiceStateExited
	case "Fail":
		return 1 // FailStateEntered
	case "Map":
		// MapStateEntered, MapStateStarted; for each item MapIterationStarted, and MapIterationSucceeded or
		// MapIterationFailed; MapStateSucceeded or MapStateFailed, MapStateExited.
		return 2 + items[name]*(2+longestWay(t, *s.ItemProcessor, items)) + 2
	}
	t.Errorf("%s: how many events does a state of type %q make?", name, s.Type)
	return 0
}
