// Package command is the command line of snapshot-status.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/local"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// Exit codes, for scripts.
const (
	exitOK       = 0
	exitFailed   = 1 // the command could not do what it was asked for
	exitUsage    = 2 // the command line is wrong
	exitNotDone  = 3 // the answer is no: a run that is not done, a difference, a finding
	exitNotFound = 4 // the run, collection or message does not exist
)

// commands is the command line. Each command is a struct with a Run method, in a file of its own, and gets an *app.
type commands struct {
	Stack   string `group:"Where" env:"SNAPSHOT_STATUS_STACK" help:"The stack (default: the local one, or ${stack})."`
	Local   bool   `group:"Where" help:"The local stack of this project (make up)."`
	Profile string `group:"Where" help:"Profile of the AWS configuration (or AWS_PROFILE)."`
	Region  string `group:"Where" help:"AWS region (or AWS_REGION)."`
	Names   names  `group:"Where" embed:""`

	Output string `group:"Output" short:"o" enum:"text,json" default:"text" help:"text for people, json for scripts."`
	Color  string `group:"Output" enum:"auto,always,never" default:"auto" help:"Colours: auto is on a terminal."`

	Runs      runsCommand      `cmd:"" help:"List open and recent runs."`
	Show      showCommand      `cmd:"" help:"Show a run with its collections."`
	Why       whyCommand       `cmd:"" help:"Explain what a run or a collection waits for."`
	Files     filesCommand     `cmd:"" help:"List the files that arrived for a collection."`
	Pending   pendingCommand   `cmd:"" help:"List messages that are due and not delivered; deliver them."`
	Reconcile reconcileCommand `cmd:"" help:"Reconcile collections of a run now."`
	Abandon   abandonCommand   `cmd:"" help:"End a run by hand that will never finish."`
	Verify    verifyCommand    `cmd:"" help:"Compare a run's receipts with its counters."`

	Rejected rejectedCommand `cmd:"" help:"List, show, replay or delete rejected messages."`
	Watch    watchCommand    `cmd:"" help:"Follow a run until it is done."`
	Serve    serveCommand    `cmd:"" help:"Serve a page that shows all of this in a browser."`

	Completion    completionCommand    `cmd:"" help:"Print the completion script of a shell."`
	CompleteWords completeWordsCommand `cmd:"" hidden:""`
	Version       kong.VersionFlag     `help:"Show the version."`
	Send          sendCommand          `cmd:"" help:"Send the message of a file."`
	Simulate      simulateCommand      `cmd:"" help:"Play a whole run of a given shape."`
	Doctor        doctorCommand        `cmd:"" help:"Check the deployment."`
}

// names are flags for resources that are not those of the stack.
type names struct {
	ExportStatusTable string `placeholder:"NAME" help:"The export status table."`
	LedgerTable       string `placeholder:"NAME" help:"The ledger."`
	FileReceivedQueue string `placeholder:"URL" help:"The file-received queue."`
	ExportStateQueue  string `placeholder:"URL" help:"The export state queue."`
	RejectedQueue     string `placeholder:"URL" help:"The rejected-messages queue."`
	MonitoringTopic   string `placeholder:"ARN" help:"The monitoring topic."`
	StateMachine      string `placeholder:"ARN" help:"The state machine."`
}

// app is the environment of a command.
type app struct {
	context.Context
	in       io.Reader
	out, err io.Writer
	now      func() time.Time

	json    bool // else for people
	colors  bool
	where   deployment.Where
	command report.Command // how suggested commands begin
	found   *deployment.Deployment
	source  func() (*store.Store, report.Settings) // of tests, in place of the deployment's tables
	lines   lineSource                             // of tests, in place of the deployment's logs
}

// deployment finds the deployment once.
func (a *app) deployment() (deployment.Deployment, error) {
	if a.found == nil {
		found, err := a.where.Find(a)
		if err != nil {
			return found, err
		}
		a.found = &found
	}
	return *a.found, nil
}

// deploymentWith finds the deployment, of which a command needs these outputs.
func (a *app) deploymentWith(outputs ...string) (deployment.Deployment, error) {
	found, err := a.deployment()
	if err == nil {
		err = found.Missing(outputs...)
	}
	return found, err
}

// exit is an error with an exit code other than exitFailed.
type exit struct {
	code int
	text string // empty if the answer says it
}

func (e exit) Error() string { return e.text }

// Main runs the command line of the process and ends it.
func Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first Ctrl-C asks to end; from then on the next one ends the program at once
	a := &app{Context: ctx, in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now}
	code := a.execute(os.Args[1:])
	stop()
	os.Exit(code)
}

// execute runs one command line and returns the exit code.
func (a *app) execute(args []string) int {
	var line commands
	parser, err := newParser(&line, a.out, a.err)
	if err != nil {
		fmt.Fprintln(a.err, "snapshot-status:", err)
		return exitFailed
	}
	var command *kong.Context
	if err = checkText(args); err == nil {
		command, err = parser.Parse(args)
	}
	if err == nil {
		err = checkWords(command)
	}
	if err != nil {
		a.complain(hinted(err, args))
		return exitUsage
	}
	a.json, a.colors, a.where = line.Output == "json", line.colors(a.out), line.where()
	a.command = suggested(parser.Model)
	return a.end(command.Run(a))
}

// end complains about the error of a command, unless the answer says it, and returns the exit code.
func (a *app) end(err error) int {
	if err == nil {
		return exitOK
	}
	failed := exit{code: exitFailed}
	if silent := errors.As(err, &failed) && failed.text == ""; !silent {
		a.complain(err.Error())
	}
	return failed.code
}

// complain writes an error to standard error, in one line.
func (a *app) complain(text string) {
	fmt.Fprintln(a.err, "snapshot-status:", show.Clean(strings.ReplaceAll(text, "\n", "; ")))
}

func newParser(line *commands, out, errOut io.Writer) (*kong.Kong, error) {
	return kong.New(line, kong.Name("snapshot-status"), kong.Writers(out, errOut),
		kong.Description("Shows what snapshot runs wait for, and repairs what can be repaired by hand."),
		kong.Vars{"stack": deployment.DefaultStack, "version": version()})
}

func (c commands) where() deployment.Where {
	n := c.Names
	return deployment.Where{Local: c.Local, Stack: c.Stack, Profile: c.Profile, Region: c.Region, Names: local.Outputs{
		ExportStatusTableName: n.ExportStatusTable, LedgerTableName: n.LedgerTable,
		FileReceivedQueueUrl: n.FileReceivedQueue, ExportStateQueueUrl: n.ExportStateQueue,
		RejectedMessagesQueueUrl: n.RejectedQueue, MonitoringTopicArn: n.MonitoringTopic,
		StateMachineArn: n.StateMachine,
	}}
}

func (c commands) colors(out io.Writer) bool {
	if c.Color != "auto" {
		return c.Color == "always"
	}
	file, ok := out.(*os.File)
	return ok && isTerminal(file) && os.Getenv("NO_COLOR") == ""
}

// version is the version of the source, from Go's build information (make install records it): a release, or the
// commit's time and hash, with +dirty if there were changes.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version + ", " + info.GoVersion
}
