// Package dynamo does the operations of package table with DynamoDB.
package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"snapshot-status-checker/internal/table"
)

// DB is safe for concurrent use. It writes only on the conditions of each Write and never in the background.
type DB struct{ client *dynamodb.Client }

// New makes a DB over a client, whose own retries stay in force.
func New(client *dynamodb.Client) *DB { return &DB{client: client} }

// Get reads one item, nil if it is not there.
func (db *DB) Get(ctx context.Context, read table.Read) (table.Item, error) {
	projection, names := project(read.Attributes)
	out, err := db.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &read.Table, Key: encodeKey(read.Ref), ConsistentRead: &read.Consistent,
		ProjectionExpression: projection, ExpressionAttributeNames: names,
	})
	if err != nil {
		return nil, translate("reading "+read.Table, err)
	}
	return decode(read.Name, out.Item), nil
}

// GetMany reads up to table.MaxBatch items of one or more tables in one call, without an order between the
// reads. Reads of one table ask for the same attributes and the same consistency. Items that are not there
// are not in the result. What DynamoDB leaves unprocessed is asked for again; if none of it was processed the call ends
// with table.ErrContention.
func (db *DB) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	request := map[string]types.KeysAndAttributes{}
	names := map[string]table.Name{}
	for _, read := range reads {
		keys, ok := request[read.Table]
		if !ok {
			keys.ProjectionExpression, keys.ExpressionAttributeNames = projectWithKey(read.Name, read.Attributes)
			keys.ConsistentRead = aws.Bool(read.Consistent)
			names[read.Table] = read.Name
		}
		keys.Keys = append(keys.Keys, encodeKey(read.Ref))
		request[read.Table] = keys
	}
	items := map[table.Ref]table.Item{}
	for len(request) > 0 {
		out, err := db.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
		if err != nil {
			return nil, translate("reading a batch", err)
		}
		if keys(out.UnprocessedKeys) >= keys(request) {
			return nil, fmt.Errorf("reading a batch: %d unprocessed keys: %w", keys(request), table.ErrContention)
		}
		for name, responses := range out.Responses {
			for _, attributes := range responses {
				keyed := decodeKeyed(names[name], attributes)
				items[table.Ref{Name: names[name], Key: keyed.Key}] = keyed.Item
			}
		}
		request = out.UnprocessedKeys
	}
	return items, nil
}

// keys counts the items that are asked for.
func keys(request map[string]types.KeysAndAttributes) (n int) {
	for _, asked := range request {
		n += len(asked.Keys)
	}
	return n
}

// Query reads one page.
func (db *DB) Query(ctx context.Context, query table.Query) (table.Page, error) {
	projection, names := projectWithKey(query.Name, query.Attributes)
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
		return table.Page{}, translate("querying "+query.Table, err)
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

// Update writes one item and returns it as it then is. It returns table.ErrConditionFailed if a condition did
// not hold, table.ErrContention if others were at the item. If the answer of an earlier try was lost, the
// client's own retry may report a failed condition although the write took effect: read again.
func (db *DB) Update(ctx context.Context, write table.Write) (table.Item, error) {
	e := express(write)
	out, err := db.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &write.Table, Key: encodeKey(write.Ref), UpdateExpression: e.update, ConditionExpression: e.condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values, ReturnValues: types.ReturnValueAllNew,
	})
	if err != nil {
		return nil, translate("updating "+write.Table, err)
	}
	return decode(write.Name, out.Attributes), nil
}

// Transact writes up to table.MaxTransaction different items, all or none. It returns *table.Canceled with
// the reason of each if none was written on account of one of them.
func (db *DB) Transact(ctx context.Context, writes []table.Write) error {
	items := make([]types.TransactWriteItem, len(writes))
	for i, write := range writes {
		e := express(write)
		items[i].Update = &types.Update{
			TableName: &write.Table, Key: encodeKey(write.Ref), UpdateExpression: e.update, ConditionExpression: e.condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
	}
	_, err := db.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return translate("writing a transaction", err)
	}
	reasons := make([]table.Reason, len(canceled.CancellationReasons))
	for i, reason := range canceled.CancellationReasons {
		switch code := aws.ToString(reason.Code); code {
		case "None":
		case "ConditionalCheckFailed":
			reasons[i] = table.Reason{ConditionFailed: true, Old: decode(writes[i].Name, reason.Item)}
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			reasons[i] = table.Reason{Contention: true}
		default:
			return fmt.Errorf("writing a transaction: write %d: %s: %s", i, code, aws.ToString(reason.Message))
		}
	}
	return &table.Canceled{Reasons: reasons}
}

// contention lists the error codes of DynamoDB after which nothing was written and trying again helps
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html).
var contention = map[string]bool{
	"TransactionConflictException": true, "TransactionInProgressException": true, "ThrottlingException": true,
	"ProvisionedThroughputExceededException": true, "RequestLimitExceeded": true,
}

func translate(doing string, err error) error {
	var api smithy.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*types.ConditionalCheckFailedException)):
		return fmt.Errorf("%s: %w", doing, table.ErrConditionFailed)
	case errors.As(err, &api) && contention[api.ErrorCode()]:
		return fmt.Errorf("%s: %w: %w", doing, table.ErrContention, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
