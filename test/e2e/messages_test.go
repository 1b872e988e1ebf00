package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
)

// fields are fields of a message that differ from the defaults; absent omits one.
type fields map[string]any

var absent = struct{}{}

const exportDate = "2020-01-01"

var files atomic.Int64

// file is a plain message for a file of a collection. Each text is unique.
func (r *run) file(collection string, change ...fields) string {
	message := fields{
		"correlation_id": r.id, "collection_name": collection, "snapshot_type": "full", "export_date": exportDate,
		"filename": fmt.Sprintf("%s-%d.gz.enc", collection, files.Add(1)),
	}
	for _, changes := range change {
		for name, value := range changes {
			message[name] = value
			if value == absent {
				delete(message, name)
			}
		}
	}
	return encode(message)
}

// successFile is the message for a collection's _success file.
func (r *run) successFile(collection string) string {
	return r.file(collection, fields{"is_success_file": "true"})
}

// many are messages for files of a collection.
func (r *run) many(count int, collection string, change ...fields) []string {
	var messages []string
	for range count {
		messages = append(messages, r.file(collection, change...))
	}
	return messages
}

// object, escaped and identified are records of an envelope: with an object as body, with a string as body, and with an
// identity.
func object(body string) string  { return `{"body": ` + body + `}` }
func escaped(body string) string { return `{"body": ` + encode(body) + `}` }
func identified(id, body string) string {
	return `{"messageId": ` + encode(id) + `, "body": ` + encode(body) + `}`
}

func envelope(records ...string) string { return `{"Records": ` + list(records...) + `}` }

// delivered is an array of records as Pipes delivers it.
func delivered(records ...string) string { return list(records...) }

func list(elements ...string) string {
	return "[" + strings.Join(elements, ", ") + "]"
}

// encode leaves <, > and & as they are.
func encode(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // only plain values come here
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// request is exactly the request for a collection's _success file, if its messages had no flags.
func (r *run) request(collection string) string { return r.flaggedRequest(collection, true, true) }

func (r *run) flaggedRequest(collection string, shutdown, reprocess bool) string {
	return fmt.Sprintf(`{"shutdown_flag":"%t","correlation_id":"%s","topic_name":%s,"snapshot_type":"full",`+
		`"reprocess_files":"%t","export_date":"%s","send_success_indicator":"true"}`,
		shutdown, r.id, encode(collection), reprocess, exportDate)
}

// allReceived and allSuccessful are the notifications about the run, in exactly the format that monitoring expects.
func (r *run) allReceived() string {
	return r.notification("Full - All collections received by NiFi")
}
func (r *run) allSuccessful() string { return r.notification("Full - All collections successful") }

func (r *run) notification(title string) string {
	return fmt.Sprintf(`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender",`+
		`"title_text":"%s","custom_elements":[{"key":"Export date","value":"%s"},`+
		`{"key":"Correlation Id","value":"%s"}]}`, title, exportDate, r.id)
}
