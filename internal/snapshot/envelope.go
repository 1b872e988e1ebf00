package snapshot

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Receipt is one message as it came in, whether it can be counted or not.
type Receipt struct {
	Identity  string     // does not change when the message is delivered again
	Raw       string     // the text to send to the rejected-messages queue: untouched
	Message   Message    // valid only if Rejection is nil
	Digest    string     // of identity and message; set by GroupByCollection
	Rejection *Rejection // why it cannot be counted
	SentAt    time.Time  // when the SQS message was sent; the zero time if nobody says so
}

// MaxIdentity bounds an identity, in bytes. The longest that this system makes itself has about 300: an execution's ARN
// and an index for each envelope. So what is rejected can always be replayed under its identity.
const MaxIdentity = 512

// maxNesting is how deep envelopes may stand in each other. A rejected message is replayed inside an envelope; it may
// have been an envelope itself, and may be rejected and replayed again and again.
const maxNesting = 10

// maxRecords bounds what one message may bring in envelopes, since each bad record is rejected by a call of its own. It
// refuses no envelope of good records that a pipe delivers: of the shortest that is one, fewer fit into 256 KiB.
const maxRecords = 3000

// Unwrap takes the input of an execution apart into its messages, each judged by itself.
//
// The input is the array of SQS records that EventBridge Pipes delivers, or, if a person started the
// execution, one message in either format of the seed document. executionID identifies messages that come
// without an identity of their own. The identity of a message is its SQS message id; a record inside an
// envelope has its own messageId if it carries one, else the outer identity and its index.
//
// A messageId that cannot be an identity rejects its record under the outer identity and its index, since another one
// in its place would let the same record count twice. Absent or null, it is unset.
func Unwrap(input []byte, executionID string) []Receipt {
	if !json.Valid(input) || kindOf(input) != '[' {
		return unwrapMessage(input, string(input), executionID)
	}
	var receipts []Receipt
	i := 0
	for _, record := range members(input) {
		receipts = append(receipts, unwrapDelivered(record, indexed(executionID, i))...)
		i++
	}
	if i == 0 {
		return unwrapMessage(input, string(input), executionID)
	}
	return receipts
}

// unwrapDelivered unwraps one element of the array that Pipes delivers for an SQS source
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html). An odd element takes no neighbour
// along.
func unwrapDelivered(record json.RawMessage, place string) []Receipt {
	fields, identity, rejection := openRecord(record, place)
	receipts := []Receipt{{Identity: identity, Raw: string(record), Rejection: rejection}}
	if rejection == nil {
		body := fields.get("body")
		text, escaped := asString(body)
		switch {
		case escaped && text != "":
			receipts = unwrapMessage([]byte(text), text, identity)
		case escaped, body == nil:
			receipts = unwrapMessage(record, string(record), identity)
		default:
			receipts = unwrapMessage(body, string(body), identity)
		}
	}
	sent := sentAt(fields.get("attributes"))
	for i := range receipts {
		receipts[i].SentAt = sent
	}
	return receipts
}

// openRecord reads a record's fields and its identity, which is that of its place unless it has one of its own.
func openRecord(record json.RawMessage, place string) (fields object, identity string, rejection *Rejection) {
	if fields, rejection = objectOf(record); rejection != nil {
		return nil, place, rejection
	}
	if identity, rejection = fields.identity(place); rejection != nil {
		return fields, place, rejection
	}
	return fields, identity, fields.repeated("body")
}

// identity is a record's own messageId, or the other one if it is absent or null.
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
			"%s holds U+FFFD, or what is no character and is read as U+FFFD: others may be read as the same", name)
	case saysNothing(own):
		return other, reject(ReasonIdentityInvalid,
			"%s is %q: leave it out if the record has no identity of its own", name, own)
	case len(own) > MaxIdentity:
		return other, reject(ReasonIdentityInvalid,
			"%s has %d bytes, at most %d are possible", name, len(own), MaxIdentity)
	}
	return own, nil
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
	if rejection == nil {
		rejection = fields.repeated("Records")
	}
	if rejection != nil {
		return []Receipt{{Identity: identity, Raw: raw, Rejection: rejection}}
	}
	if fields.isEnvelope() && nesting < maxNesting {
		return unwrapEnvelope(fields, raw, identity, nesting)
	}
	if fields.isRecord() && nesting > 0 {
		return unwrapRecord(text, identity, nesting)
	}
	message, rejection := messageOf(fields)
	return []Receipt{{Identity: identity, Raw: raw, Message: message, Rejection: rejection}}
}

// isRecord tells a record, as which a message of an envelope is rejected, from a message: a replay need not know what a
// rejected message was.
func (o object) isRecord() bool { return o.get("body") != nil && !o.isMessage() }

func (o object) isMessage() bool { return o.get("correlation_id") != nil }

// isEnvelope tells an envelope from a message, in which Records may be unset.
func (o object) isEnvelope() bool {
	records := o.get("Records")
	return records != nil && !(o.isMessage() && unset(records))
}

func unwrapEnvelope(fields object, raw, identity string, nesting int) []Receipt {
	rejected := func(rejection *Rejection) []Receipt {
		return []Receipt{{Identity: identity, Raw: raw, Rejection: rejection}}
	}
	var receipts []Receipt
	i := 0
	if list := fields.get("Records"); kindOf(list) == '[' {
		for _, record := range members(list) {
			receipts = append(receipts, unwrapRecord(record, indexed(identity, i), nesting)...)
			i++
		}
	}
	if i == 0 {
		return rejected(reject(ReasonNoRecords, "field Records is not an array with at least one record"))
	}
	if len(indexed(identity, i)) > MaxIdentity {
		return rejected(reject(ReasonIdentityInvalid,
			"the messageId leaves no room for the records' indexes in %d bytes", MaxIdentity))
	}
	return receipts
}

func unwrapRecord(record json.RawMessage, place string, nesting int) []Receipt {
	fields, identity, rejection := openRecord(record, place)
	rejected := func(rejection *Rejection) []Receipt {
		return []Receipt{{Identity: identity, Raw: string(record), Rejection: rejection}}
	}
	if rejection != nil {
		return rejected(rejection)
	}
	body := fields.get("body")
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
