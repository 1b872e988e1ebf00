// Package history reads the history of a run from the log lines of the functions, and holds it against the guarantees.
// It is pure: the command snapshot-status passes it the lines of a deployment, and the simulation (test/simulation) the
// lines of the tasks that it runs.
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

// Event is something that happened in a run.
type Event interface{ collection() string }

// Line is what the events from log lines have in common.
type Line struct {
	At         time.Time // by the clock of the process that wrote the line
	Execution  string    // of the state machine, or of the sweep
	Collection string    // "" for what is about the whole run
}

func (l Line) collection() string { return l.Collection }

// Digest identifies a message: what it says and its identity.
type Digest [12]byte

// Message is a counted message.
type Message struct {
	FileName string `json:"file_name"`
	Identity string `json:"identity"`
	Digest   []byte `json:"digest"` // as long as a Digest
}

// The events that have log lines.
type (
	// Counted are messages that one call of increment counted.
	Counted struct {
		Line
		Messages []Message
		Epoch    *int64 // of the row after the count, nil if that is not adopted or gone
	}
	// Moved is one move of a collection by check-collection.
	Moved struct {
		Line
		From, To snapshot.Status
		Epoch    int64
	}
	// Checked is the row that a reconciliation found or left. The status is empty if the row is gone.
	Checked struct {
		Line
		Status snapshot.Status
		Epoch  int64
	}
	// Sent is a request, notification or alert that was sent and marked delivered.
	Sent struct {
		Line
		snapshot.Outgoing
		EventID string
	}
)

// Overwritten is a change of a row's status by another system. It has no log line: only the simulation knows it.
type Overwritten struct {
	Collection string
	To         snapshot.Status
}

func (o Overwritten) collection() string { return o.Collection }

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
