package simulation

import (
	"fmt"
	"slices"

	"snapshot-status-checker/internal/snapshot"
)

// message is one SQS message.
type message struct{ id, body string }

// newMessage is a message whose file has the name of its id.
func newMessage(c *collection, id, more string) message { return fileMessage(c, id, id, more) }

func fileMessage(c *collection, id, file, more string) message {
	return message{id: id, body: fmt.Sprintf(
		`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":"2020-01-01","filename":%q%s}`,
		run, c.name, file, more)}
}

// deliver delivers a message as Pipes does, sometimes in one batch with the next one.
func (s *schedule) deliver(m message) {
	if !slices.Contains(s.messages, m) {
		s.messages = append(s.messages, m)
	}
	if s.waiting = append(s.waiting, m); s.chance(0.8) {
		s.receiveBatch()
	}
}

// receiveBatch starts an execution for the waiting messages and, sometimes, a duplicate.
func (s *schedule) receiveBatch() {
	if s.chance(0.1) && len(s.messages) > 0 {
		s.waiting = append(s.waiting, s.messages[s.random.IntN(len(s.messages))])
	}
	var records []map[string]string
	for _, m := range s.waiting {
		records = append(records, map[string]string{"messageId": m.id, "body": m.body, "eventSource": "aws:sqs"})
	}
	s.waiting = nil
	s.startForMessages(encode(records), 1)
}

// replay sends uncounted messages again as a person does: in an envelope, with their identity. Messages that were
// rejected for their content are not replayed, since a wrong rejection must not be hidden.
func (s *schedule) replay() chain {
	var events chain
	var stay []rejected
	for _, k := range append(s.rejected, s.deadLetters...) {
		if k.reason != snapshot.ReasonNotCounted {
			stay = append(stay, k)
			continue
		}
		envelope := encode(map[string]any{"Records": []any{map[string]any{"messageId": k.identity, "body": k.raw}}})
		events = append(events, func() { s.deliver(message{"replayed-" + k.identity, envelope}) })
	}
	s.rejected, s.deadLetters = stay, nil
	return events
}

// onceOrTwice delivers a message once or, sometimes, twice.
func (s *schedule) onceOrTwice(arrival func(), m message) chain {
	if s.chance(0.2) {
		return chain{arrival, func() { s.deliver(m) }}
	}
	return chain{arrival}
}

func (s *schedule) successFile(c *collection) chain {
	m := newMessage(c, fmt.Sprintf("%s-%d-success", c.name, c.export), `,"is_success_file":true`)
	return s.onceOrTwice(func() { c.success = true; s.deliver(m) }, m)
}
