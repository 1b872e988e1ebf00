package e2e

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/test/scenario"
)

// system is the deployed stack as other systems see it. All scenarios share it.
type system struct {
	stack         *localtest.Stack
	outputs       local.Outputs
	express       bool
	queues        *sqs.Client
	machines      *sfn.Client
	executions    *executions
	requests      *inbox // of the export state queue
	notifications *inbox // of a queue that is subscribed to the monitoring topic
	rejected      *inbox // of the rejected-messages queue
}

// deploy returns the stack. Its outgoing messages are collected until the test and its subtests have ended.
func deploy(t *testing.T, settings ...string) *system {
	t.Helper()
	// A rare sweep cannot replace what the stream should have done.
	stack := localtest.Deploy(t, append(settings, "sweepEveryMinutes=60", lateSetting)...)
	if err := proxied.forwardTo(stack.Endpoint); err != nil {
		t.Fatal(err)
	}
	s := &system{stack: stack, outputs: stack.Outputs, queues: sqs.NewFromConfig(stack.Config),
		machines: sfn.NewFromConfig(stack.Config), express: slices.Contains(settings, "workflowType=EXPRESS")}
	s.executions = newExecutions(s.machines, stack.Outputs.StateMachineArn)
	s.requests = &inbox{url: stack.Outputs.ExportStateQueueUrl}
	s.notifications = &inbox{url: localtest.Subscribe(t, stack.Config, stack.Outputs.MonitoringTopicArn)}
	s.rejected = &inbox{url: stack.Outputs.RejectedMessagesQueueUrl}

	ctx, cancel := context.WithCancel(t.Context())
	var watching errgroup.Group
	watching.Go(func() error { return s.executions.watch(ctx) })
	for _, box := range []*inbox{s.requests, s.notifications, s.rejected} {
		watching.Go(func() error { return scenario.Collect(ctx, s.queues, box.url, box.add) })
	}
	t.Cleanup(func() {
		cancel()
		if err := watching.Wait(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// wantEnginesPollerStopped checks that only StartPipes serves the stream.
func (s *system) wantEnginesPollerStopped(t *testing.T) {
	t.Helper()
	listed, err := pipes.NewFromConfig(s.stack.Config).ListPipes(t.Context(),
		&pipes.ListPipesInput{SourcePrefix: aws.String("arn:aws:dynamodb:")})
	if err != nil {
		t.Fatal(err)
	}
	stopped := slices.ContainsFunc(listed.Pipes, func(pipe pipestypes.Pipe) bool {
		return strings.Contains(*pipe.Source, "/"+s.outputs.ExportStatusTableName+"/") &&
			pipe.CurrentState == pipestypes.PipeStateStopped
	})
	if !stopped {
		t.Errorf("no stopped pipe from the table: %+v", listed.Pipes)
	}
}

// inbox collects the messages of a queue for all scenarios.
type inbox struct {
	url      string
	mu       sync.Mutex
	messages []outMessage
}

// outMessage is a message that the system sent.
type outMessage struct {
	text       string
	attributes map[string]string // its message attributes
}

func (b *inbox) add(message sqstypes.Message) error {
	m := outMessage{text: aws.ToString(message.Body), attributes: map[string]string{}}
	for name, value := range message.MessageAttributes {
		m.attributes[name] = aws.ToString(value.StringValue)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, m)
	return nil
}

// pick returns the wanted messages, in their order.
func (b *inbox) pick(wanted func(outMessage) bool) (picked []outMessage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.messages {
		if wanted(m) {
			picked = append(picked, m)
		}
	}
	return picked
}
