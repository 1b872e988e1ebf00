// Package rejected reads the rejected-messages queue or the file-received queue's dead-letter queue, replays its
// messages and deletes them.
//
// Receiving a message hides it from other readers for a while. A Reading holds what was received and makes visible
// again what is not needed.
package rejected

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/delivery/sendable"
	"snapshot-status-checker/internal/snapshot"
)

// Queues are the queue that is read and the queue to which a replay sends.
type Queues struct {
	SQS          *sqs.Client
	Rejected     string           // URL of the rejected-messages queue or, see DeadLetters, of the dead-letter queue
	FileReceived string           // URL
	CountBy      snapshot.CountBy // the deployment's setting: what a replay would be rejected for

	source string // ARN of the file-received queue if the queue that is read is its dead-letter queue
}

// Message is a rejected message or a dead letter.
type Message struct {
	Identity string          `json:"identity"` // the original one, for a replay; of a dead letter its SQS message id
	Reason   snapshot.Reason `json:"reason"`   // a code of the runbook; a dead letter has none
	Detail   string          `json:"detail"`   // the same in a sentence; of a dead letter its receives
	SentAt   time.Time       `json:"sent_at"`  // when it was rejected; of a dead letter when it was sent
	Runs     []string        `json:"runs"`     // correlation ids in the text
	// RejectedAgain is why a replay would be rejected again, as far as the text tells; empty if not.
	RejectedAgain string `json:"rejected_again,omitempty"`
	// Receives is how often SQS delivered a dead letter, readings of the dead-letter queue included; approximate.
	Receives        int        `json:"receives,omitempty"`
	FirstReceivedAt *time.Time `json:"first_received_at,omitempty"` // of a dead letter
	Text            string     `json:"-"`                           // exactly as it was sent

	dead       bool
	identified bool   // a dead letter whose text gives each of its messages an identity of its own
	id         string // of the message in the queue that is read
	handle     *string
}

// systemAttributes are those of both kinds of messages.
var systemAttributes = []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp,
	types.MessageSystemAttributeNameApproximateReceiveCount,
	types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp,
	types.MessageSystemAttributeNameDeadLetterQueueSourceArn}

// newMessage reads a message that was rejected with its reason, or a dead letter, which nothing rejected.
func (q Queues) newMessage(received types.Message) *Message {
	m := &Message{id: aws.ToString(received.MessageId), handle: received.ReceiptHandle, dead: q.source != "",
		Text: aws.ToString(received.Body)}
	m.SentAt, _ = timeOf(received, types.MessageSystemAttributeNameSentTimestamp)
	if m.dead {
		m.Identity, m.identified = m.id, identifies(m.Text)
		m.Receives, _ = strconv.Atoi(
			received.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
		m.Detail = fmt.Sprintf("receives: %d", m.Receives)
		first, given := timeOf(received, types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp)
		if given {
			m.FirstReceivedAt = &first
			m.Detail += ", the first at " + first.Format(time.DateTime) + " UTC"
		}
	} else {
		attribute := func(name string) string { return aws.ToString(received.MessageAttributes[name].StringValue) }
		m.Identity, m.Text = sendable.Original(attribute(delivery.AttrIdentity)), sendable.Original(m.Text)
		m.Reason, m.Detail = snapshot.Reason(attribute(delivery.AttrReasonCode)), attribute(delivery.AttrReason)
	}
	m.Runs, m.RejectedAgain = runsOf(json.RawMessage(m.Text), 0), m.rejectedAgain(q.CountBy)
	return m
}

// timeOf reads an attribute in milliseconds since 1970, and reports whether SQS gave one.
func timeOf(received types.Message, name types.MessageSystemAttributeName) (at time.Time, given bool) {
	milliseconds, err := strconv.ParseInt(received.Attributes[string(name)], 10, 64)
	if err != nil || milliseconds == 0 {
		return time.Time{}, false
	}
	return time.UnixMilli(milliseconds).UTC(), true
}

// Group are the messages with one reason.
type Group struct {
	Reason   snapshot.Reason `json:"reason"`
	Messages int             `json:"messages"`
	Oldest   time.Time       `json:"oldest"` // when its oldest message was rejected
	Runs     []string        `json:"runs"`
}

// ByReason groups messages, of which the oldest come first: the largest group first.
func ByReason(messages []*Message) []Group {
	groups := []Group{}
	for _, m := range messages {
		at := slices.IndexFunc(groups, func(g Group) bool { return g.Reason == m.Reason })
		if at < 0 {
			at = len(groups)
			groups = append(groups, Group{Reason: m.Reason, Oldest: m.SentAt, Runs: []string{}})
		}
		group := &groups[at]
		group.Messages++
		for _, run := range m.Runs {
			if !slices.Contains(group.Runs, run) {
				group.Runs = append(group.Runs, run)
			}
		}
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Compare(b.Messages, a.Messages) })
	return groups
}

// Envelope is what a replay sends: the text with its original identity, so that it counts once however often it is
// sent. A replay that became a dead letter is sent as it is: an envelope around it would escape its text once more, and
// after some replays neither the queue nor increment would accept it.
func (m *Message) Envelope() string {
	if m.identified {
		return m.Text
	}
	type record struct {
		Identity string `json:"messageId"`
		Body     string `json:"body"`
	}
	return sendable.JSON(struct{ Records []record }{[]record{{m.Identity, m.Text}}})
}

// placeholder stands for an identity that SQS will give. It begins no identity of a message.
const placeholder = "\x00placeholder"

// identifies reports whether a text, as the body of an SQS message, gives each of its messages an identity that does
// not depend on the SQS message id.
func identifies(text string) bool {
	delivered := sendable.JSON([]map[string]string{{"messageId": placeholder, "body": text}})
	return !slices.ContainsFunc(snapshot.Unwrap([]byte(delivered), placeholder), dependsOnSQS)
}

func dependsOnSQS(receipt snapshot.Receipt) bool {
	return strings.HasPrefix(receipt.Identity, placeholder)
}

// rejectedAgain reads the envelope as increment will. An identity that follows from the envelope's own is new with each
// replay; others are the message's, or those of the records in its text.
func (m *Message) rejectedAgain(by snapshot.CountBy) string {
	for _, receipt := range by.Validate(snapshot.Unwrap([]byte(m.Envelope()), placeholder)) {
		switch {
		case receipt.Rejection == nil:
		case receipt.Rejection.Reason == snapshot.ReasonIdentityInvalid && dependsOnSQS(receipt):
			return "it has no identity of its own: a replay might count twice"
		default:
			return receipt.Rejection.Error()
		}
	}
	return ""
}

// deepest is how deep envelopes may be nested; increment reads no deeper.
const deepest = 10

// runsOf finds the correlation ids in a text or its records, each once.
func runsOf(text json.RawMessage, depth int) []string {
	runs := []string{}
	var escaped string
	if json.Unmarshal(text, &escaped) == nil {
		text = json.RawMessage(escaped)
	}
	var fields map[string]json.RawMessage
	if depth > deepest || json.Unmarshal(text, &fields) != nil {
		return runs
	}
	var run string
	if json.Unmarshal(fields["correlation_id"], &run) == nil && run != "" {
		return append(runs, run)
	}
	var inside []json.RawMessage
	_ = json.Unmarshal(fields["Records"], &inside)
	if body, ok := fields["body"]; ok {
		inside = append(inside, body)
	}
	for _, part := range inside {
		for _, run := range runsOf(part, depth+1) {
			if !slices.Contains(runs, run) {
				runs = append(runs, run)
			}
		}
	}
	return runs
}
