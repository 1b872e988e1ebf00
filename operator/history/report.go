package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// Report is the result of a check.
type Report struct {
	Examined Counts `json:"examined"`
	// Violations contradict a guarantee.
	Violations []Remark `json:"violations"`
	// Notes are what a guarantee allows, and what the lines do not show.
	Notes []Remark `json:"notes"`
}

// Remark is about a collection, or about the run.
type Remark struct {
	Collection string `json:"collection,omitempty"`
	Sentence   string `json:"sentence"`
	More       int    `json:"more"` // remarks of the same kind about the same collection, or the run
}

// String is the remark in one line.
func (r Remark) String() string {
	text := r.Sentence
	if r.Collection != "" {
		text = r.Collection + ": " + text
	}
	if r.More > 0 {
		text += fmt.Sprintf(" (and %d more like this)", r.More)
	}
	return text
}

// rule is the kind of a remark.
type rule int

const (
	countedTwice rule = iota
	notStored
	wrongMove
	movedTwice
	wrongID
	sentTwice
	requestBeforeMove
	notifiedBeforeMove
	noLine
)

type ruleOf struct {
	rule
	collection string
}

// remarks has one Remark for each rule and collection, however often it is broken. Of several sentences it is the
// first by the alphabet, in whatever order the events came.
type remarks map[ruleOf]Remark

func (f remarks) add(r rule, collection, format string, args ...any) {
	key, found := ruleOf{r, collection}, Remark{Collection: collection, Sentence: fmt.Sprintf(format, args...)}
	if other, known := f[key]; known {
		found.Sentence, found.More = min(found.Sentence, other.Sentence), other.More+1
	}
	f[key] = found
}

func (f remarks) sorted() []Remark {
	sorted := slices.AppendSeq([]Remark{}, maps.Values(f))
	slices.SortFunc(sorted, func(a, b Remark) int {
		return cmp.Or(cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.Sentence, b.Sentence))
	})
	return sorted
}

// tolerance is longer than any call of a function (30 s, the sweep 120 s) with the difference of two clocks. Of two
// lines that are farther apart, the later one's call began after the earlier line.
const tolerance = 3 * time.Minute

// Broken is a violation that no later event can explain, "" without one. It is cheap.
func (c *Checker) Broken() string {
	for _, found := range c.found {
		return found.String()
	}
	return ""
}

// Report checks all events so far. More may be added afterwards.
func (c *Checker) Report() Report {
	violations, notes := maps.Clone(c.found), remarks{}
	c.checkMessages(violations, notes)
	c.checkMoves(notes)
	for out, sent := range c.sends {
		if len(sent) > 1 && !c.knows.Calm {
			checkRepeated(out, sent, violations, notes)
		}
		if out.Kind == snapshot.SuccessFileRequest {
			c.checkRequest(out, sent, violations, notes)
		}
	}
	for _, kind := range snapshot.Notifications {
		c.checkNotifications(kind, violations, notes)
	}
	return Report{Examined: c.counts, Violations: violations.sorted(), Notes: notes.sorted()}
}

// checkMessages compares the messages that the lines show as counted with the receipts.
func (c *Checker) checkMessages(violations, notes remarks) {
	unlogged, unstored := make([]int, len(c.names)), make([]int, len(c.names))
	for _, m := range c.messages {
		if !m.logged {
			unlogged[m.collection]++
		}
		if !m.stored {
			unstored[m.collection]++
		}
	}
	for i, name := range c.names {
		if unlogged[i] > 0 {
			notes.add(noLine, name, "counted messages without a line: %d (the process died before it wrote the "+
				"line, the answer of the count was lost, or the line has not arrived)", unlogged[i])
		}
		if unstored[i] > 0 && c.read[name] {
			violations.add(notStored, name, "messages counted by the lines, but not in the ledger: %d (it keeps "+
				"receipts for 60 days)", unstored[i])
		}
	}
}

// checkMoves names moves that were repeated, and moves without a request.
func (c *Checker) checkMoves(notes remarks) {
	for key, e := range c.epochs {
		for to, moved := range e.moves {
			if moved.n > 1 {
				notes.add(movedTwice, key.collection, "it was moved to %s %d times in epoch %d: another system wrote "+
					"an earlier status over it", to, moved.n, key.epoch)
			}
		}
		request := snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, Version: key.epoch,
			CollectionKey: snapshot.CollectionKey{CorrelationID: c.run, CollectionName: key.collection}}
		if e.moves[snapshot.Received].n > 0 && len(c.sends[request]) == 0 {
			notes.add(requestBeforeMove, key.collection, "it was moved to Received in epoch %d, and no line shows its "+
				"request", key.epoch)
		}
	}
}

// checkRepeated: a message that was sent again within the tolerance was sent by two processes at a time, of which the
// state machine had given up one. One that was sent again later was already marked delivered.
func checkRepeated(out snapshot.Outgoing, sent []Sent, violations, notes remarks) {
	byTime := func(a, b Sent) int { return a.At.Compare(b.At) }
	first, last := slices.MinFunc(sent, byTime), slices.MaxFunc(sent, byTime)
	if apart := last.At.Sub(first.At); apart > tolerance {
		violations.add(sentTwice, out.CollectionName, "%s was sent again %s after it was delivered, by execution %s",
			describe(out), apart.Round(time.Second), last.Execution)
		return
	}
	notes.add(sentTwice, out.CollectionName, "%s was sent %d times with the same event id: a process timed out after "+
		"it sent the message", describe(out), len(sent))
}

// checkRequest: the execution that sends a request has found the row Received or further, in the request's epoch.
func (c *Checker) checkRequest(out snapshot.Outgoing, sent []Sent, violations, notes remarks) {
	for _, one := range sent {
		epochs, known := c.checked[owner{one.Execution, out.CollectionName}]
		switch {
		case epochs[out.Version]:
		case known || c.knows.Complete:
			violations.add(requestBeforeMove, out.CollectionName, "%s was sent by execution %s, which did not find it "+
				"Received in that epoch", describe(out), one.Execution)
		default:
			notes.add(noLine, out.CollectionName, "%s was sent, and no line shows the reconciliation of execution %s",
				describe(out), one.Execution)
		}
	}
}

// checkNotifications: no export of which a message was counted before a notification moves for the first time after it.
func (c *Checker) checkNotifications(kind snapshot.Kind, violations, notes remarks) {
	notified := false
	for out, sent := range c.sends {
		if out.Kind != kind {
			continue
		}
		notified = true
		for _, one := range sent {
			for key, e := range c.epochs {
				if after := e.movedAfter(kind, one.At); after > 0 && !c.mayHaveMovedTwice(key) {
					violations.add(notifiedBeforeMove, key.collection, "%s was sent %s before the first line that "+
						"shows it moved to %s", describe(out), after.Round(time.Second), kind.Wanted())
				}
			}
		}
	}
	if !notified {
		return
	}
	shown := map[string]bool{}
	for key, e := range c.epochs {
		shown[key.collection] = shown[key.collection] || !e.reached[kind].IsZero()
	}
	for _, name := range c.Collections() {
		if !shown[name] {
			notes.add(notifiedBeforeMove, "", "%s was sent, and no line shows that %s reached %s: another system "+
				"moved it, its status is exempt, or lines are missing", kind, name, kind.Wanted())
		}
	}
}

// mayHaveMovedTwice reports whether other systems wrote an earlier status over a later one in the export. Then the line
// of its first move may be missing, and the first that is there shows a later move.
func (c *Checker) mayHaveMovedTwice(key epochKey) bool {
	byOthers := c.overwritten[moveKey{key.collection, snapshot.Sent}] +
		c.overwritten[moveKey{key.collection, snapshot.Received}]
	return c.epochs[key].moves[snapshot.Received].n > 1 || byOthers > 1
}

// movedAfter is how long after a notification the export, counted before it, was first seen in the kind's status by its
// move; 0 if it was not.
func (e *epoch) movedAfter(kind snapshot.Kind, notified time.Time) time.Duration {
	reached, moved := e.reached[kind], e.moves[kind.Wanted()]
	counted := !e.counted.IsZero() && e.counted.Before(notified.Add(-tolerance))
	if !counted || moved.n == 0 || moved.first.After(reached) || !reached.After(notified.Add(tolerance)) {
		return 0
	}
	return reached.Sub(notified)
}
