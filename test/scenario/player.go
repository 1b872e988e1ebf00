package scenario

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/local"
)

// Player plays the systems around a deployed stack: the exporter and the sender, which write rows and send messages,
// and the receivers of its messages. It knows the stack by its outputs alone.
type Player struct {
	outputs  local.Outputs
	dynamodb *dynamodb.Client
	sqs      *sqs.Client
	sfn      *sfn.Client

	written, sent atomic.Int64 // rows and messages
}

// NewPlayer returns a player for the stack with these outputs.
func NewPlayer(config aws.Config, outputs local.Outputs) *Player {
	return &Player{outputs: outputs, dynamodb: dynamodb.NewFromConfig(config), sqs: sqs.NewFromConfig(config),
		sfn: sfn.NewFromConfig(config)}
}

// Effect is the number of rows written and of messages sent so far, of all runs.
func (p *Player) Effect() (rows, messages int64) { return p.written.Load(), p.sent.Load() }

const concurrency = 8 // calls of one kind

func text(value string) dynamodbtypes.AttributeValue {
	return &dynamodbtypes.AttributeValueMemberS{Value: value}
}

func number(value int) dynamodbtypes.AttributeValue {
	return &dynamodbtypes.AttributeValueMemberN{Value: strconv.Itoa(value)}
}

// PutRows writes the run's rows as the exporter and the sender leave them. Those that are SentLast are Exported.
func (p *Player) PutRows(ctx context.Context, run Run) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
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
			_, err := p.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: &p.outputs.ExportStatusTableName,
				Item: item})
			if err != nil {
				return fmt.Errorf("writing a row: %w", err)
			}
			p.written.Add(1)
			return nil
		})
	}
	return group.Wait()
}

// WriteSent writes the status of the collections that are SentLast, without a condition, as the sender does.
func (p *Player) WriteSent(ctx context.Context, run Run) error {
	for _, c := range run.Collections {
		if !c.SentLast {
			continue
		}
		if _, err := p.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &p.outputs.ExportStatusTableName,
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

// Row is a collection's row as read.
type Row struct {
	Name, Status   string
	Sent, Received int
}

// Rows reads the run's rows, ordered by name.
func (p *Player) Rows(ctx context.Context, run Run) ([]Row, error) {
	pages := dynamodb.NewQueryPaginator(p.dynamodb, &dynamodb.QueryInput{
		TableName:                 &p.outputs.ExportStatusTableName,
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
		var found []struct {
			CollectionName, CollectionStatus string
			FilesSent, FilesReceived         any // a number, unless it is missing or malformed
		}
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &found); err != nil {
			return nil, fmt.Errorf("reading the run's rows: %w", err)
		}
		for _, row := range found {
			sent, _ := row.FilesSent.(float64)
			received, _ := row.FilesReceived.(float64)
			rows = append(rows, Row{row.CollectionName, row.CollectionStatus, int(sent), int(received)})
		}
	}
	return rows, nil
}

// Idle reports whether no message waits and no execution runs.
func (p *Player) Idle(ctx context.Context) (bool, error) {
	if waiting, err := Waiting(ctx, p.sqs, p.outputs.FileReceivedQueueUrl); waiting > 0 || err != nil {
		return false, err
	}
	running, err := p.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{
		StateMachineArn: &p.outputs.StateMachineArn, StatusFilter: sfntypes.ExecutionStatusRunning, MaxResults: 1,
	})
	if express := (*sfntypes.StateMachineTypeNotSupported)(nil); errors.As(err, &express) {
		return true, nil // an EXPRESS pipe deletes messages after their execution has ended
	}
	if err != nil {
		return false, fmt.Errorf("listing running executions: %w", err)
	}
	return len(running.Executions) == 0, nil
}
