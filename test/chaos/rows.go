package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"snapshot-status-checker/internal/snapshot"
)

// row is a collection's row of the export status table.
type row struct {
	CollectionName, CollectionStatus string
	FilesSent, FilesReceived         int
	EpochStart                       int
	SyncedFiles                      any // a number; a text while the row is being adopted
}

// held is how much of the ledger's count the row holds.
func (r row) held() int {
	synced, _ := r.SyncedFiles.(float64)
	return r.EpochStart + int(synced)
}

func (r row) is(status snapshot.Status) bool { return snapshot.Status(r.CollectionStatus).Is(status) }

func received(rows map[string]row) (sum int) {
	for _, r := range rows {
		sum += r.FilesReceived
	}
	return sum
}

func (w *world) key(collectionName string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"CorrelationId":  &types.AttributeValueMemberS{Value: w.plan.correlationID},
		"CollectionName": &types.AttributeValueMemberS{Value: collectionName},
	}
}

// putRows makes the rows as the sender makes them, when nothing is sent yet.
func (w *world) putRows(ctx context.Context) error {
	for _, c := range w.plan.collections {
		item := w.key(c.name)
		item["CollectionStatus"] = &types.AttributeValueMemberS{Value: "Exporting"}
		item["FilesSent"] = &types.AttributeValueMemberN{Value: "0"}
		if _, err := w.table.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: &w.outputs.ExportStatusTableName, Item: item}); err != nil {
			return fmt.Errorf("making the rows: %w", err)
		}
	}
	return nil
}

func (w *world) readRows(ctx context.Context) (map[string]row, error) {
	pages := dynamodb.NewQueryPaginator(w.table, &dynamodb.QueryInput{
		TableName: &w.outputs.ExportStatusTableName, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("CorrelationId = :run"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":run": &types.AttributeValueMemberS{Value: w.plan.correlationID}},
	})
	rows := map[string]row{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the rows: %w", err)
		}
		var found []row
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &found); err != nil {
			return nil, fmt.Errorf("reading the rows: %w", err)
		}
		for _, r := range found {
			rows[r.CollectionName] = r
		}
	}
	return rows, nil
}

// watchRows keeps what is known of the rows up to date.
func (w *world) watchRows(ctx context.Context) error {
	return every(ctx, 250*time.Millisecond, func() error {
		rows, err := w.readRows(ctx)
		if err == nil {
			w.rows.Store(&rows)
		}
		return err
	})
}

// writing is one write of the sender's, due when a share of the messages is sent.
type writing struct {
	due        float64
	collection collection
	files      int  // to add to FilesSent
	sent       bool // writes the status Sent instead
}

// lot is how many files the sender adds to FilesSent at once, at most.
const lot = 10

// writings are all writes of the sender: each collection's files, lot by lot, and Sent after the last of them.
func (p *plan) writings() []writing {
	var all []writing
	for _, c := range p.collections {
		for left := c.files; left > 0; left -= lot {
			all = append(all, writing{due: min(c.sentAt, 1) * rand.Float64(), collection: c, files: min(left, lot)})
		}
		all = append(all, writing{due: c.sentAt, collection: c, sent: true})
	}
	slices.SortStableFunc(all, func(a, b writing) int { return cmp.Compare(a.due, b.due) })
	return all
}

// writeRows is the sender, the rows' other writer: plain updates without conditions, none of them repeated by its SDK.
// While nothing is due, and when all is written, it writes all the same, to any row: it adds zero. It calls written,
// perhaps more than once, when all is written.
func (w *world) writeRows(ctx context.Context, written func()) error {
	plain := dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	left := w.plan.writings()
	return every(ctx, 25*time.Millisecond, func() error {
		for ; len(left) > 0 && w.due(left[0]); left = left[1:] {
			next := left[0]
			if next.sent && (*w.rows.Load())[next.collection.name].FilesReceived >= next.collection.files {
				w.seen.sentLate.Add(1)
			}
			if err := w.write(ctx, plain, next); err != nil {
				return err
			}
		}
		if len(left) == 0 {
			written()
		}
		any := w.plan.collections[rand.N(len(w.plan.collections))]
		return w.write(ctx, plain, writing{collection: any})
	})
}

func (w *world) due(next writing) bool {
	rows := w.rows.Load()
	switch {
	case rows == nil:
		return false
	case next.due <= 1:
		return float64(w.seen.sendings.Load()) >= next.due*float64(len(w.plan.sends))
	}
	return (*rows)[next.collection.name].FilesReceived >= next.collection.files
}

func (w *world) write(ctx context.Context, plain *dynamodb.Client, this writing) error {
	update := &dynamodb.UpdateItemInput{
		TableName: &w.outputs.ExportStatusTableName, Key: w.key(this.collection.name),
		UpdateExpression: aws.String("ADD FilesSent :files"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":files": &types.AttributeValueMemberN{Value: strconv.Itoa(this.files)}},
	}
	if this.sent {
		update.UpdateExpression = aws.String("SET CollectionStatus = :sent")
		update.ExpressionAttributeValues = map[string]types.AttributeValue{":sent": &types.AttributeValueMemberS{
			Value: "Sent"}}
	}
	_, err := plain.UpdateItem(ctx, update)
	w.seen.writes.Add(1)
	if apiErr := smithy.APIError(nil); errors.As(err, &apiErr) {
		w.seen.writeErrors.add(apiErr.ErrorCode())
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing a row as the sender does: %w", err)
	}
	return nil
}
