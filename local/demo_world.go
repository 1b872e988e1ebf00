package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/local"
)

// world is everybody around the stack: the exporter and the sender, who write rows and send messages, and those who
// listen. It knows the stack by its outputs alone.
type world struct {
	outputs      local.Outputs
	newsQueueURL string // subscribed to the topic for this run
	dynamodb     *dynamodb.Client
	sqs          *sqs.Client
	sns          *sns.Client
	sfn          *sfn.Client
}

func newWorld(config aws.Config, outputs local.Outputs) *world {
	return &world{
		outputs: outputs, dynamodb: dynamodb.NewFromConfig(config), sqs: sqs.NewFromConfig(config),
		sns: sns.NewFromConfig(config), sfn: sfn.NewFromConfig(config),
	}
}

const sideBySide = 8

func text(value string) dynamodbtypes.AttributeValue {
	return &dynamodbtypes.AttributeValueMemberS{Value: value}
}

func number(value int) dynamodbtypes.AttributeValue {
	return &dynamodbtypes.AttributeValueMemberN{Value: strconv.Itoa(value)}
}

// putRows writes the run's rows as the exporter and the sender leave them. What is sentLast is exported only.
func (w *world) putRows(ctx context.Context, run *run) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sideBySide)
	for _, c := range run.collections {
		item := map[string]dynamodbtypes.AttributeValue{
			"CorrelationId": text(run.correlationID), "CollectionName": text(c.name),
			"CollectionStatus": text(c.status), "ExportDate": text(exportDate),
			"FilesExported": number(c.files), "FilesSent": number(c.files), "FilesReceived": number(0),
		}
		if c.sentLast {
			item["CollectionStatus"] = text("Exported")
		}
		if c.withoutCounter {
			delete(item, "FilesReceived")
		}
		group.Go(func() error {
			_, err := w.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: &w.outputs.ExportStatusTableName, Item: item})
			if err != nil {
				return fmt.Errorf("writing a row: %w", err)
			}
			return nil
		})
	}
	return group.Wait()
}

// writeSent writes the status of the collections that are sentLast, as the sender does: it looks at nothing else.
func (w *world) writeSent(ctx context.Context, run *run) error {
	for _, c := range run.collections {
		if !c.sentLast {
			continue
		}
		if _, err := w.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 &w.outputs.ExportStatusTableName,
			Key:                       map[string]dynamodbtypes.AttributeValue{"CorrelationId": text(run.correlationID), "CollectionName": text(c.name)},
			UpdateExpression:          aws.String("SET CollectionStatus = :status"),
			ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{":status": text(c.status)},
		}); err != nil {
			return fmt.Errorf("writing %s: %w", c.status, err)
		}
	}
	return nil
}

// row is a collection's row as it is now.
type row struct {
	name, status   string
	sent, received int
}

// rows reads the run's rows in the order of their names.
func (w *world) rows(ctx context.Context, run *run) ([]row, error) {
	pages := dynamodb.NewQueryPaginator(w.dynamodb, &dynamodb.QueryInput{
		TableName:                 &w.outputs.ExportStatusTableName,
		KeyConditionExpression:    aws.String("CorrelationId = :run"),
		ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{":run": text(run.correlationID)},
		ConsistentRead:            aws.Bool(true),
	})
	var rows []row
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the run's rows: %w", err)
		}
		for _, item := range page.Items {
			name, _ := item["CollectionName"].(*dynamodbtypes.AttributeValueMemberS)
			status, _ := item["CollectionStatus"].(*dynamodbtypes.AttributeValueMemberS)
			if name == nil || status == nil {
				return nil, fmt.Errorf("reading the run's rows: a row without name or status: %v", item)
			}
			rows = append(rows, row{name.Value, status.Value, count(item["FilesSent"]), count(item["FilesReceived"])})
		}
	}
	return rows, nil
}

func count(value dynamodbtypes.AttributeValue) int {
	if n, ok := value.(*dynamodbtypes.AttributeValueMemberN); ok {
		if i, err := strconv.Atoi(n.Value); err == nil {
			return i
		}
	}
	return 0
}

// send sends messages to the file-received queue and returns which rejects must come of them.
func (w *world) send(ctx context.Context, messages []outgoing) ([]reject, error) {
	var mutex sync.Mutex
	var expected []reject
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sideBySide)
	for batch := range slices.Chunk(messages, 10) {
		group.Go(func() error {
			rejects, err := w.sendBatch(ctx, batch)
			mutex.Lock()
			defer mutex.Unlock()
			expected = append(expected, rejects...)
			return err
		})
	}
	return expected, group.Wait()
}

func (w *world) sendBatch(ctx context.Context, batch []outgoing) ([]reject, error) {
	entries := make([]sqstypes.SendMessageBatchRequestEntry, 0, len(batch))
	for i, message := range batch {
		entries = append(entries,
			sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &message.text})
	}
	sent, err := w.sqs.SendMessageBatch(ctx,
		&sqs.SendMessageBatchInput{QueueUrl: &w.outputs.FileReceivedQueueUrl, Entries: entries})
	if err != nil {
		return nil, fmt.Errorf("sending: %w", err)
	}
	if len(sent.Failed) > 0 {
		return nil, fmt.Errorf("sending: %s", aws.ToString(sent.Failed[0].Message))
	}
	var expected []reject
	for _, done := range sent.Successful {
		i, err := strconv.Atoi(aws.ToString(done.Id))
		if err != nil {
			return nil, fmt.Errorf("sending: %w", err)
		}
		for _, reject := range batch[i].rejects {
			if reject.identity == "" {
				reject.identity = aws.ToString(done.MessageId)
			}
			expected = append(expected, reject)
		}
	}
	return expected, nil
}

// atRest tells whether no message waits and no execution runs.
func (w *world) atRest(ctx context.Context) (bool, error) {
	waiting := []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}
	queue, err := w.sqs.GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: &w.outputs.FileReceivedQueueUrl, AttributeNames: waiting})
	if err != nil {
		return false, fmt.Errorf("looking whether messages wait: %w", err)
	}
	for _, name := range waiting {
		if queue.Attributes[string(name)] != "0" {
			return false, nil
		}
	}
	running, err := w.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{
		StateMachineArn: &w.outputs.StateMachineArn, StatusFilter: sfntypes.ExecutionStatusRunning, MaxResults: 1,
	})
	if express := (*sfntypes.StateMachineTypeNotSupported)(nil); errors.As(err, &express) {
		return true, nil // its messages stay in the queue until their execution has ended
	}
	if err != nil {
		return false, fmt.Errorf("looking whether executions run: %w", err)
	}
	return len(running.Executions) == 0, nil
}

// subscribe makes a queue for the run's news and returns what takes it away again.
func (w *world) subscribe(ctx context.Context, run *run) (func(), error) {
	made, err := w.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("news-" + run.correlationID)})
	if err != nil {
		return nil, fmt.Errorf("making a queue for the news: %w", err)
	}
	w.newsQueueURL = aws.ToString(made.QueueUrl)
	described, err := w.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return nil, fmt.Errorf("making a queue for the news: %w", err)
	}
	arn := described.Attributes["QueueArn"]
	policy := strings.NewReplacer("QUEUE", arn, "TOPIC", w.outputs.MonitoringTopicArn).Replace(`{"Version": "2012-10-17",
		"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
		"Resource": "QUEUE", "Condition": {"ArnEquals": {"aws:SourceArn": "TOPIC"}}}]}`)
	if _, err := w.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: made.QueueUrl, Attributes: map[string]string{"Policy": policy},
	}); err != nil {
		return nil, fmt.Errorf("letting the topic send to the news queue: %w", err)
	}
	subscribed, err := w.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &w.outputs.MonitoringTopicArn, Protocol: aws.String("sqs"), Endpoint: &arn,
		Attributes: map[string]string{"RawMessageDelivery": "true"}, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return nil, fmt.Errorf("subscribing to the news: %w", err)
	}
	return func() {
		// What stays behind after an error here harms nobody.
		_, _ = w.sns.Unsubscribe(context.WithoutCancel(ctx), &sns.UnsubscribeInput{SubscriptionArn: subscribed.SubscriptionArn})
		_, _ = w.sqs.DeleteQueue(context.WithoutCancel(ctx), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
	}, nil
}
