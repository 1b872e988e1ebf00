package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"snapshot-status-checker/test/scenario"
)

// rows are the run's rows by collection.
type rows map[string]scenario.Row

func received(rows rows) (sum int) {
	for _, r := range rows {
		sum += r.Received
	}
	return sum
}

// watchRows keeps s.rows up to date.
func (s *system) watchRows(ctx context.Context) error {
	return every(ctx, 250*time.Millisecond, func() (done bool, err error) {
		found, err := s.player.Rows(ctx, s.plan.run)
		if err != nil {
			return false, err
		}
		rows := rows{}
		for _, row := range found {
			rows[row.Name] = row
		}
		s.rows.Store(&rows)
		return false, nil
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
		for left := len(c.files); left > 0; left -= filesPerUpdate {
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
	return every(ctx, 25*time.Millisecond, func() (done bool, err error) {
		for ; len(left) > 0 && s.due(left[0]); left = left[1:] {
			next := left[0]
			if next.sent && s.counted(next.collection) {
				s.seen.sentLate.Add(1)
			}
			if err := s.write(ctx, plain, next); err != nil {
				return false, err
			}
		}
		if len(left) == 0 {
			written()
		}
		any := s.plan.collections[rand.N(len(s.plan.collections))]
		return false, s.write(ctx, plain, writing{collection: any})
	})
}

func (s *system) due(next writing) bool {
	switch {
	case s.rows.Load() == nil:
		return false
	case next.due <= 1:
		return float64(s.seen.sendings.Load()) >= next.due*float64(len(s.plan.sends))
	}
	return s.counted(next.collection)
}

// counted reports whether all files of the collection are counted.
func (s *system) counted(c collection) bool { return (*s.rows.Load())[c.name].Received >= len(c.files) }

func (s *system) write(ctx context.Context, plain *dynamodb.Client, this writing) error {
	expression, value := "ADD FilesSent :value", any(this.files)
	if this.sent {
		expression, value = "SET CollectionStatus = :value", "Sent"
	}
	key, err := attributevalue.MarshalMap(map[string]string{"CorrelationId": s.plan.run.CorrelationID,
		"CollectionName": this.collection.name})
	if err != nil {
		return fmt.Errorf("writing a row as the sender: %w", err)
	}
	values, err := attributevalue.MarshalMap(map[string]any{":value": value})
	if err != nil {
		return fmt.Errorf("writing a row as the sender: %w", err)
	}
	_, err = plain.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &s.outputs.ExportStatusTableName, Key: key,
		UpdateExpression: &expression, ExpressionAttributeValues: values})
	s.seen.writes.Add(1)
	if apiErr := smithy.APIError(nil); errors.As(err, &apiErr) {
		s.seen.writeErrors.add(apiErr.ErrorCode(), "")
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing a row as the sender: %w", err)
	}
	return nil
}
