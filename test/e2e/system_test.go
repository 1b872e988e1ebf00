package e2e_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
)

// system is the deployed stack as other systems see it. All scenarios share it.
type system struct {
	stack         *localtest.Stack
	outputs       local.Outputs
	table         *dynamodb.Client
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
	s := &system{
		stack:    stack,
		outputs:  stack.Outputs,
		table:    dynamodb.NewFromConfig(stack.Config),
		queues:   sqs.NewFromConfig(stack.Config),
		machines: sfn.NewFromConfig(stack.Config),
	}
	s.executions = newExecutions(s.machines, stack.Outputs.StateMachineArn)
	s.requests = newInbox(s.queues, stack.Outputs.ExportStateQueueUrl)
	s.notifications = newInbox(s.queues, localtest.Subscribe(t, stack.Config, stack.Outputs.MonitoringTopicArn))
	s.rejected = newInbox(s.queues, stack.Outputs.RejectedMessagesQueueUrl)

	ctx, cancel := context.WithCancel(t.Context())
	var watching errgroup.Group
	for _, watch := range []func(context.Context) error{s.executions.watch, s.requests.collect, s.notifications.collect,
		s.rejected.collect} {
		watching.Go(func() error {
			if err := watch(ctx); ctx.Err() == nil {
				return err
			}
			return nil
		})
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
