package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"snapshot-status-checker/internal/function/failure"
)

// Reconcilable reads an execution's input that asks to reconcile collections: the records that EventBridge Pipes
// delivers from the export status table's stream, or {"reconcile": [{"correlation_id": …, "collection_name": …}]} from
// the sweep or from a person. It returns each collection once.
//
// ok is false for every other input: that is taken for messages (see Unwrap), so that nothing odd is lost. A request
// that can never work is a *failure.Malformed that says what is wrong.
func Reconcilable(input []byte) (keys []CollectionKey, ok bool, err error) {
	switch { // most inputs are messages: they are told by their text, without reading them
	case bytes.Contains(input, []byte(`"`+streamSource+`"`)):
		keys, ok, err = streamed(input)
	case bytes.Contains(input, []byte(`"`+requestField+`"`)):
		keys, ok, err = requested(input)
	}
	if err != nil {
		return nil, ok, &failure.Malformed{Err: err}
	}
	seen := map[CollectionKey]bool{}
	distinct := make([]CollectionKey, 0, len(keys))
	for _, key := range keys {
		if !seen[key] {
			distinct = append(distinct, key)
		}
		seen[key] = true
	}
	return distinct, ok, nil
}

// streamSource is what Pipes writes into each record of a DynamoDB stream
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html).
const streamSource = "aws:dynamodb"

const requestField = "reconcile"

// An execution is asked for so many collections at most, and its input takes 256 KiB
// (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html). It reconciles ten concurrently, so few
// large executions leave more of the account's Lambda concurrency to others than many small ones.
const (
	MaxRequested    = 100
	maxRequestBytes = 250_000
)

// Requests splits collections into what one execution each is asked to reconcile, in their order.
func Requests(keys []CollectionKey) [][]CollectionKey {
	var requests [][]CollectionKey
	first, size := 0, 0
	for i, key := range keys {
		// JSON writes a byte as six at most, and the names of the two fields.
		one := 6*(len(key.CorrelationID)+len(key.CollectionName)) + 64
		if i-first == MaxRequested || i > first && size+one > maxRequestBytes {
			requests = append(requests, keys[first:i])
			first, size = i, 0
		}
		size += one
	}
	if first < len(keys) {
		requests = append(requests, keys[first:])
	}
	return requests
}

func streamed(input []byte) (keys []CollectionKey, ok bool, err error) {
	var first []struct {
		EventSource json.RawMessage `json:"eventSource"`
	}
	if json.Unmarshal(input, &first) != nil || len(first) == 0 {
		return nil, false, nil
	}
	if source, _ := asString(first[0].EventSource); source != streamSource {
		return nil, false, nil
	}
	var records []struct {
		Dynamodb struct {
			Keys struct {
				CorrelationID  struct{ S string } `json:"CorrelationId"`
				CollectionName struct{ S string } `json:"CollectionName"`
			}
		} `json:"dynamodb"`
	}
	if err := json.Unmarshal(input, &records); err != nil {
		return nil, true, fmt.Errorf("a record of the stream has no keys of the export status table: %w", err)
	}
	for i, record := range records {
		key := CollectionKey{record.Dynamodb.Keys.CorrelationID.S, record.Dynamodb.Keys.CollectionName.S}
		if key.CorrelationID == "" || key.CollectionName == "" {
			return nil, true, fmt.Errorf("record %d of the stream has no keys of the export status table", i)
		}
		keys = append(keys, key)
	}
	return keys, true, nil
}

func requested(input []byte) (keys []CollectionKey, ok bool, err error) {
	fields, rejection := parseObject(input)
	if rejection != nil {
		return nil, false, nil
	}
	list := fields.get(requestField)
	if list == nil || fields.get("correlation_id") != nil {
		return nil, false, nil
	}
	if rejection := fields.repeated(requestField); rejection != nil {
		return nil, true, errors.New(rejection.Detail)
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(list, &elements); err != nil || len(elements) == 0 {
		return nil, true, errors.New(
			`"reconcile" is not a list of at least one {"correlation_id": …, "collection_name": …}`)
	}
	for i, element := range elements {
		fields, rejection := parseObject(element)
		if rejection != nil {
			return nil, true, fmt.Errorf(
				`element %d of "reconcile" is not an object {"correlation_id": …, "collection_name": …}`, i)
		}
		if rejection := fields.repeated("correlation_id", "collection_name"); rejection != nil {
			return nil, true, fmt.Errorf(`element %d of "reconcile": %s`, i, rejection.Detail)
		}
		p := parser{fields: fields}
		key := CollectionKey{p.required("correlation_id", MaxCorrelationID), p.required("collection_name",
			MaxCollectionName)}
		if p.rejection != nil {
			return nil, true, fmt.Errorf(`element %d of "reconcile": %s`, i, p.rejection.Detail)
		}
		keys = append(keys, key)
	}
	return keys, true, nil
}
