package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

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

// findings names what stands around a run that is not done, and may keep it from moving.
func (a Around) findings(run Run, command Command) []Finding {
	var findings []Finding
	add := func(n int, whose Whose, what WaitsFor, sentence string, next ...string) {
		if n > 0 {
			findings = append(findings, Finding{WaitsFor: what, Whose: whose, Sentence: sentence, Next: next})
		}
	}
	if failed, _ := a.failures(run); len(failed) > 0 {
		add(1, Operator, ForLook, failedSentence(failed)+".", docsFailed, command.look(run))
		findings[0].Since = moment(failed[0].At)
	}
	add(a.DeadLetters, Operator, ForFiles, plural(a.DeadLetters, "message", "messages")+
		" in the dead-letter queues: no execution could start for them. They may be this run's.",
		"docs/runbook.md, dead letters")
	add(a.Kept, Operator, ForFiles, plural(a.Kept, "message", "messages")+
		" in the rejected-messages queue. They may be this run's.",
		command.Do("rejected list "+Flag("run", run.Run)))
	add(a.Waiting, Checker, ForFiles, plural(a.Waiting, "message is", "messages are")+
		" on the way in the file-received queue, of this run or others.",
		command.Do("watch", run.Run))
	return findings
}

const docsFailed = "docs/runbook.md, executions failed"

// past names failures that the run has outlived.
func (a Around) past(run Run, command Command) []Finding {
	_, past := a.failures(run)
	if len(past) == 0 {
		return nil
	}
	return []Finding{{WaitsFor: ForLook, Whose: Nobody, Since: moment(past[0].At),
		Next: []string{docsFailed, command.Do("rejected list " + Flag("run", run.Run))},
		Sentence: failedSentence(past) +
			". The run has moved since, so what was left undone may be done; messages that could not be counted are " +
			"among those kept."}}
}

// failures tells those that may hold the run from those after which something was counted or claimed, each the newest
// first.
func (a Around) failures(run Run) (now, past []Failure) {
	for _, failure := range slices.SortedFunc(slices.Values(a.Failed),
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
	return fmt.Sprintf("%s of this run failed, the last at %s: %s", plural(len(newestFirst), "execution", "executions"),
		newest.At.UTC().Format(time.DateTime), strings.TrimRight(strings.TrimSuffix(newest.Error+": "+newest.Cause,
			": "), "."))
}
