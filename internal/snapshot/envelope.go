package snapshot

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Receipt is one received message, valid or not.
type Receipt struct {
	Identity  string     // the same at every delivery of the message
	Raw       string     // the text for the rejected-messages queue, unchanged
	Message   Message    // valid only if Rejection is nil
	Digest    string     // of identity and message; set by GroupByCollection
	Rejection *Rejection // why it cannot be counted
	Unnamed   *Rejection // why it cannot be counted by its file name, nil if it can; see CountBy.Validate
	SentAt    time.Time  // when the SQS message was sent; the zero time if unknown
}

// MaxIdentity bounds an identity, in bytes. The longest identity that this system makes has about 300 bytes (an
// execution's ARN and an index for each envelope), so every rejected message can be replayed under its identity.
const MaxIdentity = 512

// maxNesting bounds the depth of envelopes inside envelopes. Each replay of a rejected message adds one.
const maxNesting = 10

// maxRecords bounds the records of one message, because each bad record is rejected by a call of its own. Fewer valid
// records than that fit into the 256 KiB that a pipe delivers.
const maxRecords = 3000

// Unwrap splits an execution's input into its messages and checks each by itself.
//
// The input is the array of SQS records that EventBridge Pipes delivers, or one message in either format of the seed
// document if a person started the execution.
//
// The identity of a message is its SQS message id. A record inside an envelope has its own messageId or, without one,
// the outer identity and its index. Messages of an execution that a person started have executionID and their index.
// A record with an invalid messageId is rejected: under a substitute identity it could count twice.
func Unwrap(input []byte, executionID string) []Receipt {
	var receipts []Receipt
	if json.Valid(input) {
		for i, record := range elements(input) {
			receipts = append(receipts, unwrapDelivered(record, indexed(executionID, i))...)
		}
	}
	if len(receipts) == 0 {
		return unwrapMessage(input, string(input), executionID)
	}
	return receipts
}

// unwrapDelivered unwraps one element of the array that Pipes delivers for an SQS source
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html).
func unwrapDelivered(record json.RawMessage, place string) []Receipt {
	fields, identity, rejection := openRecord(record, place)
	body := fields.get("body")
	text, escaped := asString(body)
	var receipts []Receipt
	switch {
	case rejection != nil:
		receipts = rejected(identity, string(record), rejection)
	case text != "":
		receipts = unwrapMessage([]byte(text), text, identity)
	case escaped, body == nil:
		receipts = unwrapMessage(record, string(record), identity)
	default:
		receipts = unwrapMessage(body, string(body), identity)
	}
	sent := sentAt(fields.get("attributes"))
	for i := range receipts {
		receipts[i].SentAt = sent
	}
	return receipts
}

// rejected is a message that cannot be counted.
func rejected(identity, raw string, rejection *Rejection) []Receipt {
	return []Receipt{{Identity: identity, Raw: raw, Rejection: rejection}}
}

// openRecord reads a record's fields and its identity: its own, or else place.
func openRecord(record json.RawMessage, place string) (fields object, identity string, rejection *Rejection) {
	if fields, rejection = objectOf(record); rejection != nil {
		return nil, place, rejection
	}
	if identity, rejection = fields.identity(place); rejection != nil {
		return fields, place, rejection
	}
	return fields, identity, fields.repeated("body")
}

// identity is the record's messageId, or other if messageId is absent or null.
func (o object) identity(other string) (string, *Rejection) {
	const name = "messageId"
	if rejection := o.repeated(name); rejection != nil {
		return other, rejection
	}
	raw := o.get(name)
	if raw == nil || isNull(raw) {
		return other, nil
	}
	own, ok := asString(raw)
	switch {
	case !ok:
		return other, reject(ReasonIdentityInvalid, "%s is not a string", name)
	case strings.ContainsRune(own, utf8.RuneError):
		return other, reject(ReasonIdentityInvalid,
			"%s contains U+FFFD or an invalid character that is read as U+FFFD: it may not be unique", name)
	case isBlank(own):
		return other, reject(ReasonIdentityInvalid,
			"%s is %q: omit it if the record has no identity of its own", name, own)
	case len(own) > MaxIdentity:
		return other, reject(ReasonIdentityInvalid,
			"%s has %d bytes, at most %d are allowed", name, len(own), MaxIdentity)
	}
	return own, nil
}

// sentAt reads SentTimestamp from a record's attributes: milliseconds since 1970, as a string.
func sentAt(attributes json.RawMessage) time.Time {
	var sent struct{ SentTimestamp string }
	if json.Unmarshal(attributes, &sent) != nil {
		return time.Time{}
	}
	milliseconds, err := strconv.ParseInt(sent.SentTimestamp, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds).UTC()
}

// unwrapMessage unwraps a message, or rejects it whole if it has too many records.
func unwrapMessage(text []byte, raw, identity string) []Receipt {
	receipts := unwrapText(text, raw, identity, 0)
	if len(receipts) > maxRecords {
		return rejected(identity, raw, reject(ReasonTooManyRecords,
			"the envelope has %d records, at most %d are allowed; none was counted", len(receipts), maxRecords))
	}
	return receipts
}

func unwrapText(text []byte, raw, identity string, nesting int) []Receipt {
	fields, rejection := parseObject(text)
	if rejection == nil {
		rejection = fields.repeated("Records")
	}
	if rejection != nil {
		return rejected(identity, raw, explained(rejection, text))
	}
	if fields.isEnvelope() && nesting < maxNesting {
		return unwrapEnvelope(fields, raw, identity, nesting)
	}
	if fields.isRecord() && nesting > 0 {
		return unwrapRecord(text, identity, nesting)
	}
	message, rejection := messageOf(fields)
	if rejection != nil {
		rejection = explained(rejection, text)
	}
	return []Receipt{{Identity: identity, Raw: raw, Message: message, Rejection: rejection, Unnamed: fields.unnamed()}}
}

// isRecord distinguishes a record of an envelope from a message. A rejected text may be either, and a replay wraps both
// the same way.
func (o object) isRecord() bool { return o.get("body") != nil && !o.isMessage() }

func (o object) isMessage() bool { return o.get("correlation_id") != nil }

// isEnvelope distinguishes an envelope from a message, which may have an unset field Records.
func (o object) isEnvelope() bool {
	records := o.get("Records")
	return records != nil && !(o.isMessage() && unset(records))
}

func unwrapEnvelope(fields object, raw, identity string, nesting int) []Receipt {
	var receipts []Receipt
	for i, record := range elements(fields.get("Records")) {
		place := indexed(identity, i)
		if len(place) > MaxIdentity {
			return rejected(identity, raw, reject(ReasonIdentityInvalid,
				"messageId and the records' indexes exceed %d bytes", MaxIdentity))
		}
		receipts = append(receipts, unwrapRecord(record, place, nesting)...)
	}
	if len(receipts) == 0 {
		return rejected(identity, raw,
			reject(ReasonNoRecords, "field Records is not an array with at least one record"))
	}
	return receipts
}

func unwrapRecord(record json.RawMessage, place string, nesting int) []Receipt {
	fields, identity, rejection := openRecord(record, place)
	body := fields.get("body")
	text, escaped := asString(body)
	switch {
	case rejection != nil:
		return rejected(identity, string(record), rejection)
	case body == nil, isNull(body), escaped && text == "":
		return rejected(identity, string(record),
			explained(reject(ReasonNoBody, "the record has no body"), record))
	case escaped:
		return unwrapText([]byte(text), string(record), identity, nesting+1)
	}
	return unwrapText(body, string(record), identity, nesting+1)
}

func indexed(identity string, i int) string { return identity + "/" + strconv.Itoa(i) }
