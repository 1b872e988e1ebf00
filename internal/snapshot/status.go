package snapshot

import "strings"

// Status is the CollectionStatus of a row. Other systems write it too, in title case or in capitals: compare it with Is
// and write it with As.
type Status string

// The statuses that this system reads or writes. Every other status means "not done yet".
const (
	Sent     Status = "Sent"     // by the sender: all files are sent and FilesSent is final
	Received Status = "Received" // every file was received
	Success  Status = "Success"  // the _success file was received too
)

// Is compares two statuses, ignoring the case of ASCII letters as the pipe's filters do: ſent is not Sent. One of the
// two must be ASCII; a text of the same length that folds to it is ASCII too.
func (s Status) Is(other Status) bool {
	return len(s) == len(other) && strings.EqualFold(string(s), string(other))
}

// As spells the status in the case of the status that it replaces: SENT → RECEIVED, Sent → Received.
func (s Status) As(old Status) Status {
	upper, lower := strings.ToUpper(string(old)), strings.ToLower(string(old))
	switch string(old) {
	case "":
		return s
	case upper:
		return Status(strings.ToUpper(string(s)))
	case lower:
		return Status(strings.ToLower(string(s)))
	}
	return s
}

// AtLeast reports whether a collection in this status has reached the wanted one, Received or Success. Exempt statuses
// have reached both.
func (s Status) AtLeast(wanted Status, exempt []Status) bool {
	for _, e := range exempt {
		if s.Is(e) {
			return true
		}
	}
	return s.Is(wanted) || s.Is(Success) && wanted == Received
}
