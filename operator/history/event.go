// Package history reads the history of a run from the log lines of the functions, and holds it against the guarantees.
// It is pure: the command snapshot-status passes it the lines of a deployment, and the simulation (test/simulation) the
// lines of the tasks that it runs.
package history

import (
	"time"

	"snapshot-status-checker/internal/snapshot"
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
