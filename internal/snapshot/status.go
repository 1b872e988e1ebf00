package snapshot

import "strings"

// Status is the CollectionStatus of a row of the export status table. Other systems write it too, in title
// case or in capitals, so compare with Is and write with As.
type Status string

// The statuses that this system reads or writes. Every other one only means "not done yet".
const (
	Sent     Status = "Sent"     // by the sender: all files are on their way and FilesSent is final
	Received Status = "Received" // every file has arrived
	Success  Status = "Success"  // the _success file has arrived too
)

// Is reports whether two statuses are the same without regard to the case of ASCII letters, as the pipe's filters
// compare them: ſent is not Sent. One of the two is ASCII; what folds to it, and is as long, is ASCII too.
func (s Status) Is(other Status) bool {
	return len(s) == len(other) && strings.EqualFold(string(s), string(other))
}

// As spells the status in the case of the one that it takes the place of: SENT → RECEIVED, Sent → Received.
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

// AtLeast reports whether a collection in this status is received, respectively successful, or further.
// Only Success is further than Received; exempt statuses count as done for both.
func (s Status) AtLeast(wanted Status, exempt []Status) bool {
	for _, e := range exempt {
		if s.Is(e) {
			return true
		}
	}
	return s.Is(wanted) || s.Is(Success) && wanted == Received
}
