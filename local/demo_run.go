package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"snapshot-status-checker/internal/snapshot"
)

// run is what the demo sends, and what must come of it.
type run struct {
	correlationID string
	collections   []collection
	first         []outgoing // sent first, shuffled; then the status of those that are sentLast is written
	late          []outgoing // sent when all collections but the last have succeeded
	afterwards    []outgoing // sent when all is over: must change nothing
}

type collection struct {
	name   string
	status string // as the sender writes it
	files  int
	// withoutCounter: the row has no FilesReceived yet.
	withoutCounter bool
	// sentLast: the sender writes the status only when the last file has arrived, so that no message follows it.
	sentLast bool
}

// wantStatus is Success in the case that the row uses.
func (c collection) wantStatus() string {
	if c.status == strings.ToUpper(c.status) {
		return "SUCCESS"
	}
	return "Success"
}

// outgoing is the text of one SQS message, and what of it must be rejected.
type outgoing struct {
	text    string
	rejects []reject
}

// reject is a message that must be kept in the rejected-messages queue. Without an identity it is the SQS message's.
type reject struct {
	reason   snapshot.Reason
	identity string
}

type fields map[string]any

const (
	snapshotType = "incremental"
	exportDate   = "2026-11-23"
)

// newRun plans a run. Its last collection's last file is late, and the one before is sentLast.
func newRun(correlationID string, collections, files int) *run {
	r := &run{correlationID: correlationID}
	for i := range collections {
		c := collection{
			name: fmt.Sprintf("db.%s.collection-%03d", correlationID, i), status: "Sent", files: files,
			withoutCounter: i%3 == 1, sentLast: i == collections-2,
		}
		if i == min(2, collections-1) {
			c.status = "SENT"
		}
		r.collections = append(r.collections, c)
		for file := range files {
			text := asText(r.file(c, file))
			switch {
			case i == collections-1 && file == files-1:
				r.late = append(r.late, outgoing{text: text})
			case file%4 == 1: // every fourth comes in an envelope, its body as an object …
				r.first = append(r.first, envelope(record(r.identity(i, file), r.file(c, file))))
			case file%4 == 3: // … or as an escaped string
				r.first = append(r.first, envelope(record(r.identity(i, file), text)))
			default:
				r.first = append(r.first, outgoing{text: text})
			}
		}
	}
	r.addDuplicates()
	r.addMalformed()
	rand.Shuffle(len(r.first), func(i, j int) { r.first[i], r.first[j] = r.first[j], r.first[i] })
	return r
}

// file is the message of a collection's file, with its flags in every spelling.
func (r *run) file(c collection, number int) fields {
	message := fields{
		"correlation_id": r.correlationID, "collection_name": c.name,
		"snapshot_type": snapshotType, "export_date": exportDate,
	}
	name := fmt.Sprintf("%s/%s-%05d.txt.gz.enc", exportDate, c.name, number)
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

// successFile is the message of the _success file that the sender sends on request.
func (r *run) successFile(collectionName string) string {
	return asText(fields{
		"correlation_id": r.correlationID, "collection_name": collectionName, "snapshot_type": snapshotType,
		"export_date": exportDate, "is_success_file": "true", "filename": "_" + collectionName + "_success",
	})
}

// identity is that of a file's message inside an envelope.
func (r *run) identity(collection, file int) string {
	return fmt.Sprintf("%s-%d-%d", r.correlationID, collection, file)
}

// addDuplicates makes the first collection's first file come under one identity and many times: twice in one envelope,
// again by itself, and again when all is over.
func (r *run) addDuplicates() {
	c := r.collections[0]
	if len(r.collections) == 1 && c.files == 1 {
		return // its only file is the late one
	}
	again := record(r.identity(0, 0), r.file(c, 0))
	for i, sent := range r.first {
		if sent.text == asText(r.file(c, 0)) {
			r.first[i] = envelope(again, again)
		}
	}
	r.first = append(r.first, envelope(again))
	r.afterwards = append(r.afterwards, envelope(again))
	other := record(r.identity(0, 0), r.file(c, 7000))
	r.late = append(r.late, envelope(other).rejected(snapshot.ReasonIdentityReused, r.identity(0, 0)))
}

// addMalformed adds a message for every reason to reject one, alone or beside a good neighbour.
func (r *run) addMalformed() {
	broken := func(field string, value any) fields {
		message := r.file(r.collections[0], 9000)
		if message[field] = value; value == nil {
			delete(message, field)
		}
		return message
	}
	plain := func(text string, reason snapshot.Reason) {
		r.first = append(r.first, outgoing{text: text}.rejected(reason, ""))
	}
	plain("this is not JSON: "+r.correlationID, snapshot.ReasonNotJSON)
	plain(asText([]string{r.correlationID}), snapshot.ReasonNotAnObject)
	plain(asText(fields{"Records": []any{}, "correlation_id": r.correlationID}), snapshot.ReasonNoRecords)
	plain(asText(broken("export_date", nil)), snapshot.ReasonFieldMissing)
	plain(asText(broken("collection_name", strings.Repeat("x", snapshot.MaxCollectionName+1))), snapshot.ReasonFieldTooLong)
	plain(asText(broken("collection_name", "db.not.there")), snapshot.ReasonUnknownCollection)

	number, flag, empty := r.correlationID+"-number", r.correlationID+"-flag", r.correlationID+"-empty"
	r.first = append(r.first, envelope(
		record(number, broken("snapshot_type", 1)),
		record(flag, broken("shutdown_flag", "perhaps")),
		fields{"messageId": empty},
	).rejected(snapshot.ReasonFieldNotString, number).
		rejected(snapshot.ReasonFlagInvalid, flag).
		rejected(snapshot.ReasonNoBody, empty))
}

func (m outgoing) rejected(reason snapshot.Reason, identity string) outgoing {
	m.rejects = append(m.rejects, reject{reason, identity})
	return m
}

func record(identity string, body any) fields { return fields{"messageId": identity, "body": body} }

func envelope(records ...fields) outgoing { return outgoing{text: asText(fields{"Records": records})} }

func asText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // nothing here but strings, numbers and booleans
	}
	return string(text)
}
