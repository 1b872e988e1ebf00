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

// Around is what stands around the runs and may explain why one does not move.
type Around struct {
	Waiting     int // messages in the file-received queue, about; those being worked on included
	Kept        int // in the rejected-messages queue, about
	DeadLetters int // in the dead-letter queues, about
	Failed      []Failure
}

// Failure is an execution that failed while it worked on the run.
type Failure struct {
	Execution string    `json:"execution"`
	At        time.Time `json:"at"`
	Error     string    `json:"error"`
	Cause     string    `json:"cause"`
}

// Why says what holds a run, what nobody moves by himself first. A run that is done has one finding: that it is.
func Why(run Run, around Around) []Finding {
	if len(run.Collections) == 0 {
		return []Finding{{WaitsFor: ForExport, Whose: Exporter, More: 0,
			Sentence: "The export status table has no row for this run: the exporter has not begun it, or the correlation id is spelled differently.",
			Next:     []string{"snapshot-status runs"}}}
	}
	findings := around.findings(run)
	for _, what := range waits[:len(waits)-1] {
		held := held(run, what)
		if len(held) > 0 {
			findings = append(findings, describe(run.Run, what, held))
		}
	}
	findings = append(findings, owedNews(run)...)
	if len(findings) == 0 || run.State == Successful {
		findings = append(findings, done(run))
	}
	return findings
}

// WhyCollection says what one collection of a run waits for.
func WhyCollection(run Run, c Collection) Finding {
	if c.WaitsFor == ForNothing {
		return Finding{WaitsFor: ForNothing, Whose: Nobody, Collections: []string{c.Collection}, Next: []string{},
			Sentence: fmt.Sprintf("%s is %s: it holds nothing.", c.Collection, c.Status)}
	}
	return describe(run.Run, c.WaitsFor, []Collection{c})
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

// describe makes the finding for collections that wait for the same.
func describe(run string, what WaitsFor, held []Collection) Finding {
	f := Finding{WaitsFor: what, More: max(0, len(held)-MaxNamed), Since: oldest(held)}
	for _, c := range held[:min(len(held), MaxNamed)] {
		f.Collections = append(f.Collections, c.Collection)
	}
	first, who := held[0], plural(len(held), "collection waits", "collections wait")
	switch what {
	case ForRepair:
		f.Whose = Operator
		f.Sentence = fmt.Sprintf("%s for repair: the row breaks the table's contract (%s).", who, first.Problem)
		f.Next = []string{"mend the row's attributes by hand (docs/runbook.md, NOT_COUNTED); the messages of its files are kept meanwhile, so then:",
			"snapshot-status rejected replay --run " + Quote(run) + " --reason " + string(snapshot.ReasonNotCounted) + " --yes",
			"snapshot-status look " + Quote(run) + " " + Quote(first.Collection) + " --yes"}
	case ForNothingEver:
		f.Whose = Operator
		f.Sentence = fmt.Sprintf("%s for an end by hand: nobody changes the status %s any more, and no file will come.", who, statuses(held))
		f.Next = []string{"export it again; or set its status to Success by hand, and then: snapshot-status look " + Quote(run) + " --yes",
			"to have such statuses count as done: cdk deploy -c exemptStatuses=" + strings.ReplaceAll(statuses(held), ", ", ",")}
	case ForLook:
		f.Whose = Checker
		f.Sentence = who + " for a look: a step is due that nobody has taken. The sweep takes it within minutes."
		f.Next = []string{"snapshot-status look " + Quote(run) + " --yes"}
	case ForDelivery:
		f.Whose = Checker
		f.Sentence = who + " for the request for its _success file to be sent: " + standing(held)
		f.Next = []string{"snapshot-status owed", "snapshot-status owed --pay --yes"}
	case ForFiles:
		f.Whose, f.Sentence = files(who, held)
		f.Next = []string{"snapshot-status files " + Quote(run) + " " + Quote(first.Collection) + " --expected LIST",
			"snapshot-status rejected list --run " + Quote(run)}
	case ForSent:
		f.Whose = Sender
		f.Sentence = fmt.Sprintf("%s for the status Sent: as many files as the sender has counted so far have arrived, and it still says %s.", who, statuses(held))
		f.Next = []string{"look at the snapshot sender: it writes Sent when it is through"}
	case ForOthers:
		f.Whose = Operator
		f.Sentence = who + " for another system: all files have arrived, and it was not this system that counted them: no message of the run has come here."
		f.Next = []string{"look at the system that counts this run (docs/cutover.md)"}
	case ForExport:
		f.Whose = Exporter
		f.Sentence = fmt.Sprintf("%s for exporter and sender: status %s, %s files sent and %s arrived so far.", who, statuses(held), count(sent(held)), count(received(held)))
		f.Next = []string{"look at the exporter and the snapshot sender"}
	case ForSuccessFile:
		f.Whose, f.Sentence = successFile(who, held)
		f.Next = []string{"look at the snapshot sender: the export state queue holds its requests until it takes them"}
	}
	return f
}

func files(who string, held []Collection) (Whose, string) {
	if sent(held) == 0 {
		return Sender, who + " for its sender: Sent with FilesSent 0; the sender itself ends a collection of no files."
	}
	return Receiver, fmt.Sprintf("%s for files: %d of %d that were sent have arrived.", who, received(held), sent(held))
}

func successFile(who string, held []Collection) (Whose, string) {
	asked := 0
	for _, c := range held {
		if c.Request.State == Delivered {
			asked++
		}
	}
	if asked == len(held) {
		return Sender, who + " for the _success file: the sender was asked for it and has not sent it, or it has not arrived."
	}
	return Sender, fmt.Sprintf("%s for the _success file: the sender was asked for %d of them; of the others no file was counted here, so it is for whoever made them %s to ask.", who, asked, statuses(held))
}

func standing(held []Collection) string {
	for _, c := range held {
		if c.Request.State == Owed {
			return "nobody holds the claim now, so the next look or sweep pays it."
		}
	}
	return "an execution has claimed it; if that died, the sweep pays it when its lease of 10 minutes is over."
}

// owedNews names news that is true and not told.
func owedNews(run Run) []Finding {
	var findings []Finding
	for _, news := range run.News {
		if news.Debt.State != Owed && news.Debt.State != Claimed {
			continue
		}
		what := "received"
		if news.Kind == snapshot.AllSuccessful {
			what = "successful"
		}
		findings = append(findings, Finding{WaitsFor: ForDelivery, Whose: Checker, Since: news.Debt.Since,
			Sentence: fmt.Sprintf("All collections are %s, and monitoring was not told yet (%s). The sweep pays it within minutes, a claim after its lease of 10 minutes.", what, news.Debt.State),
			Next:     []string{"snapshot-status owed", "snapshot-status owed --pay --yes"}})
	}
	return findings
}

func done(run Run) Finding {
	return Finding{WaitsFor: ForNothing, Whose: Nobody, Next: []string{},
		Sentence: fmt.Sprintf("The run is done: all %d collections are successful and monitoring was told.", run.Summary.Collections)}
}

// findings names what stands around a run that is not done.
func (a Around) findings(run Run) []Finding {
	if run.State == Successful {
		return nil
	}
	var findings []Finding
	add := func(n int, whose Whose, what WaitsFor, sentence string, next ...string) {
		if n > 0 {
			findings = append(findings, Finding{WaitsFor: what, Whose: whose, Sentence: sentence, Next: next})
		}
	}
	if len(a.Failed) > 0 {
		newest := slices.MaxFunc(a.Failed, func(x, y Failure) int { return x.At.Compare(y.At) })
		add(1, Operator, ForLook, fmt.Sprintf("%s of this run failed, the last at %s: %s", plural(len(a.Failed), "execution", "executions"),
			newest.At.UTC().Format(time.DateTime), strings.TrimSuffix(newest.Error+": "+newest.Cause, ": ")), "docs/runbook.md, executions failed", "snapshot-status look "+Quote(run.Run)+" --yes")
		findings[len(findings)-1].Since = moment(newest.At)
	}
	add(a.DeadLetters, Operator, ForFiles, plural(a.DeadLetters, "message", "messages")+" in the dead-letter queues: no execution could start for them. They may be this run's.",
		"docs/runbook.md, dead letters")
	add(a.Kept, Operator, ForFiles, plural(a.Kept, "message", "messages")+" in the rejected-messages queue. They may be this run's.",
		"snapshot-status rejected list --run "+Quote(run.Run))
	add(a.Waiting, Checker, ForFiles, plural(a.Waiting, "message is", "messages are")+" on the way in the file-received queue, of this run or others.",
		"snapshot-status watch "+Quote(run.Run))
	return findings
}
