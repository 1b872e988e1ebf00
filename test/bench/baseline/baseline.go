// Command baseline is what the benchmarks compare with: the seed document's own flow ("Function flow") in one plain
// function behind the queue, with the same libraries. It makes one update for each message, decides by what that update
// returns, and reads the whole run for every collection that completes. It has none of the guarantees: it counts a
// redelivered message twice, does not see a status that is written late, and leaves a step undone if it dies before it.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/internal/function"
	"snapshot-status-checker/internal/function/settings"
)

func main() {
	function.Run("baseline", func(s environment, cfg aws.Config, log *slog.Logger) function.Handler[event, struct{}] {
		t := task{settings: s, log: log, table: dynamodb.NewFromConfig(cfg), queue: sqs.NewFromConfig(cfg),
			topic: sns.NewFromConfig(cfg)}
		return func(ctx context.Context, e event) (struct{}, error) { return struct{}{}, t.handle(ctx, e) }
	})
}

// environment is the function's environment.
type environment struct {
	settings.Common
	StatusTable         string `env:"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME" envDefault:"UCExportToCrownStatus"`
	ExportStateQueueURL string `env:"EXPORT_STATE_SQS_QUEUE_URL,required,notEmpty"`
	MonitoringTopicARN  string `env:"MONITORING_SNS_TOPIC_ARN,required,notEmpty"`
}

// event is what an event source mapping delivers.
type event struct {
	Records []struct {
		Body string `json:"body"`
	}
}

// message is the document's. A flag is a text or a boolean.
type message struct {
	CorrelationID  string `json:"correlation_id"`
	CollectionName string `json:"collection_name"`
	SnapshotType   string `json:"snapshot_type"`
	ExportDate     string `json:"export_date"`
	ShutdownFlag   any    `json:"shutdown_flag"`
	ReprocessFiles any    `json:"reprocess_files"`
	IsSuccessFile  any    `json:"is_success_file"`
	Filename       string `json:"filename"`
	FileName       string `json:"file_name"`
}

// row is a collection's row.
type row struct {
	CollectionStatus         string
	FilesSent, FilesReceived int
}

type task struct {
	settings environment
	table    *dynamodb.Client
	queue    *sqs.Client
	topic    *sns.Client
	log      *slog.Logger
}

// handle works on the records one after another. The first failure ends it, and all records are redelivered.
func (t *task) handle(ctx context.Context, e event) error {
	for _, record := range e.Records {
		m := message{ShutdownFlag: "true", ReprocessFiles: "true", IsSuccessFile: "false"}
		if err := json.Unmarshal([]byte(record.Body), &m); err != nil {
			return fmt.Errorf("reading the message: %w", err)
		}
		if m.CorrelationID == "" || m.CollectionName == "" || m.SnapshotType == "" || m.ExportDate == "" {
			return fmt.Errorf("reading the message: a required field is missing in %q", record.Body)
		}
		if err := t.process(ctx, m); err != nil {
			return err
		}
		t.log.InfoContext(ctx, "processed", "correlation_id", m.CorrelationID, "collection_name", m.CollectionName,
			"file_name", cmp.Or(m.Filename, m.FileName, "NOT_SET"))
	}
	return nil
}

func (t *task) process(ctx context.Context, m message) error {
	if strings.EqualFold(fmt.Sprint(m.IsSuccessFile), "true") {
		return t.successFile(ctx, m)
	}
	updated, err := t.update(ctx, m, "ADD FilesReceived :value", &types.AttributeValueMemberN{Value: "1"})
	if err != nil {
		return err
	}
	if !strings.EqualFold(updated.CollectionStatus, "Sent") || updated.FilesReceived != updated.FilesSent {
		return nil
	}
	if err := t.request(ctx, m); err != nil {
		return err
	}
	return t.move(ctx, m, "Received", "All collections received by NiFi")
}

func (t *task) successFile(ctx context.Context, m message) error {
	got, err := t.table.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &t.settings.StatusTable, Key: key(m), ConsistentRead: aws.Bool(true)})
	var read row
	if err == nil {
		err = attributevalue.UnmarshalMap(got.Item, &read)
	}
	if err != nil {
		return fmt.Errorf("reading the row: %w", err)
	}
	if !strings.EqualFold(read.CollectionStatus, "Received") {
		return nil
	}
	return t.move(ctx, m, "Success", "All collections successful")
}

// move sets the collection's status, and notifies monitoring if the whole run has this status or is further.
func (t *task) move(ctx context.Context, m message, status, title string) error {
	if _, err := t.update(ctx, m, "SET CollectionStatus = :value",
		&types.AttributeValueMemberS{Value: status}); err != nil {
		return err
	}
	all, err := t.all(ctx, m.CorrelationID, status)
	if err != nil || !all {
		return err
	}
	return t.notify(ctx, m, title)
}

func (t *task) update(ctx context.Context, m message, expression string, value types.AttributeValue) (row, error) {
	var after row
	updated, err := t.table.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.settings.StatusTable, Key: key(m), UpdateExpression: &expression,
		ExpressionAttributeValues: map[string]types.AttributeValue{":value": value},
		ReturnValues:              types.ReturnValueAllNew,
	})
	if err == nil {
		err = attributevalue.UnmarshalMap(updated.Attributes, &after)
	}
	if err != nil {
		return row{}, fmt.Errorf("updating the row: %w", err)
	}
	return after, nil
}

// all reads the run and returns whether each of its collections has the status or is further.
func (t *task) all(ctx context.Context, correlationID, status string) (bool, error) {
	pages := dynamodb.NewQueryPaginator(t.table, &dynamodb.QueryInput{
		TableName: &t.settings.StatusTable, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("CorrelationId = :run"),
		ProjectionExpression:   aws.String("CollectionStatus"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":run": &types.AttributeValueMemberS{
			Value: correlationID}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		var rows []row
		if err == nil {
			err = attributevalue.UnmarshalListOfMaps(page.Items, &rows)
		}
		if err != nil {
			return false, fmt.Errorf("reading the run: %w", err)
		}
		for _, read := range rows {
			if !strings.EqualFold(read.CollectionStatus, status) && !strings.EqualFold(read.CollectionStatus, "Success") {
				return false, nil
			}
		}
	}
	return true, nil
}

// request asks the sender for the collection's _success file.
func (t *task) request(ctx context.Context, m message) error {
	body := text(map[string]any{
		"shutdown_flag": m.ShutdownFlag, "correlation_id": m.CorrelationID, "topic_name": m.CollectionName,
		"snapshot_type": m.SnapshotType, "reprocess_files": m.ReprocessFiles, "export_date": m.ExportDate,
		"send_success_indicator": "true",
	})
	if _, err := t.queue.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &t.settings.ExportStateQueueURL, MessageBody: &body}); err != nil {
		return fmt.Errorf("sending the request: %w", err)
	}
	return nil
}

func (t *task) notify(ctx context.Context, m message, title string) error {
	body := text(map[string]any{
		"severity": "Critical", "notification_type": "Information", "slack_username": "Snapshot Sender",
		"title_text": strings.ToUpper(m.SnapshotType[:1]) + m.SnapshotType[1:] + " - " + title,
		"custom_elements": []map[string]string{
			{"key": "Export date", "value": m.ExportDate}, {"key": "Correlation Id", "value": m.CorrelationID}},
	})
	if _, err := t.topic.Publish(ctx, &sns.PublishInput{
		TopicArn: &t.settings.MonitoringTopicARN, Message: &body}); err != nil {
		return fmt.Errorf("publishing the notification: %w", err)
	}
	return nil
}

func text(body map[string]any) string {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // nothing but texts and booleans
	}
	return string(raw)
}

func key(m message) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"CorrelationId":  &types.AttributeValueMemberS{Value: m.CorrelationID},
		"CollectionName": &types.AttributeValueMemberS{Value: m.CollectionName},
	}
}
