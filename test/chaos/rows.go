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

// held is the part of the ledger's count that the row holds.
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

func (s *system) key(collectionName string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"CorrelationId":  &types.AttributeValueMemberS{Value: s.plan.correlationID},
		"CollectionName": &types.AttributeValueMemberS{Value: collectionName},
	}
}

// putRows makes the rows before anything is sent.
func (s *system) putRows(ctx context.Context) error {
	for _, c := range s.plan.collections {
		item := s.key(c.name)
		item["CollectionStatus"] = &types.AttributeValueMemberS{Value: "Exporting"}
		item["FilesSent"] = &types.AttributeValueMemberN{Value: "0"}
		if _, err := s.table.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: &s.outputs.ExportStatusTableName, Item: item}); err != nil {
			return fmt.Errorf("making the rows: %w", err)
		}
	}
	return nil
}

func (s *system) readRows(ctx context.Context) (map[string]row, error) {
	pages := dynamodb.NewQueryPaginator(s.table, &dynamodb.QueryInput{
		TableName: &s.outputs.ExportStatusTableName, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("CorrelationId = :run"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":run": &types.AttributeValueMemberS{Value: s.plan.correlationID}},
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

// watchRows keeps s.rows up to date.
func (s *system) watchRows(ctx context.Context) error {
	return every(ctx, 250*time.Millisecond, func() error {
		rows, err := s.readRows(ctx)
		if err == nil {
			s.rows.Store(&rows)
		}
		return err
	})
}

// writing is a write of the sender, due when this share of the messages is sent.
type writing struct {
	due        float64
	collection collection
	files      int  // to add to FilesSent
	sent       bool // writes the status Sent instead
}

// filesPerUpdate bounds what the sender adds to FilesSent in one update.
const filesPerUpdate = 10

// writings are all writes of the sender: for each collection its files, and then Sent.
func (p *plan) writings() []writing {
	var all []writing
	for _, c := range p.collections {
		for left := c.files; left > 0; left -= filesPerUpdate {
			all = append(all, writing{due: min(c.sentAt, 1) * rand.Float64(), collection: c,
				files: min(left, filesPerUpdate)})
		}
		all = append(all, writing{due: c.sentAt, collection: c, sent: true})
	}
	slices.SortStableFunc(all, func(a, b writing) int { return cmp.Compare(a.due, b.due) })
	return all
}

// writeRows writes rows as the sender does: updates without conditions or retries. Between due writes it adds zero to a
// random row. When all is written it calls written, perhaps more than once.
func (s *system) writeRows(ctx context.Context, written func()) error {
	plain := dynamodb.NewFromConfig(s.config, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	left := s.plan.writings()
	return every(ctx, 25*time.Millisecond, func() error {
		for ; len(left) > 0 && s.due(left[0]); left = left[1:] {
			next := left[0]
			if next.sent && (*s.rows.Load())[next.collection.name].FilesReceived >= next.collection.files {
				s.seen.sentLate.Add(1)
			}
			if err := s.write(ctx, plain, next); err != nil {
				return err
			}
		}
		if len(left) == 0 {
			written()
		}
		any := s.plan.collections[rand.N(len(s.plan.collections))]
		return s.write(ctx, plain, writing{collection: any})
	})
}

func (s *system) due(next writing) bool {
	rows := s.rows.Load()
	switch {
	case rows == nil:
		return false
	case next.due <= 1:
		return float64(s.seen.sendings.Load()) >= next.due*float64(len(s.plan.sends))
	}
	return (*rows)[next.collection.name].FilesReceived >= next.collection.files
}

func (s *system) write(ctx context.Context, plain *dynamodb.Client, this writing) error {
	update := &dynamodb.UpdateItemInput{
		TableName: &s.outputs.ExportStatusTableName, Key: s.key(this.collection.name),
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
	s.seen.writes.Add(1)
	if apiErr := smithy.APIError(nil); errors.As(err, &apiErr) {
		s.seen.writeErrors.add(apiErr.ErrorCode())
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing a row as the sender: %w", err)
	}
	return nil
}
