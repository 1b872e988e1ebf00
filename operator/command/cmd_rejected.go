package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
	"snapshot-status-checker/operator/visible"
)

type rejectedCommand struct {
	List   rejectedListCommand   `cmd:"" help:"List the kept messages by their reasons."`
	Show   rejectedShowCommand   `cmd:"" help:"Show a kept message with its text."`
	Replay rejectedReplayCommand `cmd:"" help:"Put kept messages back where they came from; they count once."`
	Drop   rejectedDropCommand   `cmd:"" help:"Delete kept messages for good."`
}

func (c *rejectedCommand) Help() string {
	return "A queue cannot be listed without hiding its messages from others. So the rejected-messages queue is " +
		"read through once, and what was read is given back at once, also after an error or Ctrl-C. Two people who " +
		"do this at one time see a part each."
}

// readKept reads the queue of kept messages through. Whoever asks gives back what it does not need.
func (a *app) readKept() (*rejected.Reading, error) {
	found, err := a.deployment()
	if err == nil {
		err = found.Missing("RejectedMessagesQueueUrl", "FileReceivedQueueUrl")
	}
	if err != nil {
		return nil, err
	}
	queues := rejected.Queues{SQS: sqs.NewFromConfig(found.Config), Rejected: found.RejectedMessagesQueueUrl,
		FileReceived: found.FileReceivedQueueUrl}
	fmt.Fprintln(a.err, "Reading the rejected-messages queue through: others do not see its messages until they are "+
		"given back.")
	reading, err := queues.Read(a)
	if err != nil {
		return nil, err
	}
	if reading.Elsewhere > 0 {
		fmt.Fprintf(a.err, "About %d messages are with somebody else who reads the queue just now: they are not "+
			"among these.\n", reading.Elsewhere)
	}
	if reading.Unseen > 0 {
		fmt.Fprintf(a.err, "These are not all: the queue says that it has about %d more, and did not give them. Try "+
			"again.\n", reading.Unseen)
	}
	return reading, nil
}

// lookAtKept reads the queue of kept messages through and gives them back.
func (a *app) lookAtKept() (*rejected.Reading, error) {
	reading, err := a.readKept()
	if err == nil {
		a.giveBack(reading)
	}
	return reading, err
}

// giveBack gives back what is still held, but these. What fails comes right by itself, so it is told and no more.
func (a *app) giveBack(reading *rejected.Reading, but ...*rejected.Message) {
	if err := reading.GiveBack(a, but...); err != nil {
		a.complain(err.Error())
	}
}

// keptFilter picks messages.
type keptFilter struct {
	Reason string `placeholder:"CODE" help:"Only messages with this reason code."`
	OfRun  string `name:"run" placeholder:"ID" help:"Only messages in whose text this correlation id stands."`
}

func (f keptFilter) check() error {
	if f.Reason == "" || slices.Contains(snapshot.Reasons, snapshot.Reason(f.Reason)) {
		return nil
	}
	var known []string
	for _, reason := range snapshot.Reasons {
		known = append(known, string(reason))
	}
	return answer{exitUsage, fmt.Sprintf("there is no reason %q; there are %s", f.Reason, strings.Join(known, ", "))}
}

func (f keptFilter) wants(m *rejected.Message) bool {
	return (f.Reason == "" || string(m.Reason) == f.Reason) && (f.OfRun == "" || slices.Contains(m.Runs, f.OfRun))
}

type rejectedListCommand struct {
	keptFilter
	Limit int `default:"40" help:"Messages at most, the oldest first; 0 for all. JSON has all of them."`
}

// keptList is what rejected list answers.
type keptList struct {
	Reasons  []rejected.Group    `json:"reasons"`
	Messages []*rejected.Message `json:"messages"`
	// about so many could not be read, since somebody else is reading them
	Elsewhere int `json:"elsewhere"`
	// about so many more the queue said to have when nothing came any more
	Unseen int `json:"unseen"`
}

func (c *rejectedListCommand) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	reading, err := a.lookAtKept()
	if err != nil {
		return err
	}
	list := newKeptList(reading.Messages, c.keptFilter)
	list.Elsewhere, list.Unseen = reading.Elsewhere, reading.Unseen
	if a.json {
		return a.printJSON(list)
	}
	list.print(a.printer(), c.Limit, a.command)
	return nil
}

func newKeptList(messages []*rejected.Message, filter keptFilter) keptList {
	list := keptList{Messages: []*rejected.Message{}}
	for _, m := range messages {
		if filter.wants(m) {
			list.Messages = append(list.Messages, m)
		}
	}
	list.Reasons = rejected.ByReason(list.Messages)
	return list
}

func (l keptList) print(p show.Printer, limit int, command report.Command) {
	if len(l.Messages) == 0 {
		p.Line("No message is kept.")
		return
	}
	var rows [][]string
	for _, r := range l.Reasons {
		rows = append(rows, []string{string(r.Reason), fmt.Sprint(r.Messages), p.Ago(&r.Oldest), few(r.Runs)})
	}
	p.Table([]string{"REASON", "MESSAGES", "OLDEST", "RUNS"}, rows)
	p.Line("")
	shown := l.Messages
	if limit > 0 {
		shown = shown[:min(limit, len(shown))]
	}
	printKept(p, shown, "WHAT IS WRONG", func(m *rejected.Message) string { return m.Detail })
	if more := len(l.Messages) - len(shown); more > 0 {
		p.Line("… and %d more (--limit 0 shows all)", more)
	}
	p.Line("")
	p.Line("What to do about each reason: docs/runbook.md#reason-codes. One with its text: %s",
		command.Do("rejected show", "IDENTITY"))
}

func printKept(p show.Printer, messages []*rejected.Message, heading string, text func(*rejected.Message) string) {
	var rows [][]string
	for _, m := range messages {
		rows = append(rows, []string{m.Identity, string(m.Reason), p.Ago(&m.SentAt), few(m.Runs), text(m)})
	}
	p.Table([]string{"IDENTITY", "REASON", "KEPT FOR", "RUN", heading}, rows)
}

// few lists names, of many only the first.
func few(names []string) string {
	const most = 3
	switch {
	case len(names) == 0:
		return "–"
	case len(names) <= most:
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

type rejectedShowCommand struct {
	Identity string `arg:"" help:"The message's identity, as rejected list shows it."`
	Envelope bool   `help:"Only what would be put back, to start the state machine with it or to correct it."`
}

// keptText is what rejected show answers, in a list: several messages may be kept with one identity.
type keptText struct {
	*rejected.Message
	Text string `json:"text"` // what was sent, to the letter
}

func (c *rejectedShowCommand) Run(a *app) error {
	reading, err := a.lookAtKept()
	if err != nil {
		return err
	}
	var found []keptText
	for _, m := range reading.Messages {
		if m.Identity == c.Identity {
			found = append(found, keptText{m, m.Text})
		}
	}
	if len(found) == 0 {
		return noSuchMessage(c.Identity, a.command)
	}
	switch {
	case c.Envelope:
		for _, m := range found {
			fmt.Fprintf(a.out, "%s\n", visible.JSON([]byte(m.Envelope())))
		}
		return nil
	case a.json:
		return a.printJSON(found)
	}
	for i, m := range found {
		if i > 0 {
			a.printer().Line("")
		}
		m.print(a.printer())
	}
	return nil
}

func noSuchMessage(identity string, command report.Command) error {
	return answer{exitNotFound, fmt.Sprintf("no message with the identity %s is kept; list them: %s",
		visible.Quote(identity), command.Do("rejected list"))}
}

func (m keptText) print(p show.Printer) {
	p.Line("%s: %s", p.Tone(show.Bad, string(m.Reason)), m.Detail)
	p.Line("identity %s", m.Identity)
	p.Line("kept since %s", p.Since(&m.SentAt))
	p.Line("runs %s", few(m.Runs))
	if m.ComesBack != "" {
		p.Line("put back as it is, it would come here again: %s", m.ComesBack)
	}
	p.Line("what to do: docs/runbook.md#%s", strings.ToLower(string(m.Reason)))
	p.Line("")
	p.Text(m.Text)
}
