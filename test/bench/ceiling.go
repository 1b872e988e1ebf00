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
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

// ceiling is what the engine can do of one kind of call, with nothing else to do.
type ceiling struct {
	Call      string
	PerSecond float64
	// EngineMS is the engine's CPU time for one call in milliseconds. It works on one core at a time, so calls of all
	// kinds together never take less time than the sum of these.
	EngineMS float64
}

// The names of the bare calls.
const (
	bareUpdateItem       = "UpdateItem"
	bareBatchGet         = "BatchGetItem of 2"
	bareTransactionOf2   = "TransactWriteItems of 2"
	bareTransactionOf100 = "TransactWriteItems of 100"
	bareTenMessages      = "send, receive and delete 10 messages"
	bareStart            = "StartExecution of a Pass"
	bareStartSync        = "StartSyncExecution of a Pass"
	bareInvoke           = "Invoke of a function that logs a line"
)

// bare is a call that is measured by itself.
type bare struct {
	name string
	call func(ctx context.Context, i int) error
}

// ceilings measures the bare calls one kind after the other, each for so long.
func (w *world) ceilings(ctx context.Context, each time.Duration) ([]ceiling, error) {
	calls, err := w.bareCalls(ctx)
	if err != nil {
		return nil, err
	}
	var all []ceiling
	next := new(atomic.Int64) // numbers all calls, so that no two make the same item
	for _, bare := range calls {
		measured, err := w.ceilingOf(ctx, bare, next, each)
		if err != nil {
			return nil, fmt.Errorf("measuring the engine's ceiling of %s: %w", bare.name, err)
		}
		all = append(all, measured)
	}
	return all, nil
}

func (w *world) ceilingOf(ctx context.Context, bare bare, next *atomic.Int64, each time.Duration) (ceiling, error) {
	if err := bare.call(ctx, int(next.Add(1))); err != nil { // connections, processes
		return ceiling{}, err
	}
	var done atomic.Int64
	before, begun := w.cpu(), time.Now()
	group, calling := errgroup.WithContext(ctx)
	for range bareSideBySide {
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

const (
	bareName = "bench-bare"
	// bareSideBySide is how many call at a time.
	bareSideBySide = 8
)

// bareCalls makes what the calls need.
func (w *world) bareCalls(ctx context.Context) ([]bare, error) {
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
	code, _, err := functionZip(ctx, w.Project, "./test/bench/nothing")
	if err != nil {
		return nil, err
	}
	if _, err := w.lambdas.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(bareName), Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"),
		Role:    aws.String("arn:aws:iam::000000000000:role/bench"), Code: &lambdatypes.FunctionCode{ZipFile: code},
	}); err != nil {
		return nil, fmt.Errorf("making the bare function: %w", err)
	}
	return []bare{
		{bareUpdateItem, w.bareUpdate},
		{bareBatchGet, w.bareRead},
		{bareTransactionOf2, func(ctx context.Context, i int) error { return w.bareTransaction(ctx, i, 2) }},
		{"TransactWriteItems of 11", func(ctx context.Context, i int) error { return w.bareTransaction(ctx, i, 11) }},
		{bareTransactionOf100, func(ctx context.Context, i int) error { return w.bareTransaction(ctx, i, 100) }},
		{bareTenMessages, func(ctx context.Context, _ int) error { return w.bareMessages(ctx, url) }},
		{bareStart, func(ctx context.Context, _ int) error {
			_, err := w.machines.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &pass,
				Input: aws.String("{}")})
			return err
		}},
		{bareStartSync, func(ctx context.Context, _ int) error {
			_, err := w.machines.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{StateMachineArn: &express,
				Input: aws.String("{}")})
			return err
		}},
		{bareInvoke, func(ctx context.Context, _ int) error {
			_, err := w.lambdas.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(bareName),
				Payload: []byte("{}")})
			return err
		}},
	}, nil
}

func (w *world) makePass(ctx context.Context, name string, kind sfntypes.StateMachineType) (arn string, err error) {
	made, err := w.machines.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: &name, Type: kind,
		RoleArn:    aws.String("arn:aws:iam::000000000000:role/bench"),
		Definition: aws.String(`{"QueryLanguage":"JSONata","StartAt":"Pass","States":{"Pass":{"Type":"Pass","End":true}}}`)})
	if err != nil {
		return "", fmt.Errorf("making the state machine %s: %w", name, err)
	}
	return aws.ToString(made.StateMachineArn), nil
}

func bareKey(i int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"CorrelationId":  &types.AttributeValueMemberS{Value: "bare"},
		"CollectionName": &types.AttributeValueMemberS{Value: strconv.Itoa(i)},
	}
}

// The same 100 rows again and again, as a run's rows are written.
func (w *world) bareUpdate(ctx context.Context, i int) error {
	_, err := w.table.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(bareName), Key: bareKey(i % 100),
		UpdateExpression: aws.String("ADD FilesReceived :one"), ReturnValues: types.ReturnValueAllNew,
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}}})
	return err
}

func (w *world) bareRead(ctx context.Context, i int) error {
	_, err := w.table.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		bareName: {Keys: []map[string]types.AttributeValue{bareKey(i % 100), bareKey((i + 1) % 100)},
			ConsistentRead: aws.Bool(true)}}})
	return err
}

// bareTransaction makes n-1 new items and counts in one of the 100, as a batch of markers does.
func (w *world) bareTransaction(ctx context.Context, i, n int) error {
	one := map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}}
	writes := []types.TransactWriteItem{{Update: &types.Update{TableName: aws.String(bareName), Key: bareKey(i % 100),
		UpdateExpression: aws.String("ADD Counted :one"), ExpressionAttributeValues: one}}}
	for item := range n - 1 {
		writes = append(writes, types.TransactWriteItem{Update: &types.Update{TableName: aws.String(bareName),
			Key:              bareKey(1000 + i*100 + item),
			UpdateExpression: aws.String("SET FilesReceived = :one"), ExpressionAttributeValues: one,
			ConditionExpression: aws.String("attribute_not_exists(CorrelationId)")}})
	}
	_, err := w.table.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
	return err
}

// bareMessages brings 10 messages through a queue.
func (w *world) bareMessages(ctx context.Context, url string) error {
	var sends []sqstypes.SendMessageBatchRequestEntry
	for i := range 10 {
		sends = append(sends, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
			MessageBody: aws.String("a message")})
	}
	if _, err := w.queues.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url,
		Entries: sends}); err != nil {
		return err
	}
	got, err := w.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
	if err != nil || len(got.Messages) == 0 {
		return err
	}
	var deletes []sqstypes.DeleteMessageBatchRequestEntry
	for i, message := range got.Messages {
		deletes = append(deletes, sqstypes.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
			ReceiptHandle: message.ReceiptHandle})
	}
	_, err = w.queues.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: deletes})
	return err
}
