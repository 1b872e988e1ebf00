package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// Finding is one answer to "what is the run waiting for?".
type Finding struct {
	WaitsFor    WaitsFor    `json:"waits_for"`
	Sentence    string      `json:"sentence"`
	Responsible Responsible `json:"responsible"`           // the system or person that has to act
	Since       *time.Time  `json:"since,omitempty"`       // at least one of them has waited since, as far as is known
	Collections []string    `json:"collections,omitempty"` // the first of them, at most MaxNamed
	More        int         `json:"more"`                  // how many others there are
	Next        []string    `json:"next"`                  // commands to type, or what else to do
}

// Responsible is the system or person that has to act next.
type Responsible string

// The systems and persons that a run may wait for.
const (
	Exporter Responsible = "the exporter"
	Sender   Responsible = "the snapshot sender"
	Receiver Responsible = "the receiver"
	Checker  Responsible = "this system"
	Operator Responsible = "you"
	NoOne    Responsible = "none"
)

// MaxNamed is how many collections a finding names.
const MaxNamed = 5

// Why says what a run waits for: first what needs a person. A run that is done has one finding that says so. The
// suggested commands begin with the command.
func Why(run Run, evidence Evidence, command Command) []Finding {
	switch {
	case len(run.Collections) == 0 && run.known:
		return []Finding{withoutRows(run, command)}
	case len(run.Collections) == 0:
		return []Finding{finding(ForExport, Exporter, "The export status table has no row for this run. The exporter "+
			"has not started it, or the correlation id is misspelled.", command.Do("runs"))}
	case run.State == Successful:
		return []Finding{finding(ForNothing, NoOne, fmt.Sprintf("The run is done: all %d collections are successful "+
			"and monitoring was notified.", run.Summary.Collections))}
	}
	findings := evidence.findings(run, command)
	for _, what := range waits[:len(waits)-1] {
		if waiting := collectionsWaiting(run, what); len(waiting) > 0 {
			findings = append(findings, describe(run, what, waiting, command))
		}
	}
	findings = append(findings, pendingNotifications(run, command)...)
	if !run.known && len(collectionsWaiting(run, ForNothing)) == len(run.Collections) {
		findings = append(findings, finding(ForOthers, NoOne, "All collections are successful, but the run is not in "+
			"the ledger. Another system counts it and notifies monitoring.", docsCutover))
	}
	return append(findings, evidence.past(run, command)...)
}

func finding(what WaitsFor, whose Responsible, sentence string, next ...string) Finding {
	return Finding{WaitsFor: what, Responsible: whose, Sentence: sentence, Next: append([]string{}, next...)}
}

// withoutRows is about a run whose messages were counted and whose rows were deleted since.
func withoutRows(run Run, command Command) Finding {
	if run.State == Successful {
		return finding(ForNothing, NoOne, "The run is done: monitoring received both notifications. Its rows are no "+
			"longer in the export status table.")
	}
	f := finding(ForExport, Operator, "The export status table has no row for this run any more, but messages of it "+
		"were counted. TTL or a person deleted the rows. Monitoring receives no further notification.",
		"if you still need the run, export it again: the exporter creates new rows", command.rejected(run))
	f.Since = run.LastProgress
	return f
}

// WhyCollection says what one collection of a run waits for.
func WhyCollection(run Run, c Collection, command Command) Finding {
	if c.WaitsFor == ForNothing {
		f := finding(ForNothing, NoOne, fmt.Sprintf("%s is %s: it does not block the run.", c.Collection,
			StatusName(c.Status)))
		f.Collections = []string{c.Collection}
		return f
	}
	return describe(run, c.WaitsFor, []Collection{c}, command)
}

func collectionsWaiting(run Run, what WaitsFor) []Collection {
	return slices.DeleteFunc(slices.Clone(run.Collections), func(c Collection) bool { return c.WaitsFor != what })
}

const docsCutover = "check the system that counts this run (docs/cutover.md)"

func describe(run Run, what WaitsFor, waiting []Collection, command Command) Finding {
	f := Finding{WaitsFor: what, More: max(0, len(waiting)-MaxNamed), Since: oldest(waiting)}
	for _, c := range waiting[:min(len(waiting), MaxNamed)] {
		f.Collections = append(f.Collections, c.Collection)
	}
	received, sent := files(waiting)
	say := func(whose Responsible, sentence string, next ...string) {
		number := Plural(len(waiting), "collection waits", "collections wait")
		f.Responsible, f.Sentence, f.Next = whose, number+" for "+sentence, next
	}
	switch what {
	case ForRepair:
		say(Operator, fmt.Sprintf("repair: its stored data is malformed (%s).", waiting[0].Problem),
			"correct the item's attributes (docs/runbook.md, NOT_COUNTED); meanwhile the messages of its files are "+
				"rejected, so then run:",
			command.Do("rejected replay --yes "+Flag("run", run.Run)+" "+
				Flag("reason", string(snapshot.ReasonNotCounted))),
			command.Do("reconcile --yes", run.Run, waiting[0].Collection))
	case ForStatus:
		say(Operator, fmt.Sprintf("a known status: %s is none of %s.", statuses(waiting), knownStatuses()),
			"find out which system wrote it; if it means one of these, correct it; if it is final, add it to "+
				"exemptStatuses in this stack's settings")
	case ForManualAction:
		say(Operator, "", "export it again; or set its status to Success by hand and run: "+command.reconcile(run),
			"to treat such statuses as done: add "+statuses(waiting)+" to exemptStatuses in this stack's settings, "+
				"and deploy with all of them")
		f.Sentence = fmt.Sprintf("%s manual action: status %s is final, no files will arrive.",
			Plural(len(waiting), "collection needs", "collections need"), statuses(waiting))
	case ForReconciliation:
		whose, sentence := unlessAbandoned(run, "reconciliation: a step is due.", " The sweep takes it within minutes.")
		say(whose, sentence, command.reconcile(run))
	case ForDelivery:
		whose, sentence := request(run, waiting)
		say(whose, sentence, deliver(run, command)...)
	case ForFiles:
		say(Receiver, fmt.Sprintf("files: %d of %d sent files have arrived.", received, sent),
			command.Do("files --expected=LIST", run.Run, waiting[0].Collection), command.rejected(run))
	case ForSender:
		sentence := "the sender: status Sent with FilesSent 0. The sender itself completes a collection without files."
		if received > 0 {
			sentence = fmt.Sprintf("the sender: status Sent with FilesSent 0, but %s arrived. While FilesSent is 0, "+
				"no file completes a collection.", Plural(int(received), "file has", "files have"))
		}
		say(Sender, sentence, "check the snapshot sender; it writes FilesSent, and completes a collection without "+
			"files")
	case ForSent:
		say(Sender, "the status Sent: all files that the sender has counted so far have arrived, and the status is "+
			"still "+statuses(waiting)+".", "check the snapshot sender; it sets Sent when it has finished")
	case ForOthers:
		say(Operator, "another system: all files have arrived, but the run is not in the ledger. Another system "+
			"counted them.", docsCutover)
	case ForExport:
		say(Exporter, fmt.Sprintf("exporter and sender: status %s, files sent so far: %d, arrived: %d.",
			statuses(waiting), sent, received), "check the exporter and the snapshot sender")
	case ForRetry:
		say(Exporter, "the next export: status "+statuses(waiting)+". The exporter exports the collection again and "+
			"resets its counters to 0.", "check the exporter; it tries again by itself")
	case ForSuccessFile:
		say(Sender, successFile(waiting), "check the snapshot sender; the export state queue holds the requests that "+
			"it has not read")
	}
	return f
}

// unlessAbandoned is what this system does next. For an abandoned run it does nothing, so the operator has to act.
func unlessAbandoned(run Run, sentence, otherwise string) (Responsible, string) {
	if run.State == Abandoned {
		why := "it was abandoned, unfinished after 14 days."
		if run.Abandonment != nil {
			why = "it was abandoned by hand."
		}
		return Operator, sentence + " The sweep ignores the run: " + why
	}
	return Checker, sentence + otherwise
}

// deliver lists the commands that deliver what is pending.
func deliver(run Run, command Command) []string {
	if run.State == Abandoned { // the sweep ignores it
		return []string{command.reconcile(run)}
	}
	return []string{command.Do("pending"), command.Do("pending --deliver --yes")}
}

func request(run Run, waiting []Collection) (Responsible, string) {
	const what = "the request for its _success file: "
	if slices.ContainsFunc(waiting, func(c Collection) bool { return c.Request.State == Pending }) {
		return unlessAbandoned(run, what+"it is pending, and no execution holds a lease.",
			" The next reconciliation or sweep delivers it.")
	}
	return unlessAbandoned(run, what+"an execution holds the lease; if that execution died, the lease expires.",
		" Then the sweep delivers it.")
}

func successFile(waiting []Collection) string {
	delivered := 0
	for _, c := range waiting {
		if c.Request.State == Delivered {
			delivered++
		}
	}
	if delivered == len(waiting) {
		return "the _success file: the request was delivered. The sender has not sent the file, or it has not arrived."
	}
	return fmt.Sprintf("the _success file: the request was delivered for %d of them. No file of the others was "+
		"counted here; the system that set them to %s has to request it.", delivered, statuses(waiting))
}

// pendingNotifications names the notifications that are due and not delivered.
func pendingNotifications(run Run, command Command) []Finding {
	var findings []Finding
	for _, n := range run.Notifications {
		if !n.Delivery.Open() {
			continue
		}
		whose, sentence := unlessAbandoned(run, fmt.Sprintf(
			"All collections are %s, but monitoring is not notified yet (%s).",
			strings.TrimPrefix(NotificationName(n.Kind), "all "), n.Delivery.State),
			" The sweep notifies it within minutes, or when the lease expires.")
		f := finding(ForDelivery, whose, sentence, deliver(run, command)...)
		f.Since = n.Delivery.Since
		findings = append(findings, f)
	}
	return findings
}

// Plural counts things.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// NotificationName is what a notification says about a run.
func NotificationName(kind snapshot.Kind) string {
	if kind == snapshot.AllSuccessful {
		return "all successful"
	}
	return "all received"
}

func statuses(waiting []Collection) string {
	var names []string
	for _, c := range waiting {
		names = append(names, StatusName(c.Status))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

func files(waiting []Collection) (received, sent int64) {
	for _, c := range waiting {
		received, sent = received+c.FilesReceived, sent+c.FilesSent
	}
	return received, sent
}

// oldest is since when the first of them has waited, nil if that is unknown of all.
func oldest(waiting []Collection) (oldest *time.Time) {
	for _, c := range waiting {
		if c.Since != nil && (oldest == nil || c.Since.Before(*oldest)) {
			oldest = c.Since
		}
	}
	return oldest
}
