// Package scenario plays a run against a deployed stack: it writes rows as exporter and sender do, sends the receiver's
// messages, and answers requests as the sender does. Planning a run is pure.
package scenario

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"snapshot-status-checker/internal/snapshot"
)

// Run is a run that is played.
type Run struct {
	CorrelationID string
	SnapshotType  string
	ExportDate    string
	Collections   []Collection
}

// Collection is a collection of a played run.
type Collection struct {
	Name   string
	Status string // that the sender writes
	Files  int    // FilesSent
	// WithoutCounter: the row has no FilesReceived yet.
	WithoutCounter bool
	// SentLast: the sender writes the status after the last file has arrived, so that no message follows it.
	SentLast bool
	// Failing: the row's FilesSent is a text, so that counting fails.
	Failing bool
	Missing int // number of files that never arrive
}

// Arriving is the number of files that arrive.
func (c Collection) Arriving() int { return c.Files - c.Missing }

// Message is the text of one SQS message, and the rejects that it must produce.
type Message struct {
	Text    string
	Rejects []Reject
}

// Reject is a message that must arrive in the rejected-messages queue. An empty identity stands for the SQS message's.
type Reject struct {
	Reason   snapshot.Reason
	Identity string
}

// Fields are the fields of a JSON object.
type Fields map[string]any

// File is the message of a collection's file, with its flags in every spelling.
func (r Run) File(collection string, number int) Fields {
	message := Fields{
		"correlation_id": r.CorrelationID, "collection_name": collection,
		"snapshot_type": r.SnapshotType, "export_date": r.ExportDate,
	}
	name := fmt.Sprintf("%s/%s-%05d.txt.gz.enc", r.ExportDate, collection, number)
	switch number % 3 {
	case 0:
		message["filename"], message["shutdown_flag"], message["is_success_file"] = name, "true", "false"
	case 1:
		message["file_name"], message["reprocess_files"], message["is_success_file"] = name, true, false
	default:
		message["file_name"], message["shutdown_flag"] = name, "TRUE"
	}
	return message
}

// Filename is the name of a file in its message.
func Filename(file Fields) string { return fmt.Sprint(cmp.Or(file["filename"], file["file_name"])) }

// SuccessFile is the message of the _success file that the sender sends on request.
func (r Run) SuccessFile(collection string) Message {
	return Message{Text: Text(Fields{
		"correlation_id": r.CorrelationID, "collection_name": collection, "snapshot_type": r.SnapshotType,
		"export_date": r.ExportDate, "is_success_file": "true", "filename": "_" + collection + "_success",
	})}
}

// Malformed has one message for each reason to reject a message. The run needs a collection.
func (r Run) Malformed() []Message {
	broken := func(field string, value any) Fields {
		message := r.File(r.Collections[0].Name, 9000)
		if message[field] = value; value == nil {
			delete(message, field)
		}
		return message
	}
	plain := func(text string, reason snapshot.Reason) Message { return Message{text, []Reject{{reason, ""}}} }
	inside := func(record Fields, reason snapshot.Reason) Message {
		return Message{Envelope(record).Text, []Reject{{reason, fmt.Sprint(record["messageId"])}}}
	}
	return []Message{
		plain(Text(broken("export_date", nil)), snapshot.ReasonFieldMissing),
		inside(Record(r.CorrelationID+"-flag", broken("shutdown_flag", "perhaps")), snapshot.ReasonFlagInvalid),
		plain(Text(broken("collection_name", "db.not.there")), snapshot.ReasonUnknownCollection),
		plain("this is not JSON: "+r.CorrelationID, snapshot.ReasonNotJSON),
		inside(Record(r.CorrelationID+"-number", broken("snapshot_type", 1)), snapshot.ReasonFieldNotString),
		plain(Text(Fields{"Records": []any{}, "correlation_id": r.CorrelationID}), snapshot.ReasonNoRecords),
		inside(Fields{"messageId": r.CorrelationID + "-empty"}, snapshot.ReasonNoBody),
		plain(Text([]string{r.CorrelationID}), snapshot.ReasonNotAnObject),
		// last, since it is the largest
		plain(Text(broken("collection_name", strings.Repeat("x", snapshot.MaxCollectionName+1))),
			snapshot.ReasonFieldTooLong),
	}
}

// Record is a record of an envelope, with an identity of its own. Its body is an object or an escaped string.
func Record(identity string, body any) Fields { return Fields{"messageId": identity, "body": body} }

// Envelope is one message that contains several records.
func Envelope(records ...Fields) Message { return Message{Text: Text(Fields{"Records": records})} }

// Text is a value as JSON.
func Text(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // nothing here but strings, numbers and booleans
	}
	return string(text)
}
