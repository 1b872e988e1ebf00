package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"
)

// ceiling is what the engine can do of one kind of call, with no other work.
type ceiling struct {
	Call      string
	PerSecond float64
	// EngineMS is the engine's CPU time for one call in milliseconds. It works on one core at a time, so calls of all
	// kinds together never take less time than the sum of these.
	EngineMS float64
}

// The names of the bare calls.
const (
	bareUpdateItem  = "UpdateItem"
	bareBatchGet    = "BatchGetItem of 2"
	bareTenMessages = "send, receive and delete 10 messages"
	bareStart       = "StartExecution of a Pass"
	bareStartSync   = "StartSyncExecution of a Pass"
	bareInvoke      = "Invoke of a function that logs a line"
)

// bare is a call that is measured by itself.
type bare struct {
	name string
	call func(ctx context.Context, i int) error
}

// ceilings measures the bare calls one kind after the other, each for so long.
func (w *testbed) ceilings(ctx context.Context, each time.Duration) ([]ceiling, error) {
	calls, err := w.bareCalls(ctx)
	if err != nil {
		return nil, err
	}
	var all []ceiling
	next := new(atomic.Int64) // numbers all calls
	for _, bare := range calls {
		measured, err := w.ceilingOf(ctx, bare, next, each)
		if err != nil {
			return nil, fmt.Errorf("measuring the engine's ceiling of %s: %w", bare.name, err)
		}
		all = append(all, measured)
	}
	return all, nil
}

func (w *testbed) ceilingOf(ctx context.Context, bare bare, next *atomic.Int64, each time.Duration) (ceiling, error) {
	const concurrent = 8
	if err := bare.call(ctx, int(next.Add(1))); err != nil { // connections, processes
		return ceiling{}, err
	}
	var done atomic.Int64
	before, begun := w.cpu(), time.Now()
	group, calling := errgroup.WithContext(ctx)
	for range concurrent {
		group.Go(func() error {
			for time.Since(begun) < each {
				if err := bare.call(calling, int(next.Add(1))); err != nil {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	err := group.Wait()
	took, n := time.Since(begun), float64(done.Load())
	return ceiling{Call: bare.name, PerSecond: n / took.Seconds(),
		EngineMS: 1000 * (w.cpu().engine - before.engine) / n}, err
}

const bareName = "bench-bare"

// bareCalls makes what the calls need.
func (w *testbed) bareCalls(ctx context.Context) ([]bare, error) {
	if err := w.makeTable(ctx, bareName); err != nil {
		return nil, err
	}
	url, _, err := w.makeQueue(ctx, bareName)
	if err != nil {
		return nil, err
	}
	pass, err := w.makePass(ctx, bareName, sfntypes.StateMachineTypeStandard)
	if err != nil {
		return nil, err
	}
	express, err := w.makePass(ctx, bareName+"-express", sfntypes.StateMachineTypeExpress)
	if err != nil {
		return nil, err
	}
	if _, err := w.makeFunction(ctx, bareName, "./test/bench/nothing", nil); err != nil {
		return nil, err
	}
	empty := aws.String("{}")
	return []bare{
		{bareUpdateItem, w.bareUpdate},
		{bareBatchGet, w.bareRead},
		{bareTenMessages, func(ctx context.Context, _ int) error { return w.bareMessages(ctx, url) }},
		{bareStart, func(ctx context.Context, _ int) error {
			_, err := w.machines.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &pass, Input: empty})
			return err
		}},
		{bareStartSync, func(ctx context.Context, _ int) error {
			_, err := w.machines.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{StateMachineArn: &express,
				Input: empty})
			return err
		}},
		{bareInvoke, func(ctx context.Context, _ int) error {
			_, err := w.lambdas.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(bareName),
				Payload: []byte("{}")})
			return err
		}},
	}, nil
}

func (w *testbed) makePass(ctx context.Context, name string, kind sfntypes.StateMachineType) (arn string, err error) {
	made, err := w.machines.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: &name, Type: kind,
		RoleArn: aws.String("arn:aws:iam::000000000000:role/bench"),
		Definition: aws.String(
			`{"QueryLanguage":"JSONata","StartAt":"Pass","States":{"Pass":{"Type":"Pass","End":true}}}`)})
	if err != nil {
		return "", fmt.Errorf("making the state machine %s: %w", name, err)
	}
	return aws.ToString(made.StateMachineArn), nil
}

// bareKey is one of 100 rows, as a run's rows are written again and again.
func bareKey(i int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"CorrelationId":  &types.AttributeValueMemberS{Value: "bare"},
		"CollectionName": &types.AttributeValueMemberS{Value: strconv.Itoa(i % 100)},
	}
}

func (w *testbed) bareUpdate(ctx context.Context, i int) error {
	_, err := w.table.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(bareName), Key: bareKey(i),
		UpdateExpression: aws.String("ADD FilesReceived :one"), ReturnValues: types.ReturnValueAllNew,
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}}})
	return err
}

func (w *testbed) bareRead(ctx context.Context, i int) error {
	_, err := w.table.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		bareName: {Keys: []map[string]types.AttributeValue{bareKey(i), bareKey(i + 1)},
			ConsistentRead: aws.Bool(true)}}})
	return err
}

// bareMessages sends, receives and deletes 10 messages.
func (w *testbed) bareMessages(ctx context.Context, url string) error {
	bodies := make([]string, 10)
	for i := range bodies {
		bodies[i] = "a message"
	}
	if err := w.send(ctx, url, bodies); err != nil {
		return err
	}
	_, err := w.take(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
	return err
}
