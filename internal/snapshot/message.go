// Package snapshot is the domain of the status checker: messages, collections, runs, and the rules that decide about
// them.
//
// Its functions are pure: no context, no clock, no I/O. The package's table tests are the specification of the rules.
package snapshot

import (
	"strings"
	"unicode/utf8"
)

// Limits in bytes of UTF-8: those of the export status table's keys
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html: partition key 2048, sort key
// 1024). Fields that are not keys have the sort key's limit.
const (
	MaxCorrelationID  = 2048
	MaxCollectionName = 1024
	maxOther          = 1024
)

// FilenameNotSet is the file name of a message without one (seed document, "SQS message example").
const FilenameNotSet = "NOT_SET"

// CollectionKey names one collection of one run.
type CollectionKey struct {
	CorrelationID  string `json:"correlation_id"`
	CollectionName string `json:"collection_name"`
}

// Export describes the export that a message's file belongs to. The request to the sender and the run's notifications
// repeat it.
type Export struct {
	SnapshotType   string
	ExportDate     string // not always a date: the heartbeat's is NIFI_HEARTBEAT
	ShutdownFlag   bool
	ReprocessFiles bool
}

// Message is one valid file-received message.
type Message struct {
	CollectionKey
	Export
	IsSuccessFile bool   // the collection's _success file rather than one of its data files
	Filename      string // in full; StoredFilename is what receipts and logs keep of it
}

// decisive are the fields that decide how a message counts. A message that repeats one of them is rejected. The file
// name is not among them: it decides only with countBy=file; see CountBy.Validate.
var decisive = []string{"correlation_id", "collection_name", "snapshot_type", "export_date",
	"shutdown_flag", "reprocess_files", "is_success_file"}

// messageOf reads a message in the format of the seed document ("SQS message example"). It ignores unknown fields,
// accepts flags as strings in any case or as JSON booleans, and gives unset optional fields their defaults. The
// Rejection of an invalid message names the field.
func messageOf(fields object) (Message, *Rejection) {
	p := parser{fields: fields, rejection: fields.repeated(decisive...)}
	m := Message{
		CollectionKey: CollectionKey{
			CorrelationID:  p.required("correlation_id", MaxCorrelationID),
			CollectionName: p.required("collection_name", MaxCollectionName),
		},
		Export: Export{
			SnapshotType:   p.required("snapshot_type", maxOther),
			ExportDate:     p.required("export_date", maxOther),
			ShutdownFlag:   p.flag("shutdown_flag", true),
			ReprocessFiles: p.flag("reprocess_files", true),
		},
		IsSuccessFile: p.flag("is_success_file", false),
		Filename:      p.filename(),
	}
	if p.rejection != nil {
		return Message{}, p.rejection
	}
	return m, nil
}

// parser reads fields and remembers the first error.
type parser struct {
	fields    object
	rejection *Rejection
}

func (p *parser) fail(reason Reason, format string, args ...any) {
	if p.rejection == nil {
		p.rejection = reject(reason, format, args...)
	}
}

func (p *parser) required(name string, maxBytes int) string {
	raw := p.fields.get(name)
	value, ok := asString(raw)
	switch {
	case raw == nil:
		p.fail(ReasonFieldMissing, "required field %s is missing", name)
	case isNull(raw):
		p.fail(ReasonFieldMissing, "required field %s is null", name)
	case !ok:
		p.fail(ReasonFieldNotString, "required field %s is not a string", name)
	case value == "":
		p.fail(ReasonFieldMissing, "required field %s is empty", name)
	case len(value) > maxBytes:
		p.fail(ReasonFieldTooLong, "required field %s has %d bytes, at most %d are allowed", name, len(value), maxBytes)
	}
	return value
}

func (p *parser) flag(name string, byDefault bool) bool {
	raw := p.fields.get(name)
	if unset(raw) {
		return byDefault
	}
	text, ok := asString(raw)
	if !ok {
		text = string(raw)
	}
	switch strings.ToLower(text) {
	case "true":
		return true
	case "false":
		return false
	}
	p.fail(ReasonFlagInvalid, "flag %s is neither true nor false", name)
	return byDefault
}

// fileNames are the names of the field for the file name: the seed document's, and the real producer's.
var fileNames = [...]string{"filename", "file_name"}

// filename never rejects; see CountBy.Validate.
func (p *parser) filename() string {
	for _, name := range fileNames {
		if value, ok := asString(p.fields.get(name)); ok && !isBlank(value) && value != FilenameNotSet {
			return value
		}
	}
	return FilenameNotSet
}

// MaxFilename bounds a stored file name, in bytes.
const MaxFilename = maxOther

// StoredFilename is a file name as it is stored: the beginning of a longer one.
func StoredFilename(name string) string { return truncate(name, MaxFilename) }

func truncate(s string, maxBytes int) string {
	if len(s) <= maxBytes {
		return s
	}
	cut := maxBytes
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
