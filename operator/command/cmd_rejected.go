package command

import (
	"cmp"
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
	List   rejectedListCommand   `cmd:"" help:"List rejected messages by reason, or dead letters."`
	Show   rejectedShowCommand   `cmd:"" help:"Show a rejected message or a dead letter with its text."`
	Replay rejectedReplayCommand `cmd:"" help:"Send rejected messages or dead letters again; each counts once."`
	Delete rejectedDeleteCommand `cmd:"" help:"Delete rejected messages or dead letters for good."`
}

func (c *rejectedCommand) Help() string {
	return "SQS cannot list a queue without hiding its messages from other readers. These commands receive all " +
		"messages of the rejected-messages queue and make them visible again at once, also after an error or Ctrl-C. " +
		"Two people who do this at the same time see a part each. With --dead-letters, they receive the messages of " +
		"the file-received queue's dead-letter queue instead."
}

// release makes visible again what is still held, except these messages. An error is only reported: the messages become
// visible by themselves.
func (a *app) release(reading *rejected.Reading, except ...*rejected.Message) {
	if err := reading.Release(a, except...); err != nil {
		a.complain(err.Error())
	}
}

const deadLettersSection = "file-received-dead-letters" // of the runbook

// readQueue selects the queue whose messages are read.
type readQueue struct {
	DeadLetters bool `help:"The dead letters of the file-received queue, instead of the rejected messages."`
}

// queueWords are what answers say of a queue.
type queueWords struct {
	flag    string // selects the same queue in a suggested command
	name    string
	one     string // a message of it
	filters string // the flags that select messages of it
	advice  string
}

func (q readQueue) words() queueWords {
	if q.DeadLetters {
		return queueWords{" --dead-letters", "dead-letter queue of the file-received queue", "dead letter", "--run",
			"What to do: docs/runbook.md#" + deadLettersSection + "."}
	}
	return queueWords{"", "rejected-messages queue", "rejected message", "--reason and --run",
		"What to do for each reason: docs/runbook.md#reason-codes."}
}

func (q readQueue) noSuchMessage(identity string, command report.Command) error {
	return exit{exitNotFound, fmt.Sprintf("there is no %s with the identity %s; list them: %s", q.words().one,
		show.Quote(identity), command.Do("rejected list"+q.words().flag))}
}

// queues finds the queue to read.
func (q readQueue) queues(a *app) (rejected.Queues, error) {
	needs := []string{"RejectedMessagesQueueUrl", "FileReceivedQueueUrl"}
	if q.DeadLetters {
		needs = needs[1:]
	}
	found, err := a.deploymentWith(needs...)
	if err != nil {
		return rejected.Queues{}, err
	}
	queues := rejected.Queues{SQS: sqs.NewFromConfig(found.Config), Rejected: found.RejectedMessagesQueueUrl,
		FileReceived: found.FileReceivedQueueUrl, CountBy: found.Settings.CountBy}
	if q.DeadLetters {
		return queues.DeadLetters(a)
	}
	return queues, nil
}

// receive receives all messages of the queue. The caller makes visible again what it does not need.
func (q readQueue) receive(a *app) (*rejected.Reading, error) {
	queues, err := q.queues(a)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(a.err, "Reading the %s. Until this ends, other readers do not see its messages.\n", q.words().name)
	reading, err := queues.Read(a)
	if err != nil {
		return nil, err
	}
	note := func(n int, format string) {
		if n > 0 {
			fmt.Fprintf(a.err, format+"\n", n)
		}
	}
	note(reading.InFlight, "The list is incomplete: another reader holds about %d messages.")
	note(reading.NotReceived, "The list is incomplete: the queue did not return about %d of its messages. Try again.")
	note(reading.OfOtherQueues, "Left out: %d messages of other queues, which have the same dead-letter queue.")
	return reading, nil
}

// list receives all messages of the queue and makes them visible again.
func (q readQueue) list(a *app) (*rejected.Reading, error) {
	reading, err := q.receive(a)
	if err == nil {
		a.release(reading)
	}
	return reading, err
}

// messageFilter selects messages of a queue.
type messageFilter struct {
	readQueue
	Reason string `placeholder:"CODE" help:"Only messages with this reason code."`
	OfRun  string `name:"run" placeholder:"ID" help:"Only messages whose text contains this correlation id."`
}

func (f messageFilter) check() error {
	if f.Reason != "" && f.DeadLetters {
		return exit{exitUsage, "--reason does not apply to dead letters: nothing rejected them, so they have no " +
			"reason code; select them by --run or IDENTITY"}
	}
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
	// OfOtherQueues is how many messages of other queues the dead-letter queue has; they are left out.
	OfOtherQueues int `json:"of_other_queues,omitempty"`
}

func (c *rejectedListCommand) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	reading, err := c.list(a)
	if err != nil {
		return err
	}
	list := rejectedList{Reasons: []rejected.Group{}, Messages: []*rejected.Message{}, InFlight: reading.InFlight,
		Missing: reading.NotReceived, OfOtherQueues: reading.OfOtherQueues}
	for _, m := range reading.Messages {
		if c.wants(m) {
			list.Messages = append(list.Messages, m)
		}
	}
	if !c.DeadLetters {
		list.Reasons = rejected.ByReason(list.Messages)
	}
	return a.answer(list, func(p show.Printer) {
		list.print(p, c.Limit)
		if len(list.Messages) > 0 {
			p.Line("")
			p.Line("%s Show a message with its text: %s", c.words().advice, a.command.Do("rejected show"+c.words().flag,
				"IDENTITY"))
		}
	})
}

func (l rejectedList) print(p show.Printer, limit int) {
	if len(l.Messages) == 0 {
		p.Line("There are no such messages.")
		return
	}
	var rows [][]string
	for _, r := range l.Reasons {
		rows = append(rows, []string{string(r.Reason), fmt.Sprint(r.Messages), p.Ago(&r.Oldest), few(r.Runs)})
	}
	if len(rows) > 0 {
		p.Table([]string{"REASON", "MESSAGES", "OLDEST", "RUNS"}, rows)
		p.Line("")
	}
	shown := l.Messages
	if limit > 0 {
		shown = shown[:min(limit, len(shown))]
	}
	printMessages(p, shown, "DETAIL", detail)
	if more := len(l.Messages) - len(shown); more > 0 {
		p.Line("… and %d more (--limit 0 shows all)", more)
	}
}

// detail is why a message is in its queue, as far as that is known.
func detail(m *rejected.Message) string {
	if m.DeadLetter() && m.RejectedAgain != "" {
		return m.Detail + "; a replay " + m.WouldBeRejected()
	}
	return m.Detail
}

func printMessages(p show.Printer, messages []*rejected.Message, heading string, text func(*rejected.Message) string) {
	var rows [][]string
	for _, m := range messages {
		reason := cmp.Or(string(m.Reason), "–")
		rows = append(rows, []string{m.Identity, reason, p.Ago(&m.SentAt), few(m.Runs), text(m)})
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
	readQueue
	Identity string `arg:"" help:"The message's identity, from rejected list."`
	Envelope bool   `help:"Only the envelope that replay would send."`
}

// rejectedText is the answer of rejected show, in a list: several rejected messages may have the same identity.
type rejectedText struct {
	*rejected.Message
	Text string `json:"text"` // exactly as it was sent
}

func (c *rejectedShowCommand) Run(a *app) error {
	reading, err := c.list(a)
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
		return c.noSuchMessage(c.Identity, a.command)
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

func (m rejectedText) print(p show.Printer) {
	reason, since, section := string(m.Reason), "rejected", strings.ToLower(string(m.Reason))
	if m.DeadLetter() {
		reason, since, section = "DEAD LETTER", "sent", deadLettersSection
	}
	p.Line("%s: %s", p.Tone(show.Bad, reason), m.Detail)
	p.Line("identity: %s", m.Identity)
	p.Line("%s: %s", since, p.Since(&m.SentAt))
	p.Line("runs: %s", few(m.Runs))
	if m.RejectedAgain != "" {
		p.Line("a replay %s", m.WouldBeRejected())
	}
	p.Line("what to do: docs/runbook.md#%s", section)
	p.Line("")
	p.Text(m.Text)
}
