package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// Finding is one answer to "what is it waiting for?".
type Finding struct {
	WaitsFor    WaitsFor   `json:"waits_for"`
	Sentence    string     `json:"sentence"`
	Whose       Whose      `json:"whose_move"`
	Since       *time.Time `json:"since,omitempty"`       // at least one of them has waited since, as far as is known
	Collections []string   `json:"collections,omitempty"` // the first of them, at most MaxNamed
	More        int        `json:"more"`                  // how many others there are
	Next        []string   `json:"next"`                  // commands to type, or what else to do
}

// Whose says whose move it is.
type Whose string

// Who may have to move.
const (
	Exporter Whose = "the exporter"
	Sender   Whose = "the snapshot sender"
	Receiver Whose = "the receiver"
	Checker  Whose = "this system"
	Operator Whose = "you"
	Nobody   Whose = "nobody"
)

// MaxNamed is how many collections a finding names.
const MaxNamed = 5

// Why says what holds a run, what nobody moves by himself first. A run that is done has one finding: that it is. What
// is to be typed next begins with the command.
func Why(run Run, around Around, command Command) []Finding {
	if len(run.Collections) == 0 && run.known {
		return []Finding{withoutRows(run, command)}
	}
	if len(run.Collections) == 0 {
		return []Finding{{WaitsFor: ForExport, Whose: Exporter, More: 0,
			Sentence: "The export status table has no row for this run: the exporter has not begun it, or the " +
				"correlation id is spelled differently.",
			Next: []string{command.Do("runs")}}}
	}
	if run.State == Successful {
		return []Finding{{WaitsFor: ForNothing, Whose: Nobody, Next: []string{},
			Sentence: fmt.Sprintf("The run is done: all %d collections are successful and monitoring was told.",
				run.Summary.Collections)}}
	}
	findings := around.findings(run, command)
	for _, what := range waits[:len(waits)-1] {
		if held := held(run, what); len(held) > 0 {
			findings = append(findings, describe(run, what, held, command))
		}
	}
	findings = append(findings, owedNews(run, command)...)
	if !run.known && len(held(run, ForNothing)) == len(run.Collections) {
		findings = append(findings, Finding{WaitsFor: ForOthers, Whose: Nobody, Next: []string{docsCutover},
			Sentence: "All of its collections are successful, and no message of the run has come here: another " +
				"system counts it, and tells monitoring."})
	}
	return append(findings, around.past(run, command)...)
}

// withoutRows is about a run whose messages were counted, and whose rows are gone since.
func withoutRows(run Run, command Command) Finding {
	if run.State == Successful {
		return Finding{WaitsFor: ForNothing, Whose: Nobody, Next: []string{},
			Sentence: "The run is done: monitoring was told of both, and the export status table has none of its " +
				"rows any more."}
	}
	return Finding{WaitsFor: ForExport, Whose: Operator, Since: run.LastProgress,
		Sentence: "The export status table has no row for this run any more, though messages of it have come here: " +
			"TTL or somebody removed the rows. Monitoring is told nothing more of it.",
		Next: []string{"if the run is still needed, let the exporter export it again: it makes new rows",
			command.Do("rejected list " + Flag("run", run.Run))}}
}

// WhyCollection says what one collection of a run waits for.
func WhyCollection(run Run, c Collection, command Command) Finding {
	if c.WaitsFor == ForNothing {
		return Finding{WaitsFor: ForNothing, Whose: Nobody, Collections: []string{c.Collection}, Next: []string{},
			Sentence: fmt.Sprintf("%s is %s: it holds nothing.", c.Collection, StatusName(c.Status))}
	}
	return describe(run, c.WaitsFor, []Collection{c}, command)
}

func held(run Run, what WaitsFor) []Collection {
	var held []Collection
	for _, c := range run.Collections {
		if c.WaitsFor == what {
			held = append(held, c)
		}
	}
	return held
}

const docsCutover = "look at the system that counts this run (docs/cutover.md)"

// describe makes the finding for collections that wait for the same.
func describe(run Run, what WaitsFor, held []Collection, command Command) Finding {
	f := Finding{WaitsFor: what, More: max(0, len(held)-MaxNamed), Since: oldest(held)}
	for _, c := range held[:min(len(held), MaxNamed)] {
		f.Collections = append(f.Collections, c.Collection)
	}
	who, look := plural(len(held), "collection waits", "collections wait"), command.look(run)
	switch what {
	case ForRepair:
		f.Whose, f.Sentence = Operator, fmt.Sprintf("%s for repair: the row breaks the table's contract (%s).", who,
			held[0].Problem)
		f.Next = []string{"mend the row's attributes by hand (docs/runbook.md, NOT_COUNTED); the messages of its " +
			"files are kept meanwhile, so then:",
			command.Do("rejected replay --yes " + Flag("run", run.Run) + " " +
				Flag("reason", string(snapshot.ReasonNotCounted))),
			command.Do("look --yes", run.Run, held[0].Collection)}
	case ForStatus:
		f.Whose = Operator
		f.Sentence = fmt.Sprintf("%s for a known status: %s is none of %s.", who, statuses(held), knownStatuses())
		f.Next = []string{"find out which system wrote it; if it means one of these, set it to that; if it is " +
			"final, add it to exemptStatuses in this stack's settings"}
	case ForNothingEver:
		f.Whose = Operator
		f.Sentence = fmt.Sprintf("%s manual action: status %s is final, and no file will come.",
			plural(len(held), "collection needs", "collections need"), statuses(held))
		f.Next = []string{"export it again; or set its status to Success by hand, and then: " + look,
			"to have such statuses count as done: add " + statuses(held) +
				" to exemptStatuses in this stack's settings, and deploy with all of them"}
	case ForLook:
		f.Whose, f.Sentence = checkers(run, who+" for a look: a step is due that nobody has taken.",
			" The sweep takes it within minutes.")
		f.Next = []string{look}
	case ForDelivery:
		f.Whose, f.Sentence = request(run, who, held)
		f.Next = pay(run, command)
	case ForFiles:
		f.Whose, f.Sentence = Receiver, fmt.Sprintf("%s for files: %d of %d that were sent have arrived.", who,
			received(held), sent(held))
		f.Next = []string{command.Do("files --expected=LIST", run.Run, held[0].Collection),
			command.Do("rejected list " + Flag("run", run.Run))}
	case ForSender:
		f.Whose, f.Sentence = Sender, noneSent(who, held)
		f.Next = []string{"look at the snapshot sender: it writes how many files it sent, and ends a collection of none"}
	case ForSent:
		f.Whose = Sender
		f.Sentence = fmt.Sprintf(
			"%s for the status Sent: as many files as the sender has counted so far have arrived, and it still says %s.", who, statuses(held))
		f.Next = []string{"look at the snapshot sender: it writes Sent when it is through"}
	case ForOthers:
		f.Whose = Operator
		f.Sentence = who + " for another system: all files have arrived, and it was not this system that counted " +
			"them: no message of the run has come here."
		f.Next = []string{docsCutover}
	case ForExport:
		f.Whose = Exporter
		f.Sentence = fmt.Sprintf("%s for exporter and sender: status %s, %s files sent and %s arrived so far.", who,
			statuses(held), count(sent(held)), count(received(held)))
		f.Next = []string{"look at the exporter and the snapshot sender"}
	case ForRetry:
		f.Whose = Exporter
		f.Sentence = fmt.Sprintf(
			"%s for the exporter's next try: status %s. It exports the collection again and sets its counters back "+
				"to 0.", who, statuses(held))
		f.Next = []string{"check the exporter; it tries again by itself"}
	case ForSuccessFile:
		f.Whose, f.Sentence = successFile(who, held)
		f.Next = []string{"look at the snapshot sender: the export state queue holds its requests until it takes them"}
	}
	return f
}

// checkers is whose move it is if it is this system's: nobody does it any more for a run that was let go, but a look.
func checkers(run Run, sentence, otherwise string) (Whose, string) {
	if run.State == Abandoned {
		return Operator, sentence + " Nobody looks after the run any more: it was let go, unfinished after 14 days."
	}
	return Checker, sentence + otherwise
}

// pay lists what makes the system pay what is owed.
func pay(run Run, command Command) []string {
	if run.State == Abandoned { // the sweep passes it by
		return []string{command.look(run)}
	}
	return []string{command.Do("owed"), command.Do("owed --pay --yes")}
}

func request(run Run, who string, held []Collection) (Whose, string) {
	who += " for the request for its _success file to be sent: "
	if slices.ContainsFunc(held, func(c Collection) bool { return c.Request.State == Pending }) {
		return checkers(run, who+"nobody holds the claim now.", " The next look or sweep pays it.")
	}
	return checkers(run, who+"an execution has claimed it; if that died, the claim is free when its lease is over.",
		" Then the sweep pays it.")
}

func noneSent(who string, held []Collection) string {
	if n := received(held); n > 0 {
		return fmt.Sprintf("%s for the sender: Sent with FilesSent 0, and yet %s. As long as FilesSent is 0 no file "+
			"completes a collection.",
			who, plural(int(n), "file has come", "files have come"))
	}
	return who + " for the sender: Sent with FilesSent 0; the sender itself ends a collection of no files."
}

func successFile(who string, held []Collection) (Whose, string) {
	asked := 0
	for _, c := range held {
		if c.Request.State == Delivered {
			asked++
		}
	}
	if asked == len(held) {
		return Sender, who + " for the _success file: the sender was asked for it and has not sent it, or it has " +
			"not arrived."
	}
	return Sender, fmt.Sprintf(
		"%s for the _success file: the sender was asked for %d of them; of the others no file was counted here, so "+
			"it is for whoever made them %s to ask.", who, asked, statuses(held))
}

// owedNews names news that is true and not told.
func owedNews(run Run, command Command) []Finding {
	var findings []Finding
	for _, news := range run.Notifications {
		if news.Delivery.State != Pending && news.Delivery.State != Leased {
			continue
		}
		f := Finding{WaitsFor: ForDelivery, Since: news.Delivery.Since, Next: pay(run, command)}
		f.Whose, f.Sentence = checkers(run, fmt.Sprintf("All collections are %s, and monitoring was not told yet (%s).",
			strings.TrimPrefix(NotificationName(news.Kind), "all "), news.Delivery.State),
			" The sweep pays it within minutes, a claim after its lease.")
		findings = append(findings, f)
	}
	return findings
}
