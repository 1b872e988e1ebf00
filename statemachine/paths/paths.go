// Package paths is the table of the paths through the state machine: for a situation and an event, the states that are
// entered. Tests run the deployed definition with the real functions against it.
package paths

import (
	"encoding/json"
	"fmt"
)

// Path is one path through the state machine.
type Path struct {
	Name      string
	Rows      []Row   // the run's rows at the beginning
	Earlier   []Event // whose executions end before
	Meanwhile []Row   // then written by another system: it sets the status, or removes the row
	Event     Event
	Broken    Function // a function that is broken while the event is handled
	States    []string // in the order in which they are entered
	Fails     bool     // whether the execution fails
}

// Function is a way in which a function is broken.
type Function string

// The ways to break a function.
const (
	IncrementMissing Function = "increment is missing"
	NotifyMissing    Function = "notify is missing"
	NoOutcome        Function = "check-collection returns no outcome"
)

// Row is a row of the export status table.
type Row struct {
	Collection string
	Status     string
	Sent       int64
	Malformed  bool // FilesSent is not a number
	Gone       bool // removed by another system
}

// Event makes an execution's input for a run.
type Event func(correlationID string) string

func message(run, collection string, more string) string {
	return fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":"2020-01-01"%s}`,
		run, collection, more)
}

// delivered is Pipes' array with one SQS message.
func delivered(id, body string) string {
	return encode([]map[string]any{{"messageId": id, "body": body, "eventSource": "aws:sqs"}})
}

// File is the message of a data file; id is unique within the run.
func File(collection, id string) Event {
	return func(run string) string { return delivered(run+id, message(run, collection, `,"filename":"`+id+`"`)) }
}

// SuccessFile is the message of the collection's _success file.
func SuccessFile(collection, id string) Event {
	return func(run string) string {
		return delivered(run+id, message(run, collection, `,"is_success_file":"true"`))
	}
}

// NotJSON is an invalid message.
func NotJSON(run string) string { return delivered(run, "{") }

// FileByHand is a plain message with which a person starts the execution.
func FileByHand(collection string) Event {
	return func(run string) string { return message(run, collection, "") }
}

// EnvelopeByHand is an envelope of two files with which a person starts the execution.
func EnvelopeByHand(collection string) Event {
	return func(run string) string {
		return `{"Records":[{"body":` + message(run, collection, "") + `},{"body":` +
			encode(message(run, collection, "")) + `}]}`
	}
}

// Reconcile is a request to reconcile the collections.
func Reconcile(collections ...string) Event {
	return func(run string) string {
		var keys []map[string]string
		for _, collection := range collections {
			keys = append(keys, map[string]string{"correlation_id": run, "collection_name": collection})
		}
		return encode(map[string]any{"reconcile": keys})
	}
}

// StatusChanged is the pipe's batch from the table's stream with two records of a row.
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
		panic(err) // only this package's maps and strings are passed
	}
	return string(text)
}
