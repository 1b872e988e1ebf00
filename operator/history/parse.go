package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/telemetry/logging"
)

// Tasks are the tasks whose functions log the lines.
var Tasks = []string{"increment", "check-collection", "notify", "sweep"}

// line has the keys of package logging that tell a run's history.
type line struct {
	Message       string          `json:"message"`
	Timestamp     time.Time       `json:"timestamp"`
	CorrelationID string          `json:"correlation_id"`
	Collection    string          `json:"collection_name"`
	Execution     string          `json:"execution_id"`
	Messages      []Message       `json:"messages"`
	Epoch         *int64          `json:"epoch"`
	Status        snapshot.Status `json:"status"`
	From          snapshot.Status `json:"from_status"`
	To            snapshot.Status `json:"to_status"`
	Kind          snapshot.Kind   `json:"kind"`
	Version       *int64          `json:"version"`
	EventID       string          `json:"event_id"`
}

// Parse reads a log line. The event is nil if the line tells nothing of the run's history. A line of the run that
// should and cannot be read is an error: another version of the functions wrote it.
func Parse(run string, text []byte) (Event, error) {
	// In the text of a value the quotes of this key would be escaped.
	_, message, _ := bytes.Cut(text, []byte(`"message":"`))
	if message, _, _ = bytes.Cut(message, []byte(`"`)); !Tells(string(message)) {
		return nil, nil
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("reading a log line: %w", err)
	}
	if l.CorrelationID != run {
		return nil, nil
	}
	event, err := l.event()
	if err != nil {
		return nil, fmt.Errorf("reading a log line %q: %w", l.Message, err)
	}
	return event, nil
}

// Tells reports whether the lines with this message tell a run's history.
func Tells(message string) bool {
	switch message {
	case logging.Counted, logging.Moved, logging.Checked, logging.Delivered, logging.Alerted:
		return true
	}
	return false
}

func (l line) event() (Event, error) {
	at := Line{l.Timestamp, l.Execution, l.Collection}
	switch l.Message {
	case logging.Counted:
		for _, message := range l.Messages {
			if len(message.Digest) != len(Digest{}) {
				return nil, errors.New("a message has no digest")
			}
		}
		return Counted{at, l.Messages, l.Epoch}, nil
	case logging.Moved, logging.Checked:
		if l.Epoch == nil {
			return nil, errors.New("it has no epoch")
		}
		if l.Message == logging.Moved {
			return Moved{at, l.From, l.To, *l.Epoch}, nil
		}
		return Checked{at, l.Status, *l.Epoch}, nil
	default:
		if l.Version == nil {
			return nil, errors.New("it has no version")
		}
		key := snapshot.CollectionKey{CorrelationID: l.CorrelationID, CollectionName: l.Collection}
		return Sent{at, snapshot.Outgoing{Kind: l.Kind, CollectionKey: key, Version: *l.Version}, l.EventID}, nil
	}
}
