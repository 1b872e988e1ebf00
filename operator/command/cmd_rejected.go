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
)

type rejectedCommand struct {
	List   rejectedListCommand   `cmd:"" help:"List rejected messages by reason."`
	Show   rejectedShowCommand   `cmd:"" help:"Show a rejected message with its text."`
	Replay rejectedReplayCommand `cmd:"" help:"Send rejected messages again; each counts once."`
	Delete rejectedDeleteCommand `cmd:"" help:"Delete rejected messages for good."`
}

func (c *rejectedCommand) Help() string {
	return "SQS cannot list a queue without hiding its messages from other readers. These commands receive all " +
		"messages of the rejected-messages queue and make them visible again at once, also after an error or Ctrl-C. " +
		"Two people who do this at the same time see a part each."
}

// readRejected receives all rejected messages. The caller makes visible again what it does not need.
func (a *app) readRejected() (*rejected.Reading, error) {
	found, err := a.deploymentWith("RejectedMessagesQueueUrl", "FileReceivedQueueUrl")
	if err != nil {
		return nil, err
	}
	queues := rejected.Queues{SQS: sqs.NewFromConfig(found.Config), Rejected: found.RejectedMessagesQueueUrl,
		FileReceived: found.FileReceivedQueueUrl}
	fmt.Fprintln(a.err, "Reading the rejected-messages queue. Until this ends, other readers do not see its messages.")
	reading, err := queues.Read(a)
	if err != nil {
		return nil, err
	}
	if reading.InFlight > 0 {
		fmt.Fprintf(a.err, "The list is incomplete: another reader holds about %d messages.\n", reading.InFlight)
	}
	if reading.NotReceived > 0 {
		fmt.Fprintf(a.err, "The list is incomplete: the queue did not return about %d of its messages. Try again.\n",
			reading.NotReceived)
	}
	return reading, nil
}

// listRejected receives all rejected messages and makes them visible again.
func (a *app) listRejected() (*rejected.Reading, error) {
	reading, err := a.readRejected()
	if err == nil {
		a.release(reading)
	}
	return reading, err
}

// release makes visible again what is still held, except these messages. An error is only reported: the messages become
// visible by themselves.
func (a *app) release(reading *rejected.Reading, except ...*rejected.Message) {
	if err := reading.Release(a, except...); err != nil {
		a.complain(err.Error())
	}
}

// messageFilter selects rejected messages.
type messageFilter struct {
	Reason string `placeholder:"CODE" help:"Only messages with this reason code."`
	OfRun  string `name:"run" placeholder:"ID" help:"Only messages whose text contains this correlation id."`
}

func (f messageFilter) check() error {
	if f.Reason == "" || slices.Contains(snapshot.Reasons, snapshot.Reason(f.Reason)) {
		return nil
	}
	return exit{exitUsage, fmt.Sprintf("there is no reason %q; the reasons are %s", f.Reason,
		strings.Trim(strings.ReplaceAll(fmt.Sprint(snapshot.Reasons), " ", ", "), "[]"))}
}

func (f messageFilter) wants(m *rejected.Message) bool {
	return (f.Reason == "" || string(m.Reason) == f.Reason) && (f.OfRun == "" || slices.Contains(m.Runs, f.OfRun))
}

type rejectedListCommand struct {
	messageFilter
	Limit int `default:"40" help:"Messages at most, the oldest first; 0 for all. JSON has all of them."`
}

// rejectedList is the answer of rejected list.
type rejectedList struct {
	Reasons  []rejected.Group    `json:"reasons"`
	Messages []*rejected.Message `json:"messages"`
	InFlight int                 `json:"in_flight"`    // messages that another reader holds, approximately
	Missing  int                 `json:"not_received"` // messages that the queue did not return, approximately
}

func (c *rejectedListCommand) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	reading, err := a.listRejected()
	if err != nil {
		return err
	}
	list := rejectedList{Messages: []*rejected.Message{}, InFlight: reading.InFlight, Missing: reading.NotReceived}
	for _, m := range reading.Messages {
		if c.wants(m) {
			list.Messages = append(list.Messages, m)
		}
	}
	list.Reasons = rejected.ByReason(list.Messages)
	return a.answer(list, func(p show.Printer) { list.print(p, c.Limit, a.command) })
}

func (l rejectedList) print(p show.Printer, limit int, command report.Command) {
	if len(l.Messages) == 0 {
		p.Line("There are no such messages.")
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
	printMessages(p, shown, "DETAIL", func(m *rejected.Message) string { return m.Detail })
	if more := len(l.Messages) - len(shown); more > 0 {
		p.Line("… and %d more (--limit 0 shows all)", more)
	}
	p.Line("")
	p.Line("What to do for each reason: docs/runbook.md#reason-codes. Show a message with its text: %s",
		command.Do("rejected show", "IDENTITY"))
}

func printMessages(p show.Printer, messages []*rejected.Message, heading string, text func(*rejected.Message) string) {
	var rows [][]string
	for _, m := range messages {
		rows = append(rows, []string{m.Identity, string(m.Reason), p.Ago(&m.SentAt), few(m.Runs), text(m)})
	}
	p.Table([]string{"IDENTITY", "REASON", "AGE", "RUN", heading}, rows)
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
	Identity string `arg:"" help:"The message's identity, from rejected list."`
	Envelope bool   `help:"Only the envelope that replay would send."`
}

// rejectedText is the answer of rejected show, in a list: several rejected messages may have the same identity.
type rejectedText struct {
	*rejected.Message
	Text string `json:"text"` // exactly as it was sent
}

func (c *rejectedShowCommand) Run(a *app) error {
	reading, err := a.listRejected()
	if err != nil {
		return err
	}
	var found []rejectedText
	var envelopes strings.Builder
	for _, m := range reading.Messages {
		if m.Identity == c.Identity {
			found = append(found, rejectedText{m, m.Text})
			fmt.Fprintf(&envelopes, "%s\n", show.JSON([]byte(m.Envelope())))
		}
	}
	switch {
	case len(found) == 0:
		return noSuchMessage(c.Identity, a.command)
	case c.Envelope:
		return a.write([]byte(envelopes.String()))
	}
	return a.answer(found, func(p show.Printer) {
		for i, m := range found {
			if i > 0 {
				p.Line("")
			}
			m.print(p)
		}
	})
}

func noSuchMessage(identity string, command report.Command) error {
	return exit{exitNotFound, fmt.Sprintf("there is no rejected message with the identity %s; list them: %s",
		show.Quote(identity), command.Do("rejected list"))}
}

func (m rejectedText) print(p show.Printer) {
	p.Line("%s: %s", p.Tone(show.Bad, string(m.Reason)), m.Detail)
	p.Line("identity: %s", m.Identity)
	p.Line("rejected: %s", p.Since(&m.SentAt))
	p.Line("runs: %s", few(m.Runs))
	if m.RejectedAgain != "" {
		p.Line("a replay would be rejected again: %s", m.RejectedAgain)
	}
	p.Line("what to do: docs/runbook.md#%s", strings.ToLower(string(m.Reason)))
	p.Line("")
	p.Text(m.Text)
}
