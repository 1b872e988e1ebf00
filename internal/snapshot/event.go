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
// ok is false for every other input, which is then read as messages; see Unwrap. An invalid request is a
// *failure.Malformed.
func Reconcilable(input []byte) (keys []CollectionKey, ok bool, err error) {
	switch { // most inputs are messages and contain neither text: they are not parsed here
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

// Limits of one request. An execution reconciles ten collections concurrently, so few large requests use less of the
// account's Lambda concurrency than many small ones. Its input may have 256 KiB
// (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
const (
	MaxRequested    = 100
	maxRequestBytes = 250_000
)

// Requests splits collections into requests of one execution each, in their order.
func Requests(keys []CollectionKey) [][]CollectionKey {
	var requests [][]CollectionKey
	first, size := 0, 0
	for i, key := range keys {
		// JSON writes one byte as at most six; 64 bytes cover the field names.
		one := 6*(len(key.CorrelationID)+len(key.CollectionName)) + 64
		if i-first == MaxRequested || i > first && size+one > maxRequestBytes {
			requests = append(requests, keys[first:i:i])
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
		key := CollectionKey{
			p.required("correlation_id", MaxCorrelationID), p.required("collection_name", MaxCollectionName)}
		if p.rejection != nil {
			return nil, true, fmt.Errorf(`element %d of "reconcile": %s`, i, p.rejection.Detail)
		}
		keys = append(keys, key)
	}
	return keys, true, nil
}
