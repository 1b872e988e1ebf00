package command

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/internal/delivery/sendable"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/show"
)

type sendCommand struct {
	OfRun        string    `name:"run" placeholder:"ID" help:"The correlation id."`
	Collection   string    `placeholder:"NAME" help:"The collection."`
	SnapshotType string    `default:"full" help:"full or incremental."`
	ExportDate   string    `placeholder:"DATE" help:"The export's date (default: today, UTC)."`
	File         string    `placeholder:"NAME" help:"The file's name; required with countBy=file."`
	Success      bool      `help:"It is the collection's _success file."`
	From         inputFile `placeholder:"FILE" help:"Send the text of this file (- for standard input)."`
	Identity     string    `placeholder:"ID" help:"The message's identity (default: a new one)."`
	AsIs         bool      `help:"Send it even if it would be rejected."`
	Yes          bool      `short:"y" help:"Do it. Without --yes: a dry run."`
}

func (c *sendCommand) Help() string {
	return "Sends the message of a received file to the file-received queue. Refuses a message that would be " +
		"rejected. It does not check whether the collection has a row, and a dry run not whether countBy=file needs " +
		"a file name. Exits with 3 if the message would be rejected."
}

// sending is the answer of send.
type sending struct {
	Sent      bool       `json:"sent"`                 // false: a dry run
	MessageID string     `json:"message_id,omitempty"` // of the message that was sent
	Text      string     `json:"text"`                 // exactly as sent
	Messages  []readback `json:"messages"`             // that are read from it
}

// readback is a message as the functions will read it.
type readback struct {
	Run         string `json:"run,omitempty"`
	Collection  string `json:"collection,omitempty"`
	File        string `json:"file,omitempty"`
	SuccessFile bool   `json:"success_file"`
	Rejected    string `json:"rejected,omitempty"` // why it would be
}

func (c *sendCommand) Run(a *app) error {
	text, err := c.text(a)
	if err != nil {
		return err
	}
	said := sending{Text: text, Messages: []readback{}}
	rejected := 0
	receipts, err := c.receipts(a, text)
	if err == nil {
		err = c.check(text, receipts)
	}
	if err != nil {
		return err
	}
	for _, receipt := range receipts {
		m := receipt.Message
		if m.Filename == snapshot.FilenameNotSet {
			m.Filename = ""
		}
		read := readback{Run: m.CorrelationID, Collection: m.CollectionName, File: m.Filename,
			SuccessFile: m.IsSuccessFile}
		if receipt.Rejection != nil {
			read.Rejected = receipt.Rejection.Error()
			rejected++
		}
		said.Messages = append(said.Messages, read)
	}
	if c.Yes && (rejected == 0 || c.AsIs) {
		if said.MessageID, err = a.send(text, c.Identity != "", a.checkFirst(receipts)); err != nil {
			return err
		}
		said.Sent = true
	}
	err = a.answer(said, func(p show.Printer) { said.print(p, rejected > 0 && !c.AsIs) })
	if said.Sent {
		err = deployment.AfterEffect(err, "the message was sent as "+said.MessageID+", do not send it again")
	}
	return notDone(rejected == 0 || c.AsIs, err)
}

// receipts reads the text as increment will. Only before sending a text that is valid by itself does it ask the
// deployment what else is required.
func (c *sendCommand) receipts(a *app, text string) ([]snapshot.Receipt, error) {
	receipts := snapshot.Unwrap([]byte(text), "new")
	rejected := func(receipt snapshot.Receipt) bool { return receipt.Rejection != nil }
	if !c.Yes || c.AsIs || slices.ContainsFunc(receipts, rejected) {
		return receipts, nil
	}
	found, err := a.deployment()
	return found.Settings.CountBy.Validate(receipts), err
}

// text is what is to be sent.
func (c *sendCommand) text(a *app) (string, error) {
	text, err := c.message(a)
	if err != nil || c.Identity == "" {
		return text, err
	}
	return (&rejected.Message{Identity: c.Identity, Text: text}).Envelope(), nil
}

func (c *sendCommand) message(a *app) (string, error) {
	fromFlags := c.OfRun != "" || c.Collection != "" || c.File != "" || c.Success || c.ExportDate != ""
	if fromFlags == (c.From != "") {
		return "", exit{exitUsage, "say what to send: --run and --collection with other flags, or --from FILE"}
	}
	if c.From != "" {
		text, err := c.From.read(a)
		if err != nil {
			return "", fmt.Errorf("reading what to send: %w", err)
		}
		return text, nil
	}
	if c.ExportDate == "" {
		c.ExportDate = a.now().UTC().Format(time.DateOnly)
	}
	return sendable.JSON(struct {
		CorrelationID  string `json:"correlation_id"`
		CollectionName string `json:"collection_name"`
		SnapshotType   string `json:"snapshot_type"`
		ExportDate     string `json:"export_date"`
		IsSuccessFile  string `json:"is_success_file"`
		Filename       string `json:"filename,omitempty"`
	}{c.OfRun, c.Collection, c.SnapshotType, c.ExportDate, fmt.Sprint(c.Success), c.File}), nil
}

// check refuses what SQS would refuse, and an identity that the functions would not use.
func (c *sendCommand) check(text string, receipts []snapshot.Receipt) error {
	if at := strings.IndexFunc(text, sendable.Refused); at >= 0 {
		r, _ := utf8.DecodeRuneInString(text[at:])
		return fmt.Errorf("line %d has %s, which SQS does not accept; write it as an escape",
			1+strings.Count(text[:at], "\n"), show.Clean(string(r)))
	}
	if text == "" {
		return errors.New("there is nothing to send: the text is empty")
	}
	for _, receipt := range receipts {
		own := receipt.Identity == c.Identity || strings.HasPrefix(receipt.Identity, c.Identity+"/")
		if c.Identity != "" && !own {
			return fmt.Errorf("--identity %s would have no effect: a message of the text has the identity %s; sent "+
				"again, it might count twice", show.Quote(c.Identity), show.Quote(receipt.Identity))
		}
	}
	return nil
}

// checkFirst is the command that shows whether a message arrived.
func (a *app) checkFirst(receipts []snapshot.Receipt) string {
	for _, receipt := range receipts {
		if receipt.Rejection == nil {
			return a.command.Do("files", receipt.Message.CorrelationID, receipt.Message.CollectionName)
		}
	}
	return a.command.Do("rejected list")
}

// send sends a text to the file-received queue. The error says whether it may have been sent, and whether trying again
// is safe: it is if the text has an identity. Without one it tries once, since SQS makes each try a message of its own.
func (a *app) send(text string, identified bool, checkFirst string) (messageID string, err error) {
	found, err := a.deploymentWith("FileReceivedQueueUrl")
	if err != nil {
		return "", err
	}
	queue := rejected.Queues{SQS: sqs.NewFromConfig(found.Config), FileReceived: found.FileReceivedQueueUrl}
	most, err := queue.MostBytes(a)
	switch {
	case err != nil:
		return "", deployment.AfterEffect(err, "nothing was sent")
	case len(text) > most:
		return "", fmt.Errorf("the text has %d bytes, but the file-received queue accepts at most %d; nothing was sent",
			len(text), most)
	}
	perhaps := "it may have been sent; sent again, it would count twice; check first whether it arrived: " + checkFirst
	once := func(o *sqs.Options) { o.RetryMaxAttempts = 1 }
	if identified {
		perhaps = "it may have been sent; trying again with the same --identity is safe: it counts once"
		once = func(*sqs.Options) {}
	}
	sent, err := queue.SQS.SendMessage(a, &sqs.SendMessageInput{QueueUrl: &found.FileReceivedQueueUrl,
		MessageBody: &text}, once)
	if err != nil {
		return "", deployment.EffectOf(fmt.Errorf("sending to the file-received queue: %w", err), "nothing was sent",
			perhaps)
	}
	return aws.ToString(sent.MessageId), nil
}

func (s sending) print(p show.Printer, refused bool) {
	p.Text(strings.TrimRight(s.Text, "\r\n"))
	p.Line("")
	for _, m := range s.Messages {
		file := cmp.Or(m.File, "no name")
		switch {
		case m.Rejected != "":
			p.Line("%s %s", p.Tone(show.Bad, "would be rejected:"), m.Rejected)
		case m.SuccessFile:
			p.Line("the _success file of %s, run %s (%s)", m.Collection, m.Run, file)
		default:
			p.Line("a file of %s, run %s (%s)", m.Collection, m.Run, file)
		}
	}
	switch {
	case s.Sent:
		p.Line("Sent as message %s.", s.MessageID)
	case refused:
		p.Line("Not sent. To send it anyway, add --as-is")
	default:
		p.Line("Would be sent. To do it, add --yes")
	}
}
