package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

// shape is the shape of a run.
type shape struct {
	Collections int
	Files       int // of each collection
	// InFlight is how many collections' receipts are mixed: the sender works on so many at a time.
	InFlight int
}

func (s shape) total() int { return s.Collections * s.Files }

// shapeOf makes a run of about so many files.
func (o options) shapeOf(files int) shape {
	each := min(o.FilesPerCollection, files)
	return shape{Collections: max(1, files/each), Files: each, InFlight: o.InFlight}
}

// order is which collection each message is about: those of InFlight collections mixed at random, the same each time.
func (s shape) order() []int {
	random := rand.New(rand.NewPCG(1, 2))
	left := map[int]int{}
	var active, order []int
	next := 0
	for {
		for next < s.Collections && len(active) < cmp.Or(s.InFlight, s.Collections) {
			active, left[next] = append(active, next), s.Files
			next++
		}
		if len(active) == 0 {
			return order
		}
		at := random.IntN(len(active))
		collection := active[at]
		order = append(order, collection)
		if left[collection]--; left[collection] == 0 {
			active = slices.Delete(active, at, at+1)
		}
	}
}

// run is one run of the snapshot sender, sent to a subject.
type run struct {
	shape
	ID string
}

func collectionName(i int) string { return fmt.Sprintf("db.bench.collection-%05d", i) }

// putRows writes the run's rows as the sender leaves them: Sent, with nothing received yet.
func (r run) putRows(ctx context.Context, table *dynamodb.Client, name string) error {
	var puts []types.WriteRequest
	for i := range r.Collections {
		puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
			"CorrelationId":    &types.AttributeValueMemberS{Value: r.ID},
			"CollectionName":   &types.AttributeValueMemberS{Value: collectionName(i)},
			"CollectionStatus": &types.AttributeValueMemberS{Value: "Sent"},
			"FilesExported":    &types.AttributeValueMemberN{Value: strconv.Itoa(r.Files)},
			"FilesSent":        &types.AttributeValueMemberN{Value: strconv.Itoa(r.Files)},
			"FilesReceived":    &types.AttributeValueMemberN{Value: "0"},
		}}})
	}
	for chunk := range slices.Chunk(puts, 25) {
		written, err := table.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{name: chunk}})
		if err != nil {
			return fmt.Errorf("writing the rows: %w", err)
		}
		if len(written.UnprocessedItems) > 0 {
			return fmt.Errorf("writing the rows: %d were not taken", len(written.UnprocessedItems))
		}
	}
	return nil
}

// sendFiles sends a message for each file, in the shape's order.
func (r run) sendFiles(ctx context.Context, queue *sqs.Client, url string) error {
	var bodies []string
	sent := make([]int, r.Collections)
	for _, collection := range r.order() {
		bodies = append(bodies, r.message(collection, sent[collection], false))
		sent[collection]++
	}
	return send(ctx, queue, url, bodies)
}

// sendSuccessFiles sends a message for each collection's _success file.
func (r run) sendSuccessFiles(ctx context.Context, queue *sqs.Client, url string) error {
	var bodies []string
	for i := range r.Collections {
		bodies = append(bodies, r.message(i, 0, true))
	}
	return send(ctx, queue, url, bodies)
}

func (r run) message(collection, file int, success bool) string {
	name := fmt.Sprintf("full/2020-01-01/%s.%06d.gz.enc", collectionName(collection), file)
	if success {
		name = fmt.Sprintf("full/2020-01-01/_%s_success", collectionName(collection))
	}
	body, err := json.Marshal(map[string]string{
		"correlation_id": r.ID, "collection_name": collectionName(collection), "snapshot_type": "full",
		"export_date": "2020-01-01", "shutdown_flag": "true", "reprocess_files": "false",
		"is_success_file": strconv.FormatBool(success), "filename": name,
	})
	if err != nil {
		panic(err) // a map of strings
	}
	return string(body)
}

// send sends the bodies in their order but for a few that overtake each other.
func send(ctx context.Context, queue *sqs.Client, url string, bodies []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for chunk := range slices.Chunk(bodies, 10) {
		var entries []sqstypes.SendMessageBatchRequestEntry
		for i, body := range chunk {
			entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
				MessageBody: &body})
		}
		group.Go(func() error {
			sent, err := queue.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
			if err != nil {
				return fmt.Errorf("sending: %w", err)
			}
			for _, failed := range sent.Failed {
				return fmt.Errorf("sending: %s: %s", aws.ToString(failed.Code), aws.ToString(failed.Message))
			}
			return nil
		})
	}
	return group.Wait()
}

// received is what the run's rows say.
type received struct {
	Rows  int // in this status
	Files int64
	Worst int64 // how far the row that is most wrong is from its files
}

// look reads the run's rows.
func (r run) look(ctx context.Context, table *dynamodb.Client, name, status string) (received, error) {
	var seen received
	pages := dynamodb.NewQueryPaginator(table, &dynamodb.QueryInput{
		TableName: &name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("CorrelationId = :run"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":run": &types.AttributeValueMemberS{Value: r.ID}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return seen, fmt.Errorf("reading the run: %w", err)
		}
		for _, item := range page.Items {
			if s, ok := item["CollectionStatus"].(*types.AttributeValueMemberS); ok && s.Value == status {
				seen.Rows++
			}
			if n, ok := item["FilesReceived"].(*types.AttributeValueMemberN); ok {
				files, err := strconv.ParseInt(n.Value, 10, 64)
				if err != nil {
					return seen, fmt.Errorf("reading the run: %w", err)
				}
				seen.Files += files
				seen.Worst = max(seen.Worst, files-int64(r.Files), int64(r.Files)-files)
			}
		}
	}
	return seen, nil
}
