package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Evidence is what the queues and the state machine say. It may explain why a run makes no progress.
type Evidence struct {
	Waiting     int // messages in the file-received queue, approximately; those being processed included
	Rejected    int // messages in the rejected-messages queue, approximately
	DeadLetters int // messages in the file-received queue's dead-letter queue, approximately
	Failed      []Failure
}

// Failure is an execution that failed while it worked on the run.
type Failure struct {
	Execution string    `json:"execution"`
	At        time.Time `json:"at"`
	Error     string    `json:"error"`
	Cause     string    `json:"cause"`
}

// findings names what may keep an unfinished run from making progress.
func (e Evidence) findings(run Run, command Command) []Finding {
	var findings []Finding
	if failed, _ := e.failures(run); len(failed) > 0 {
		f := finding(ForReconciliation, Operator, failedSentence(failed)+".", docsFailed, command.reconcile(run))
		f.Since = moment(failed[0].At)
		findings = append(findings, f)
	}
	if e.DeadLetters > 0 {
		findings = append(findings, finding(ForFiles, Operator, Plural(e.DeadLetters, "message", "messages")+
			" in the file-received queue's dead-letter queue: no execution could start for them or, with EXPRESS, "+
			"each failed. They may belong to this run.",
			command.Do("rejected list --dead-letters "+Flag("run", run.Run)),
			"docs/runbook.md, file received dead letters"))
	}
	if e.Rejected > 0 {
		findings = append(findings, finding(ForFiles, Operator, Plural(e.Rejected, "message", "messages")+
			" in the rejected-messages queue. They may belong to this run.", command.rejected(run)))
	}
	if e.Waiting > 0 {
		findings = append(findings, finding(ForFiles, Checker, Plural(e.Waiting, "message is", "messages are")+
			" in the file-received queue. They may belong to this run.", command.Do("watch", run.Run)))
	}
	return findings
}

const docsFailed = "docs/runbook.md, executions failed"

// past names failures after which the run made progress.
func (e Evidence) past(run Run, command Command) []Finding {
	_, past := e.failures(run)
	if len(past) == 0 {
		return nil
	}
	f := finding(ForReconciliation, NoOne, failedSentence(past)+". The run has made progress since, so the failed "+
		"step may be done. Messages that could not be counted are in the rejected-messages queue.", docsFailed,
		command.rejected(run))
	f.Since = moment(past[0].At)
	return []Finding{f}
}

// failures separates those that may block the run from those after which something was counted or leased, each the
// newest first.
func (e Evidence) failures(run Run) (now, past []Failure) {
	for _, failure := range slices.SortedFunc(slices.Values(e.Failed),
		func(x, y Failure) int { return y.At.Compare(x.At) }) {
		if failure.At.Before(run.moved) {
			past = append(past, failure)
		} else {
			now = append(now, failure)
		}
	}
	return now, past
}

func failedSentence(newestFirst []Failure) string {
	newest := newestFirst[0]
	reason := strings.TrimRight(strings.TrimSuffix(newest.Error+": "+newest.Cause, ": "), ".")
	return fmt.Sprintf("%s of this run failed, the latest at %s: %s", Plural(len(newestFirst), "execution",
		"executions"), newest.At.UTC().Format(time.DateTime), reason)
}
