package command

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"snapshot-status-checker/operator/effect"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// keptSelection picks messages to do something with: one by its identity, or many, but never all by mistake.
type keptSelection struct {
	Identity string `arg:"" optional:"" help:"The message's identity, as rejected list shows it."`
	keptFilter
	All bool `help:"All kept messages."`
}

func (s keptSelection) check() error {
	filtered := s.Reason != "" || s.OfRun != ""
	if many := filtered || s.All; many == (s.Identity != "") || s.All && filtered {
		return answer{exitUsage, "say which messages: one IDENTITY, or --reason and --run, or --all"}
	}
	return s.keptFilter.check()
}

// of picks the messages. One that was asked for by its identity and is not there is exitNotFound.
func (s keptSelection) of(all []*rejected.Message, command report.Command) (picked []*rejected.Message, err error) {
	for _, m := range all {
		if (s.Identity == "" || m.Identity == s.Identity) && s.wants(m) {
			picked = append(picked, m)
		}
	}
	if s.Identity != "" && len(picked) == 0 {
		return nil, noSuchMessage(s.Identity, command)
	}
	return picked, nil
}

// handled is what rejected replay and rejected drop answer.
type handled struct {
	DryRun   bool          `json:"dry_run"` // nothing was done: the outcomes are what would be
	Messages []handledKept `json:"messages"`
}

// handledKept is what became of a message.
type handledKept struct {
	*rejected.Message
	Outcome outcome `json:"outcome"`
	Error   string  `json:"error,omitempty"` // why it stays
}

type outcome string

const (
	putBack outcome = "put back"
	dropped outcome = "dropped"
	stays   outcome = "stays"
)

// add notes what became of messages.
func (h *handled) add(outcomes []rejected.Outcome, done outcome, a *app) {
	for _, o := range outcomes {
		became := handledKept{Message: o.Message, Outcome: stays}
		if o.Done {
			became.Outcome = done
		}
		if o.Err != nil {
			became.Error = o.Err.Error()
		}
		if errors.As(o.Err, new(*rejected.TooLargeError)) {
			became.Error += "; start the state machine with it, and then drop it here: " +
				a.command.Do("rejected show --envelope", o.Identity) + " > back.json && " +
				suggestedAWS(a.where, *a.found).Do("stepfunctions start-execution "+report.Flag("state-machine-arn",
					cmp.Or(a.found.StateMachineArn, "ARN"))+" --input=file://back.json")
		}
		h.Messages = append(h.Messages, became)
	}
}

// answer prints what became of the messages. One that stays is exitNotDone.
func (h handled) answer(a *app, done outcome) error {
	stay := 0
	for _, m := range h.Messages {
		if m.Outcome == stays {
			stay++
		}
	}
	if a.json {
		err := a.printJSON(h)
		if !h.DryRun {
			err = effect.After(err, fmt.Sprintf("%d of %d messages were %s", len(h.Messages)-stay, len(h.Messages),
				done))
		}
		if err != nil {
			return err
		}
		return notDone(stay == 0)
	}
	h.print(a.printer(), done, stay)
	return notDone(stay == 0)
}

func (h handled) print(p show.Printer, done outcome, stay int) {
	if len(h.Messages) == 0 {
		p.Line("No message like that is kept.")
		return
	}
	became := map[*rejected.Message]string{}
	var messages []*rejected.Message
	for _, m := range h.Messages {
		messages = append(messages, m.Message)
		became[m.Message] = string(m.Outcome)
		if m.Error != "" {
			became[m.Message] = p.Tone(show.Bad, string(m.Outcome)) + ": " + m.Error
		}
	}
	heading := "WHAT BECAME OF IT"
	if h.DryRun {
		heading = "WHAT WOULD BECOME OF IT"
	}
	printKept(p, messages, heading, func(m *rejected.Message) string { return became[m] })
	p.Line("")
	if h.DryRun {
		p.Line("%d of %d would be %s. Do it: --yes", len(h.Messages)-stay, len(h.Messages), done)
		return
	}
	p.Line("%d of %d were %s.", len(h.Messages)-stay, len(h.Messages), done)
}

type rejectedReplayCommand struct {
	keptSelection
	AsIs bool `help:"Also messages whose text would be rejected again."`
	Yes  bool `short:"y" help:"Do it. Without, it only says what it would do."`
}

func (c *rejectedReplayCommand) Help() string {
	return `Puts messages back on the file-received queue with the identity that they came with, and deletes them from the rejected-messages queue. So each counts once, however often this is done, and also if it is interrupted. First remove the cause: what would be rejected again stays (docs/runbook.md#reason-codes). Exits with 3 if a message stays.`
}

func (c *rejectedReplayCommand) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	reading, err := a.readKept()
	if err != nil {
		return err
	}
	defer a.giveBack(reading)
	picked, err := c.of(reading.Messages, a.command)
	if err != nil {
		return err
	}
	said := handled{DryRun: !c.Yes, Messages: []handledKept{}}
	var good []*rejected.Message
	for _, m := range picked {
		if m.ComesBack == "" || c.AsIs && m.Identity != "" {
			good = append(good, m)
			continue
		}
		said.Messages = append(said.Messages, handledKept{m, stays, "it would come here again: " + m.ComesBack +
			" (--as-is puts it back all the same)"})
	}
	a.giveBack(reading, good...)
	do := reading.WouldReplay
	if c.Yes {
		do = reading.Replay
	}
	outcomes, err := do(a, good)
	if err != nil {
		return err
	}
	said.add(outcomes, putBack, a)
	return said.answer(a, putBack)
}

type rejectedDropCommand struct {
	keptSelection
	Yes bool `short:"y" help:"Do it without asking."`
}

func (c *rejectedDropCommand) Help() string {
	return "Deletes messages from the rejected-messages queue for good. It asks before, unless there is --yes. " +
		"Exits with 3 if a message stays."
}

func (c *rejectedDropCommand) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	reading, err := a.readKept()
	if err != nil {
		return err
	}
	defer a.giveBack(reading)
	picked, err := c.of(reading.Messages, a.command)
	if err != nil {
		return err
	}
	a.giveBack(reading, picked...)
	said := handled{Messages: []handledKept{}}
	if len(picked) > 0 && !c.Yes && !c.agreed(a, picked) {
		return answer{exitNotDone, "nothing was dropped"}
	}
	said.add(reading.Delete(a, picked), dropped, a)
	return said.answer(a, dropped)
}

// agreed asks, on standard error, and takes only the number for a yes.
func (c *rejectedDropCommand) agreed(a *app, picked []*rejected.Message) bool {
	p := a.printer()
	p.Out = a.err
	printKept(p, picked, "WHAT IS WRONG", func(m *rejected.Message) string { return m.Detail })
	fmt.Fprintf(a.err, "\nThis deletes %d messages for good. Type %d to go on: ", len(picked), len(picked))
	line, _ := typed(a, a.in, func(in io.Reader) (string, error) { return bufio.NewReader(in).ReadString('\n') })
	return strings.TrimSpace(line) == fmt.Sprint(len(picked))
}
