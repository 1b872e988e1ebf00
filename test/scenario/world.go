package scenario

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/local"
)

// World is everybody around the stack: the exporter and the sender, who write rows and send messages, and those who
// listen. It knows the stack by its outputs alone.
type World struct {
	outputs  local.Outputs
	dynamodb *dynamodb.Client
	sqs      *sqs.Client
	sns      *sns.Client
	sfn      *sfn.Client

	written, sent atomic.Int64 // rows and messages
}

// Effect is how many rows were written and messages sent so far, of all runs.
func (w *World) Effect() (rows, messages int64) { return w.written.Load(), w.sent.Load() }

// NewWorld reaches a stack.
func NewWorld(config aws.Config, outputs local.Outputs) *World {
	return &World{
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

// PutRows writes the run's rows as the exporter and the sender leave them. What is SentLast is exported only.
func (w *World) PutRows(ctx context.Context, run Run) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sideBySide)
	for _, c := range run.Collections {
		item := map[string]dynamodbtypes.AttributeValue{
			"CorrelationId": text(run.CorrelationID), "CollectionName": text(c.Name),
			"CollectionStatus": text(c.Status), "ExportDate": text(run.ExportDate),
			"FilesExported": number(c.Files), "FilesSent": number(c.Files), "FilesReceived": number(0),
		}
		if c.SentLast {
			item["CollectionStatus"] = text("Exported")
		}
		if c.Failing {
			item["FilesSent"] = text(strconv.Itoa(c.Files))
		}
		if c.WithoutCounter {
			delete(item, "FilesReceived")
		}
		group.Go(func() error {
			_, err := w.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: &w.outputs.ExportStatusTableName,
				Item: item})
			if err != nil {
				return fmt.Errorf("writing a row: %w", err)
			}
			w.written.Add(1)
			return nil
		})
	}
	return group.Wait()
}

// WriteSent writes the status of the collections that are SentLast, as the sender does: it looks at nothing else.
func (w *World) WriteSent(ctx context.Context, run Run) error {
	for _, c := range run.Collections {
		if !c.SentLast {
			continue
		}
		if _, err := w.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &w.outputs.ExportStatusTableName,
			Key: map[string]dynamodbtypes.AttributeValue{"CorrelationId": text(run.CorrelationID),
				"CollectionName": text(c.Name)},
			UpdateExpression:          aws.String("SET CollectionStatus = :status"),
			ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{":status": text(c.Status)},
		}); err != nil {
			return fmt.Errorf("writing %s: %w", c.Status, err)
		}
	}
	return nil
}

// Row is a collection's row as it is now.
type Row struct {
	Name, Status   string
	Sent, Received int
}

// Rows reads the run's rows in the order of their names.
func (w *World) Rows(ctx context.Context, run Run) ([]Row, error) {
	pages := dynamodb.NewQueryPaginator(w.dynamodb, &dynamodb.QueryInput{
		TableName:                 &w.outputs.ExportStatusTableName,
		KeyConditionExpression:    aws.String("CorrelationId = :run"),
		ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{":run": text(run.CorrelationID)},
		ConsistentRead:            aws.Bool(true),
	})
	var rows []Row
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
			rows = append(rows, Row{name.Value, status.Value, count(item["FilesSent"]), count(item["FilesReceived"])})
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

// AtRest tells whether no message waits and no execution runs.
func (w *World) AtRest(ctx context.Context) (bool, error) {
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
