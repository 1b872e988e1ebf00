package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// DebtKind is a kind of outgoing message. Its values stand in the state machine's data.
type DebtKind string

// The kinds of debt: the request to the sender for a collection's _success file, the two pieces of news about
// a whole run, and the sweep's reports about one.
const (
	SuccessFileRequest DebtKind = "SUCCESS_FILE_REQUEST"
	AllReceived        DebtKind = "ALL_RECEIVED"
	AllSuccessful      DebtKind = "ALL_SUCCESSFUL"
	RunStalled         DebtKind = "RUN_STALLED"
	RunLetGo           DebtKind = "RUN_LET_GO"
)

// Debt is one message that is owed: to the sender for an attempt of a collection, or to monitoring for the
// sum of the attempts of a run's collections; a report for the moment (epoch seconds) since when there is
// something to report. Except for requests, CollectionName is empty.
type Debt struct {
	Kind DebtKind `json:"kind"`
	CollectionKey
	Attempt int64 `json:"attempt"`
}

// EventID identifies the message that pays the debt: the same however often it is sent, and different for
// every other debt. It is the deduplication id on a FIFO queue and the attribute event_id elsewhere.
func (d Debt) EventID() string {
	parts := []string{string(d.Kind), strconv.Quote(d.CorrelationID), strconv.Quote(d.CollectionName), strconv.FormatInt(d.Attempt, 10)}
	sum := sha256.Sum256([]byte(strings.Join(parts, " ")))
	return hex.EncodeToString(sum[:])
}
