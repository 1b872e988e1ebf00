// Package rejected reads the rejected-messages queue, replays its messages and deletes them.
//
// Receiving a message hides it from other readers for a while. A Reading holds what was received and makes visible
// again what is not needed.
package rejected

import (
	"cmp"
	"encoding/json"
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

// Queues are the rejected-messages queue and the queue to which a replay sends.
type Queues struct {
	SQS          *sqs.Client
	Rejected     string // URL
	FileReceived string // URL
}

// Message is a rejected message.
type Message struct {
	Identity string          `json:"identity"` // the original one, for a replay
	Reason   snapshot.Reason `json:"reason"`   // a code of the runbook
	Detail   string          `json:"detail"`   // the same in a sentence
	SentAt   time.Time       `json:"sent_at"`  // when it was rejected
	Runs     []string        `json:"runs"`     // correlation ids in the text
	// RejectedAgain is why a replay would be rejected again, as far as the text tells; empty if not.
	RejectedAgain string `json:"rejected_again,omitempty"`
	Text          string `json:"-"` // exactly as it was sent

	id     string // of the message in the rejected-messages queue
	handle *string
}

func newMessage(received types.Message) *Message {
	attribute := func(name string) string { return aws.ToString(received.MessageAttributes[name].StringValue) }
	m := &Message{
		Identity: sendable.Original(attribute(delivery.AttrIdentity)),
		Reason:   snapshot.Reason(attribute(delivery.AttrReasonCode)),
		Detail:   attribute(delivery.AttrReason),
		Text:     sendable.Original(aws.ToString(received.Body)),
		id:       aws.ToString(received.MessageId),
		handle:   received.ReceiptHandle,
	}
	sent, err := strconv.ParseInt(received.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err == nil {
		m.SentAt = time.UnixMilli(sent).UTC()
	}
	m.Runs = runsOf(json.RawMessage(m.Text), 0)
	m.RejectedAgain = m.rejectedAgain()
	return m
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
// sent.
func (m *Message) Envelope() string {
	type record struct {
		Identity string `json:"messageId"`
		Body     string `json:"body"`
	}
	return sendable.JSON(struct{ Records []record }{[]record{{m.Identity, m.Text}}})
}

// rejectedAgain reads the envelope as increment will.
func (m *Message) rejectedAgain() string {
	for _, receipt := range snapshot.Unwrap([]byte(m.Envelope()), "") {
		switch own := receipt.Identity == m.Identity || strings.HasPrefix(receipt.Identity, m.Identity+"/"); {
		case m.Identity == "" || !own:
			return "it has no identity of its own: a replay might count twice"
		case receipt.Rejection != nil:
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
