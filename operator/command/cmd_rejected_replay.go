package command

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// messageSelection selects messages to replay or delete. All of them need --all.
type messageSelection struct {
	Identity string `arg:"" optional:"" help:"The message's identity, from rejected list."`
	messageFilter
	All bool `help:"All messages of the queue."`
}

// read receives the queue's messages and returns those that are selected. The others are visible again.
func (s messageSelection) read(a *app) (*rejected.Reading, []*rejected.Message, error) {
	if err := s.check(); err != nil {
		return nil, nil, err
	}
	filtered := s.Reason != "" || s.OfRun != ""
	if many := filtered || s.All; many == (s.Identity != "") || s.All && filtered {
		return nil, nil, exit{exitUsage, "select the messages: one IDENTITY, or " + s.words().filters + ", or --all"}
	}
	reading, err := s.receive(a)
	if err != nil {
		return nil, nil, err
	}
	var selected []*rejected.Message
	for _, m := range reading.Messages {
		if (s.Identity == "" || m.Identity == s.Identity) && s.wants(m) {
			selected = append(selected, m)
		}
	}
	a.release(reading, selected...)
	if s.Identity != "" && len(selected) == 0 {
		return nil, nil, s.noSuchMessage(s.Identity, a.command)
	}
	return reading, selected, nil
}

// handled is the answer of rejected replay and rejected delete.
type handled struct {
	DryRun   bool             `json:"dry_run"` // the outcomes are what would be
	Messages []handledMessage `json:"messages"`
}

// handledMessage is a message with its outcome.
type handledMessage struct {
	*rejected.Message
	Outcome outcome `json:"outcome"`
	Error   string  `json:"error,omitempty"` // why it stays
}

type outcome string

const (
	replayed outcome = "replayed"
	deleted  outcome = "deleted"
	stays    outcome = "stays"
)

// add adds outcomes. All are the messages of the queue.
func (h *handled) add(outcomes []rejected.Outcome, done outcome, a *app, all []*rejected.Message) {
	for _, o := range outcomes {
		m := handledMessage{Message: o.Message, Outcome: stays}
		if o.Done {
			m.Outcome = done
		}
		if o.Err != nil {
			m.Error = o.Err.Error()
		}
		if errors.As(o.Err, new(*rejected.TooLargeError)) {
			m.Error += "; " + a.startWith(o.Message, all)
		}
		h.Messages = append(h.Messages, m)
	}
}

// startWith suggests how to start the state machine with a message that is too large to replay.
func (a *app) startWith(message *rejected.Message, all []*rejected.Message) string {
	queue := readQueue{DeadLetters: message.DeadLetter()}
	envelope := a.command.Do("rejected show --envelope"+queue.words().flag, message.Identity)
	same := 0
	for _, m := range all {
		if m.Identity == message.Identity {
			same++
		}
	}
	if same > 1 { // the state machine takes one envelope
		return fmt.Sprintf("%d messages have this identity: start the state machine with each envelope, then delete "+
			"them here. The envelopes, one a line: %s", same, envelope)
	}
	return "start the state machine with it, then delete it here: " + envelope + " > replay.json && " +
		suggestedAWS(a.where, *a.found).Do("stepfunctions start-execution "+report.Flag("state-machine-arn",
			cmp.Or(a.found.StateMachineArn, "ARN"))+" --input=file://replay.json")
}

// answer prints the outcomes. A message that stays is exitNotDone.
func (h handled) answer(a *app, done outcome) error {
	finished := 0
	for _, m := range h.Messages {
		if m.Outcome == done {
			finished++
		}
	}
	result := fmt.Sprintf("%d of %d messages were %s", finished, len(h.Messages), done)
	err := a.answer(h, func(p show.Printer) { h.print(p, result) })
	if !h.DryRun {
		err = deployment.AfterEffect(err, result)
	}
	return notDone(finished == len(h.Messages), err)
}

func (h handled) print(p show.Printer, result string) {
	if len(h.Messages) == 0 {
		p.Line("There are no such messages.")
		return
	}
	results := map[*rejected.Message]string{}
	var messages []*rejected.Message
	for _, m := range h.Messages {
		messages, results[m.Message] = append(messages, m.Message), string(m.Outcome)
		if m.Error != "" {
			results[m.Message] = p.Tone(show.Bad, string(m.Outcome)) + ": " + m.Error
		}
	}
	heading := "RESULT"
	if h.DryRun {
		heading = "EXPECTED RESULT"
		result = strings.Replace(result, " were ", " would be ", 1) + ". To do it, add --yes"
	} else {
		result += "."
	}
	printMessages(p, messages, heading, func(m *rejected.Message) string { return results[m] })
	p.Line("")
	p.Line("%s", result)
}

type rejectedReplayCommand struct {
	messageSelection
	AsIs bool `help:"Also messages whose text would be rejected again."`
	Yes  bool `short:"y" help:"Do it. Without --yes: a dry run."`
}

func (c *rejectedReplayCommand) Help() string {
	return "Sends messages to the file-received queue again, with their original identity, and deletes them from the " +
		"rejected-messages queue. Each counts once, however often you do this and wherever it is interrupted. Remove " +
		"the cause first: a message that would be rejected again stays (docs/runbook.md#reason-codes). With " +
		"--dead-letters alone: all dead letters of the file-received queue. Exits with 3 if a message stays."
}

func (c *rejectedReplayCommand) Run(a *app) error {
	if c.DeadLetters && c.Identity == "" && c.OfRun == "" {
		c.All = true // a replay of all is what the runbook says, and harmless
	}
	reading, selected, err := c.read(a)
	if err != nil {
		return err
	}
	defer a.release(reading)
	said := handled{DryRun: !c.Yes, Messages: []handledMessage{}}
	var good []*rejected.Message
	for _, m := range selected {
		if m.RejectedAgain == "" || c.AsIs && m.Identity != "" {
			good = append(good, m)
			continue
		}
		said.Messages = append(said.Messages, handledMessage{m, stays, "it " + m.WouldBeRejected() +
			" (--as-is replays it anyway)"})
	}
	a.release(reading, good...)
	do := reading.WouldReplay
	if c.Yes {
		do = reading.Replay
	}
	outcomes, err := do(a, good)
	if err != nil {
		return err
	}
	said.add(outcomes, replayed, a, reading.Messages)
	return said.answer(a, replayed)
}

type rejectedDeleteCommand struct {
	messageSelection
	Yes bool `short:"y" help:"Do it without asking."`
}

func (c *rejectedDeleteCommand) Help() string {
	return "Deletes messages from the rejected-messages queue for good, with --dead-letters from the file-received " +
		"queue's dead-letter queue. Asks before, unless you add --yes. Exits with 3 if a message stays."
}

func (c *rejectedDeleteCommand) Run(a *app) error {
	reading, selected, err := c.read(a)
	if err != nil {
		return err
	}
	defer a.release(reading)
	said := handled{Messages: []handledMessage{}}
	if len(selected) > 0 && !c.Yes && !c.agreed(a, selected) {
		return exit{exitNotDone, "nothing was deleted"}
	}
	said.add(reading.Delete(a, selected), deleted, a, reading.Messages)
	return said.answer(a, deleted)
}

// agreed asks, on standard error, and takes only the number for a yes.
func (c *rejectedDeleteCommand) agreed(a *app, selected []*rejected.Message) bool {
	p := a.printer(a.err)
	printMessages(p, selected, "DETAIL", detail)
	fmt.Fprintf(a.err, "\nThis deletes %d messages for good. To confirm, type %d: ", len(selected), len(selected))
	line, _ := typed(a, a.in, func(in io.Reader) (string, error) { return bufio.NewReader(in).ReadString('\n') })
	return strings.TrimSpace(line) == fmt.Sprint(len(selected))
}
