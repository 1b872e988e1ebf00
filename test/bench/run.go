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
	InFlight    int // collections that the sender works on at a time, so that their messages are mixed; 0: all
}

func (s shape) total() int { return s.Collections * s.Files }

// shapeOf makes a run of about so many files.
func (o options) shapeOf(files int) shape {
	each := min(o.FilesPerCollection, files)
	return shape{Collections: max(1, files/each), Files: each, InFlight: o.InFlight}
}

// order is each message's collection: those of InFlight collections mixed at random, the same each time.
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

// run is one run of the snapshot sender, sent to a system.
type run struct {
	shape
	ID string
}

func collectionName(i int) string { return fmt.Sprintf("db.bench.collection-%05d", i) }

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

// messages are the first n of the run, of its files only.
func (r run) messages(n int) (bodies []string) {
	sent := make([]int, r.Collections)
	for _, collection := range r.order()[:n] {
		bodies = append(bodies, r.message(collection, sent[collection], false))
		sent[collection]++
	}
	return bodies
}

func (r run) successMessages() (bodies []string) {
	for i := range r.Collections {
		bodies = append(bodies, r.message(i, 0, true))
	}
	return bodies
}

// putRows writes the run's rows as the sender does: Sent, with nothing received yet.
func (w *testbed) putRows(ctx context.Context, s *system, r run) error {
	files := &types.AttributeValueMemberN{Value: strconv.Itoa(r.Files)}
	var puts []types.WriteRequest
	for i := range r.Collections {
		puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
			"CorrelationId":    &types.AttributeValueMemberS{Value: r.ID},
			"CollectionName":   &types.AttributeValueMemberS{Value: collectionName(i)},
			"CollectionStatus": &types.AttributeValueMemberS{Value: "Sent"},
			"FilesExported":    files, "FilesSent": files, "FilesReceived": &types.AttributeValueMemberN{Value: "0"},
		}}})
	}
	for chunk := range slices.Chunk(puts, 25) {
		written, err := w.table.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{s.statusTable: chunk}})
		if err != nil {
			return fmt.Errorf("writing the rows: %w", err)
		}
		if len(written.UnprocessedItems) > 0 {
			return fmt.Errorf("writing the rows: %d were not taken", len(written.UnprocessedItems))
		}
	}
	return nil
}

// send sends the bodies nearly in their order: four batches are sent concurrently.
func (w *testbed) send(ctx context.Context, url string, bodies []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for chunk := range slices.Chunk(bodies, 10) {
		var entries []sqstypes.SendMessageBatchRequestEntry
		for i, body := range chunk {
			entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
				MessageBody: &body})
		}
		group.Go(func() error {
			sent, err := w.queues.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
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

// drain takes all messages from the queue and returns how many there were. It waits a second for missing ones.
func (w *testbed) drain(ctx context.Context, url string, expected int) (int, error) {
	for n := 0; ; {
		in := &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10}
		if n < expected {
			in.WaitTimeSeconds = 1
		}
		taken, err := w.take(ctx, in)
		if n += taken; err != nil || taken == 0 {
			return n, err
		}
	}
}

// take receives and deletes messages once, and returns how many.
func (w *testbed) take(ctx context.Context, in *sqs.ReceiveMessageInput) (int, error) {
	got, err := w.queues.ReceiveMessage(ctx, in)
	if err != nil {
		return 0, fmt.Errorf("receiving: %w", err)
	}
	if len(got.Messages) == 0 {
		return 0, nil
	}
	var entries []sqstypes.DeleteMessageBatchRequestEntry
	for _, message := range got.Messages {
		entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{Id: message.MessageId,
			ReceiptHandle: message.ReceiptHandle})
	}
	if _, err := w.queues.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: in.QueueUrl,
		Entries: entries}); err != nil {
		return 0, fmt.Errorf("deleting: %w", err)
	}
	return len(got.Messages), nil
}

// received is what the run's rows say.
type received struct {
	Rows  int // in this status
	Files int64
	Worst int64 // the largest difference of a row from its files
}

func (w *testbed) rows(ctx context.Context, s *system, r run, status string) (received, error) {
	var seen received
	pages := dynamodb.NewQueryPaginator(w.table, &dynamodb.QueryInput{
		TableName: &s.statusTable, ConsistentRead: aws.Bool(true),
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
