package localtest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/test/scenario"
)

// Send sends a message to the file-received queue and returns its id.
func (s *Stack) Send(t testing.TB, body string) (id string) {
	t.Helper()
	sent, err := sqs.NewFromConfig(s.Config).SendMessage(t.Context(),
		&sqs.SendMessageInput{QueueUrl: &s.Outputs.FileReceivedQueueUrl, MessageBody: &body})
	if err != nil {
		t.Fatal(err)
	}
	return *sent.MessageId
}

// Waiting is the number of messages in a queue, including those in flight.
func Waiting(t testing.TB, config aws.Config, queue string) int {
	t.Helper()
	visible, hidden := types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible
	got, err := sqs.NewFromConfig(config).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{visible, hidden}})
	if err != nil {
		t.Fatal(err)
	}
	waiting := 0
	for _, name := range []types.QueueAttributeName{visible, hidden} {
		n, err := strconv.Atoi(got.Attributes[string(name)])
		if err != nil {
			t.Fatal(err)
		}
		waiting += n
	}
	return waiting
}

// Subscribe makes a queue for the raw messages of a topic.
func Subscribe(t testing.TB, config aws.Config, topic string) (queue string) {
	t.Helper()
	subscription := scenario.NewSubscription(config,
		"notifications-of-"+topic[strings.LastIndex(topic, ":")+1:], topic)
	if err := subscription.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return subscription.URL
}

// Executions lists the state machine's executions of a status.
func (s *Stack) Executions(t testing.TB, status sfntypes.ExecutionStatus) (executions []string) {
	t.Helper()
	pages := sfn.NewListExecutionsPaginator(sfn.NewFromConfig(s.Config),
		&sfn.ListExecutionsInput{StateMachineArn: &s.Outputs.StateMachineArn, StatusFilter: status})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, execution := range page.Executions {
			executions = append(executions, *execution.ExecutionArn)
		}
	}
	return executions
}

// Settle waits until the file-received queue is empty and no execution runs. (A message leaves the queue when its
// execution has started.)
func (s *Stack) Settle(t testing.TB) {
	t.Helper()
	AwaitNothing(t, func() string {
		if n := Waiting(t, s.Config, s.Outputs.FileReceivedQueueUrl); n > 0 {
			return strconv.Itoa(n) + " messages in the source queue"
		}
		if running := s.Executions(t, sfntypes.ExecutionStatusRunning); len(running) > 0 {
			return running[0] + " is running"
		}
		return ""
	})
}

// Ended waits until an execution has ended, and describes it.
func Ended(t testing.TB, config aws.Config, execution string) (ended *sfn.DescribeExecutionOutput) {
	t.Helper()
	AwaitNothing(t, func() string {
		var err error
		if ended, err = sfn.NewFromConfig(config).DescribeExecution(t.Context(),
			&sfn.DescribeExecutionInput{ExecutionArn: &execution}); err != nil {
			t.Fatal(err)
		}
		if ended.Status == sfntypes.ExecutionStatusRunning {
			return "the end of " + execution
		}
		return ""
	})
	return ended
}

// Await waits up to ten minutes for the condition, since the machine may be busy.
func Await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	AwaitNothing(t, func() string {
		if holds() {
			return ""
		}
		return what
	})
}

// AwaitNothing waits like Await until nothing is missing.
func AwaitNothing(t testing.TB, missing func() string) {
	t.Helper()
	AwaitWithin(t, 0, missing)
}

// AwaitWithin waits until nothing is missing: for as long as it takes on a quiet machine, and ten minutes more.
func AwaitWithin(t testing.TB, usually time.Duration, missing func() string) {
	t.Helper()
	deadline := time.After(usually + 10*time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		what := missing()
		if what == "" {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("stopped while waiting for: ", what)
		case <-deadline:
			t.Fatal("timed out waiting for: ", what)
		case <-tick.C:
		}
	}
}
