// Package paths is the table of the ways through the state machine: for a situation and an event, the states
// that are entered. The deployed definition with the real functions is held against it.
package paths

import (
	"encoding/json"
	"fmt"
)

// Path is one way through the state machine.
type Path struct {
	Name      string
	Rows      []Row   // the run's rows before anything happens
	Earlier   []Event // executions that came to their end before
	Meanwhile []Row   // what others did afterwards, without looking: they wrote the status, or removed the row
	Event     Event
	Broken    Function // the function that is not what the definition expects
	States    []string // in the order in which they are entered
	Fails     bool     // whether the execution ends as failed
}

// Function names a function that is not what it should be while the event is handled.
type Function string

// The ways to break a function.
const (
	IncrementMissing Function = "increment is not there"
	NotifyMissing    Function = "notify is not there"
	NoOutcome        Function = "check-collection returns no outcome"
)

// Row is a row of the export status table.
type Row struct {
	Collection string
	Status     string
	Sent       int64
	Malformed  bool // FilesSent is not a number
	Gone       bool // of a row that others removed
}

// Event makes an execution's input for a run.
type Event func(correlationID string) string

func message(run, collection string, more string) string {
	return fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":"2020-01-01"%s}`,
		run, collection, more)
}

// delivered is the array that Pipes delivers for one SQS message.
func delivered(id, body string) string {
	return encode([]map[string]any{{"messageId": id, "body": body, "eventSource": "aws:sqs"}})
}

// File is a data file of the collection that arrived; id is unique within the run.
func File(collection, id string) Event {
	return func(run string) string { return delivered(run+id, message(run, collection, `,"filename":"`+id+`"`)) }
}

// SuccessFile is the collection's _success file that arrived.
func SuccessFile(collection, id string) Event {
	return func(run string) string {
		return delivered(run+id, message(run, collection, `,"is_success_file":"true"`))
	}
}

// NotJSON is a message that nobody can read.
func NotJSON(run string) string { return delivered(run, "{") }

// FileByHand is a plain message that a person started the execution with.
func FileByHand(collection string) Event {
	return func(run string) string { return message(run, collection, "") }
}

// EnvelopeByHand is an envelope of two files that a person started the execution with.
func EnvelopeByHand(collection string) Event {
	return func(run string) string {
		return `{"Records":[{"body":` + message(run, collection, "") + `},{"body":` +
			encode(message(run, collection, "")) + `}]}`
	}
}

// Reconcile asks to reconcile the collections.
func Reconcile(collections ...string) Event {
	return func(run string) string {
		var keys []map[string]string
		for _, collection := range collections {
			keys = append(keys, map[string]string{"correlation_id": run, "collection_name": collection})
		}
		return encode(map[string]any{"reconcile": keys})
	}
}

// StatusChanged is what the table's stream says through its pipe about a row, twice in one batch.
func StatusChanged(collection string) Event {
	return func(run string) string {
		record := map[string]any{"eventSource": "aws:dynamodb", "eventName": "MODIFY",
			"dynamodb": map[string]any{"Keys": map[string]any{
				"CorrelationId": map[string]string{"S": run}, "CollectionName": map[string]string{"S": collection}}}}
		return encode([]any{record, record})
	}
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // only maps and strings of this package come here
	}
	return string(text)
}
