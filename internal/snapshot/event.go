package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

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
		keys, err = streamed(input)
	case bytes.Contains(input, []byte(`"`+requestField+`"`)):
		keys, err = requested(input)
	}
	if err != nil {
		return nil, true, &failure.Malformed{Err: err}
	}
	seen := map[CollectionKey]bool{}
	keys = slices.DeleteFunc(keys, func(key CollectionKey) bool {
		again := seen[key]
		seen[key] = true
		return again
	})
	return keys, len(keys) > 0, nil
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

// streamed reads the keys of the stream's records, none from any other input.
func streamed(input []byte) (keys []CollectionKey, err error) {
	if !json.Valid(input) {
		return nil, nil
	}
	for i, record := range elements(input) {
		fields, _ := objectOf(record)
		if source, _ := asString(fields.get("eventSource")); i == 0 && source != streamSource {
			return nil, nil
		}
		var change struct {
			Keys struct {
				CorrelationID  struct{ S string } `json:"CorrelationId"`
				CollectionName struct{ S string } `json:"CollectionName"`
			}
		}
		err := json.Unmarshal(fields.get("dynamodb"), &change)
		key := CollectionKey{change.Keys.CorrelationID.S, change.Keys.CollectionName.S}
		if err != nil || key.CorrelationID == "" || key.CollectionName == "" {
			return nil, fmt.Errorf("record %d of the stream has no keys of the export status table", i)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// requested reads the collections of a request, none from any other input.
func requested(input []byte) (keys []CollectionKey, err error) {
	fields, _ := parseObject(input)
	if fields.get(requestField) == nil || fields.isMessage() {
		return nil, nil
	}
	if rejection := fields.repeated(requestField); rejection != nil {
		return nil, errors.New(rejection.Detail)
	}
	list := elements(fields.get(requestField))
	if len(list) == 0 {
		return nil, errors.New(`"reconcile" is not a list of at least one {"correlation_id": …, "collection_name": …}`)
	}
	for i, element := range list {
		fields, rejection := objectOf(element)
		if rejection != nil {
			return nil, fmt.Errorf(
				`element %d of "reconcile" is not an object {"correlation_id": …, "collection_name": …}`, i)
		}
		p := parser{fields: fields, rejection: fields.repeated("correlation_id", "collection_name")}
		key := CollectionKey{
			p.required("correlation_id", MaxCorrelationID), p.required("collection_name", MaxCollectionName)}
		if p.rejection != nil {
			return nil, fmt.Errorf(`element %d of "reconcile": %s`, i, p.rejection.Detail)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
