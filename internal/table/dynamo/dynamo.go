// Package dynamo implements package table with DynamoDB.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"

	"snapshot-status-checker/internal/table"
)

// DB implements table.DB. It is safe for concurrent use.
type DB struct{ client *dynamodb.Client }

// New makes a DB over a client, which retries as it is configured.
func New(client *dynamodb.Client) *DB { return &DB{client: client} }

// Get reads one item, nil if there is none.
func (db *DB) Get(ctx context.Context, read table.Read) (table.Item, error) {
	projection, names := project(read.Attributes)
	out, err := db.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &read.Table, Key: encodeKey(read.Ref), ConsistentRead: &read.Consistent,
		ProjectionExpression: projection, ExpressionAttributeNames: names,
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", read.Table, err)
	}
	return decode(read.Name, out.Item), nil
}

// GetMany reads the items in one call. It asks again for keys that DynamoDB leaves unprocessed, after a pause if none
// was processed, so a key that is not in the result has no item.
func (db *DB) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	request, names := batch(reads)
	items := make(map[table.Ref]table.Item, len(reads))
	for try := 0; len(request) > 0; {
		out, err := db.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
		if err != nil {
			return nil, fmt.Errorf("reading a batch: %w", err)
		}
		for name, responses := range out.Responses {
			for _, attributes := range responses {
				keyed := decodeKeyed(names[name], attributes)
				items[table.Ref{Name: names[name], Key: keyed.Key}] = keyed.Item
			}
		}
		if keys(out.UnprocessedKeys) == keys(request) {
			if try++; try == maxTries {
				return nil, fmt.Errorf("reading a batch: %d keys were left unprocessed %d times", keys(request), try)
			}
			delay, err := backoff.BackoffDelay(try, nil)
			if err == nil {
				err = smithytime.SleepWithContext(ctx, delay)
			}
			if err != nil {
				return nil, fmt.Errorf("reading a batch: %w", err)
			}
		}
		request = out.UnprocessedKeys
	}
	return items, nil
}

// batch is the request for the reads, with their tables by name.
func batch(reads []table.Read) (map[string]types.KeysAndAttributes, map[string]table.Name) {
	request := map[string]types.KeysAndAttributes{}
	names := map[string]table.Name{}
	for _, read := range reads {
		keys, ok := request[read.Table]
		if !ok {
			keys.ProjectionExpression, keys.ExpressionAttributeNames = project(read.Attributes,
				read.PartitionKey, read.SortKey)
			keys.ConsistentRead = aws.Bool(read.Consistent)
			names[read.Table] = read.Name
		}
		keys.Keys = append(keys.Keys, encodeKey(read.Ref))
		request[read.Table] = keys
	}
	return request, names
}

// maxTries bounds the tries of a batch of which DynamoDB processes nothing.
const maxTries = 8

var backoff = retry.NewExponentialJitterBackoff(2 * time.Second)

// keys counts the requested items.
func keys(request map[string]types.KeysAndAttributes) (n int) {
	for _, asked := range request {
		n += len(asked.Keys)
	}
	return n
}

// Query reads one page.
func (db *DB) Query(ctx context.Context, query table.Query) (table.Page, error) {
	projection, names := project(query.Attributes, query.PartitionKey, query.SortKey)
	if names == nil {
		names = map[string]string{}
	}
	names["#partition"] = query.PartitionKey
	in := &dynamodb.QueryInput{
		TableName: &query.Table, ConsistentRead: &query.Consistent,
		ProjectionExpression: projection, ExpressionAttributeNames: names,
		KeyConditionExpression:    aws.String("#partition = :partition"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":partition": encode(query.Partition)},
	}
	if query.From != "" {
		names["#sort"] = query.SortKey
		in.KeyConditionExpression = aws.String("#partition = :partition AND #sort >= :from")
		in.ExpressionAttributeValues[":from"] = encode(query.From)
	}
	if query.Limit > 0 {
		in.Limit = &query.Limit
	}
	if query.After != "" {
		in.ExclusiveStartKey = encodeKey(query.At(query.Partition, query.After))
	}
	out, err := db.client.Query(ctx, in)
	if err != nil {
		return table.Page{}, fmt.Errorf("querying %s: %w", query.Table, err)
	}
	var page table.Page
	for _, attributes := range out.Items {
		page.Items = append(page.Items, decodeKeyed(query.Name, attributes))
	}
	if out.LastEvaluatedKey != nil {
		page.Next = decodeKeyed(query.Name, out.LastEvaluatedKey).Sort
	}
	return page, nil
}

// Update writes one item.
func (db *DB) Update(ctx context.Context, write table.Write) (table.Item, error) {
	e := express(write)
	out, err := db.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &write.Table, Key: encodeKey(write.Ref), UpdateExpression: e.update,
		ConditionExpression:      e.condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values, ReturnValues: types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if refused := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &refused) {
		return decode(write.Name, refused.Item), fmt.Errorf("updating %s: %w", write.Table, table.ErrConditionFailed)
	}
	if err != nil {
		return nil, fmt.Errorf("updating %s: %w", write.Table, err)
	}
	return decode(write.Name, out.Attributes), nil
}
