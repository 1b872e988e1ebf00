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
	add := func(n int, whose Responsible, what WaitsFor, sentence string, next ...string) {
		if n > 0 {
			findings = append(findings, Finding{WaitsFor: what, Responsible: whose, Sentence: sentence, Next: next})
		}
	}
	if failed, _ := e.failures(run); len(failed) > 0 {
		add(1, Operator, ForReconciliation, failedSentence(failed)+".", docsFailed, command.reconcile(run))
		findings[0].Since = moment(failed[0].At)
	}
	add(e.DeadLetters, Operator, ForFiles, Plural(e.DeadLetters, "message", "messages")+
		" in the file-received queue's dead-letter queue: no execution could start for them or, with EXPRESS, each "+
		"failed. They may belong to this run.", command.Do("rejected list --dead-letters "+Flag("run", run.Run)),
		"docs/runbook.md, file received dead letters")
	add(e.Rejected, Operator, ForFiles, Plural(e.Rejected, "message", "messages")+
		" in the rejected-messages queue. They may belong to this run.",
		command.Do("rejected list "+Flag("run", run.Run)))
	add(e.Waiting, Checker, ForFiles, Plural(e.Waiting, "message is", "messages are")+
		" in the file-received queue. They may belong to this run.", command.Do("watch", run.Run))
	return findings
}

const docsFailed = "docs/runbook.md, executions failed"

// past names failures after which the run made progress.
func (e Evidence) past(run Run, command Command) []Finding {
	_, past := e.failures(run)
	if len(past) == 0 {
		return nil
	}
	return []Finding{{WaitsFor: ForReconciliation, Responsible: NoOne, Since: moment(past[0].At),
		Next: []string{docsFailed, command.Do("rejected list " + Flag("run", run.Run))},
		Sentence: failedSentence(past) +
			". The run has made progress since, so the failed step may be done. Messages " +
			"that could not be counted are in the rejected-messages queue."}}
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
