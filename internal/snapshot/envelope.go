package snapshot

import (
	"encoding/json"
	"strconv"
	"time"
)

// Receipt is one message as it came in, whether it can be counted or not.
type Receipt struct {
	Identity  string     // does not change when the message is delivered again
	Raw       string     // the text to keep if the message is rejected: untouched
	Message   Message    // valid only if Rejection is nil
	Digest    string     // of identity and message; set by GroupByCollection
	Rejection *Rejection // why it cannot be counted
	SentAt    time.Time  // when the SQS message was sent; the zero time if nobody says so
}

// maxIdentity bounds an identity that a record brings along, in bytes. SQS message ids have 36.
const maxIdentity = 256

// maxNesting is how deep envelopes may stand in each other. A kept message goes back inside an envelope; it may
// have been an envelope itself, and may be kept and put back again and again.
const maxNesting = 10

// maxRecords bounds what one message may bring in envelopes, since each bad record is kept by a call of its own. It
// refuses no envelope of good records that a pipe delivers: of the shortest that is one, fewer fit into 256 KiB.
const maxRecords = 3000

// Unwrap takes the input of an execution apart into its messages, each judged by itself.
//
// The input is the array of SQS records that EventBridge Pipes delivers, or, if a person started the
// execution, one message in either format of the seed document. executionID identifies messages that come
// without an identity of their own. The identity of a message is its SQS message id; a record inside an
// envelope has its own messageId if it carries one, else the outer identity and its index.
func Unwrap(input []byte, executionID string) []Receipt {
	var records []sqsRecord
	if json.Unmarshal(input, &records) != nil || len(records) == 0 {
		return unwrapMessage(input, string(input), executionID)
	}
	receipts := make([]Receipt, 0, len(records))
	for i, record := range records {
		identity := record.MessageID
		if identity == "" {
			identity = indexed(executionID, i)
		}
		for _, receipt := range record.unwrap(identity) {
			receipt.SentAt = record.sentAt
			receipts = append(receipts, receipt)
		}
	}
	return receipts
}

// sqsRecord is one element of the array that Pipes delivers for an SQS source
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html).
type sqsRecord struct {
	MessageID string
	Body      json.RawMessage
	raw       json.RawMessage
	sentAt    time.Time
}

// UnmarshalJSON never fails on an element, so that one odd element cannot take its neighbours along.
func (r *sqsRecord) UnmarshalJSON(raw []byte) error {
	r.raw = append(r.raw[:0], raw...)
	if fields, rejection := parseObject(raw); rejection == nil {
		r.MessageID, _ = asString(fields["messageId"])
		r.Body = fields["body"]
		r.sentAt = sentAt(fields["attributes"])
	}
	return nil
}

// sentAt reads the SentTimestamp of a record's attributes: milliseconds since 1970, as a string.
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

func (r sqsRecord) unwrap(identity string) []Receipt {
	text, escaped := asString(r.Body)
	switch {
	case escaped && text != "":
		return unwrapMessage([]byte(text), text, identity)
	case escaped, r.Body == nil:
		return unwrapMessage(r.raw, string(r.raw), identity)
	default:
		return unwrapMessage(r.Body, string(r.Body), identity)
	}
}

// unwrapMessage unwraps a message whole or, if it brings too many records, rejects it whole.
func unwrapMessage(text []byte, raw, identity string) []Receipt {
	receipts := unwrapText(text, raw, identity, 0)
	if len(receipts) > maxRecords {
		return []Receipt{{Identity: identity, Raw: raw, Rejection: reject(ReasonTooManyRecords,
			"the envelope has %d records, at most %d are taken; none was counted", len(receipts), maxRecords)}}
	}
	return receipts
}

func unwrapText(text []byte, raw, identity string, nesting int) []Receipt {
	fields, rejection := parseObject(text)
	if rejection != nil {
		return []Receipt{{Identity: identity, Raw: raw, Rejection: rejection}}
	}
	if records, ok := fields["Records"]; ok && nesting < maxNesting {
		return unwrapEnvelope(records, raw, identity, nesting)
	}
	if fields.isRecord() && nesting > 0 {
		return unwrapRecord(text, identity, nesting)
	}
	message, rejection := messageOf(fields)
	return []Receipt{{Identity: identity, Raw: raw, Message: message, Rejection: rejection}}
}

// isRecord tells a record, as which a message of an envelope is kept, from a message: whoever puts a kept
// message back need not know what it was.
func (o object) isRecord() bool {
	_, hasBody := o["body"]
	_, isMessage := o["correlation_id"]
	return hasBody && !isMessage
}

func unwrapEnvelope(list json.RawMessage, raw, identity string, nesting int) []Receipt {
	var records []json.RawMessage
	if json.Unmarshal(list, &records) != nil || len(records) == 0 {
		return []Receipt{{Identity: identity, Raw: raw,
			Rejection: reject(ReasonNoRecords, "field Records is not an array with at least one record")}}
	}
	var receipts []Receipt
	for i, record := range records {
		receipts = append(receipts, unwrapRecord(record, indexed(identity, i), nesting)...)
	}
	return receipts
}

func unwrapRecord(record json.RawMessage, identity string, nesting int) []Receipt {
	rejected := func(rejection *Rejection) []Receipt {
		return []Receipt{{Identity: identity, Raw: string(record), Rejection: rejection}}
	}
	fields, rejection := parseObject(record)
	if rejection != nil {
		return rejected(rejection)
	}
	if own, ok := asString(fields["messageId"]); ok && own != "" && len(own) <= maxIdentity {
		identity = own
	}
	body := fields["body"]
	text, escaped := asString(body)
	switch {
	case body == nil, isNull(body), escaped && text == "":
		return rejected(reject(ReasonNoBody, "the record has no body"))
	case escaped:
		return unwrapText([]byte(text), string(record), identity, nesting+1)
	default:
		return unwrapText(body, string(record), identity, nesting+1)
	}
}

func indexed(identity string, i int) string { return identity + "/" + strconv.Itoa(i) }
