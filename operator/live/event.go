package live

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// Event is a change of a run between two readings.
type Event struct {
	Kind       Kind   `json:"kind"`
	Collection string `json:"collection,omitempty"` // empty for an event of the run
	Text       string `json:"text"`
}

// Kind is a kind of event.
type Kind string

// The kinds of events: those of a collection, then those of the run.
const (
	Appeared      Kind = "appeared"
	Gone          Kind = "gone" // its row was deleted
	Changed       Kind = "status changed"
	Received      Kind = "received"
	Requested     Kind = "requested" // the request for its _success file was delivered
	Successful    Kind = "successful"
	ExportedAgain Kind = "exported again"
	OverReceived  Kind = "over-received" // more files than were sent
	Stuck         Kind = "stuck"         // it needs a person

	MonitoringNotified Kind = "monitoring notified"
	Stalled            Kind = "stalled"
	Late               Kind = "late"
	ProgressAgain      Kind = "in progress again"
	Abandoned          Kind = "abandoned"
	Done               Kind = "done"
)

func (k Kind) tone() show.Tone {
	switch k {
	case Successful, MonitoringNotified, Done:
		return show.Good
	case Gone, OverReceived, Stuck, Stalled, Late, Abandoned:
		return show.Bad
	case Received, Requested, ExportedAgain, ProgressAgain:
		return show.Busy
	}
	return show.Plain
}

// Events compares two readings of a run: first the collections in the order of their names, then the run.
func Events(before, after report.Run) []Event {
	was := byName(before)
	var events []Event
	for _, c := range after.Collections {
		old, known := was[c.Collection]
		delete(was, c.Collection)
		if !known {
			events = append(events, Event{Appeared, c.Collection, "appeared, status " + report.StatusName(c.Status)})
			continue
		}
		events = append(events, collectionEvents(old, c)...)
	}
	for name := range was {
		events = append(events, Event{Gone, name, "is gone: its row was deleted"})
	}
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.Collection, b.Collection) })
	return append(events, runEvents(before, after)...)
}

func byName(run report.Run) map[string]report.Collection {
	collections := map[string]report.Collection{}
	for _, c := range run.Collections {
		collections[c.Collection] = c
	}
	return collections
}

func collectionEvents(before, after report.Collection) []Event {
	var events []Event
	add := func(kind Kind, format string, args ...any) {
		events = append(events, Event{kind, after.Collection, fmt.Sprintf(format, args...)})
	}
	again := exportedAgain(before, after)
	if again {
		add(ExportedAgain, "is exported again, %d of %d files so far", after.FilesReceived, after.FilesSent)
	}
	switch {
	case successful(after) && !successful(before):
		add(Successful, "%s", success(after))
	case received(after) && !successful(after) && (again || !received(before)):
		add(Received, "received, %d of %d files", after.FilesReceived, after.FilesSent)
	case !is(before, snapshot.Status(after.Status)):
		add(Changed, "%s, was %s", report.StatusName(after.Status), report.StatusName(before.Status))
	}
	if over(after) && !over(before) {
		add(OverReceived, "has received %d files, and %d were sent", after.FilesReceived, after.FilesSent)
	}
	if stuck(after) && !stuck(before) {
		add(Stuck, "waits for %s", after.WaitsFor)
	}
	if after.Request.State == report.Delivered && (before.Request.State != report.Delivered ||
		before.Epoch != after.Epoch) {
		add(Requested, "its success file was requested")
	}
	return events
}

// exportedAgain compares the epochs. Row and ledger are read one after the other, so the epoch may be wrong while the
// first files are counted; before that, no file had arrived.
func exportedAgain(before, after report.Collection) bool {
	return before.Epoch != after.Epoch && before.FilesReceived > 0
}

func is(c report.Collection, status snapshot.Status) bool {
	return snapshot.Status(c.Status).Is(status)
}

func successful(c report.Collection) bool {
	return c.WaitsFor == report.ForNothing || is(c, snapshot.Success) && c.Problem == ""
}

func received(c report.Collection) bool {
	return successful(c) || is(c, snapshot.Received) && c.Problem == ""
}

func success(c report.Collection) string {
	if is(c, snapshot.Success) {
		return "successful"
	}
	return "counts as done, status " + report.StatusName(c.Status)
}

// over holds from Sent on: before, FilesSent lags behind.
func over(c report.Collection) bool {
	return c.FilesReceived > c.FilesSent && (received(c) || is(c, snapshot.Sent))
}

func stuck(c report.Collection) bool {
	return c.WaitsFor == report.ForRepair || c.WaitsFor == report.ForStatus || c.WaitsFor == report.ForManualAction
}

func runEvents(before, after report.Run) []Event {
	var events []Event
	was := map[snapshot.Kind]report.Delivery{}
	for _, n := range before.Notifications {
		was[n.Kind] = n.Delivery
	}
	for _, n := range after.Notifications {
		if n.Delivery.State == report.Delivered && !sameDelivery(was[n.Kind], n.Delivery) {
			events = append(events, Event{Kind: MonitoringNotified,
				Text: "monitoring was notified: " + report.NotificationName(n.Kind)})
		}
	}
	if after.Late && !before.Late {
		events = append(events, Event{Kind: Late, Text: "the run is late"})
	}
	if before.State == after.State {
		return events
	}
	switch {
	case after.State == report.Stalled:
		events = append(events, Event{Kind: Stalled, Text: "the run has stalled"})
	case after.Abandonment != nil:
		events = append(events, Event{Kind: Abandoned, Text: "the run was abandoned by hand, the sweep ignores it: " +
			after.Abandonment.Reason})
	case after.State == report.Abandoned:
		events = append(events, Event{Kind: Abandoned, Text: "the run is abandoned: the sweep ignores it"})
	case after.State == report.Successful:
		events = append(events, Event{Kind: Done, Text: "the run is done"})
	case before.State == report.Stalled || before.State == report.Abandoned || before.State == report.Successful:
		events = append(events, Event{Kind: ProgressAgain, Text: "the run is in progress again"})
	}
	return events
}

// sameDelivery tells a notification that was already delivered from one that was delivered again, for a new generation.
func sameDelivery(before, after report.Delivery) bool {
	return before.State == report.Delivered && (before.Since == nil || after.Since == nil ||
		before.Since.Equal(*after.Since))
}

// maxNamed is how many collections a sentence names.
const maxNamed = 3

// Sentence describes an event, perhaps of many collections.
type Sentence struct {
	Kind Kind
	Text string
}

// Sentences describes events. An event of more than maxNamed collections is one sentence.
func Sentences(events []Event) []Sentence {
	names := map[Kind][]string{}
	for _, e := range events {
		names[e.Kind] = append(names[e.Kind], e.Collection)
	}
	var sentences []Sentence
	said := map[Kind]bool{}
	for _, e := range events {
		of := names[e.Kind]
		switch {
		case len(of) <= maxNamed:
			sentences = append(sentences, Sentence{e.Kind, strings.TrimSpace(show.Clean(e.Collection + " " + e.Text))})
		case !said[e.Kind]:
			said[e.Kind] = true
			text := fmt.Sprintf("%d collections: %s (%s, …)", len(of), e.Kind, strings.Join(of[:maxNamed], ", "))
			sentences = append(sentences, Sentence{e.Kind, show.Clean(text)})
		}
	}
	return sentences
}
