package command

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/effect"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
	"snapshot-status-checker/operator/visible"
	"snapshot-status-checker/test/scenario"
)

type simulateCommand struct {
	OfRun       string        `name:"run" placeholder:"ID" help:"The run's correlation id (default: a new one)."`
	Collections int           `default:"6" help:"Collections of the run."`
	Files       int           `default:"5" help:"Files of each collection."`
	Duplicates  float64       `placeholder:"SHARE" help:"Share of the files' messages that come twice, 0 to 1."`
	Malformed   int           `help:"Messages that are rejected."`
	LateSent    int           `help:"Collections whose status Sent is written after their last file has come."`
	Missing     int           `help:"Collections one of whose files never comes."`
	Blocked     int           `help:"Collections in status Blocked_Topic, of which nothing comes."`
	Failing     int           `help:"Collections whose row cannot be read, so that counting their files fails."`
	Rate        float64       `help:"Messages a second (default: as fast as can be)."`
	Seed        uint64        `help:"One seed and shape, one plan (default: a random one, which is shown)."`
	DryRun      bool          `help:"Only say what would be sent."`
	GiveUpAfter time.Duration `default:"5m" help:"Give up when nothing has changed for so long."`
	YesReally   bool          `help:"Outside of the local stack too, if the stack made its table and queues itself."`
}

func (c *simulateCommand) Help() string {
	return "Plays a run: writes its rows as exporter and sender do, sends the messages of its files, and answers " +
		"the requests for its _success files. It ends when the run is as far as it can get, and exits with 3 if it " +
		"gives up before. It is refused outside of the local stack, unless with --yes-really, and never touches a " +
		"table or queues that the stack did not make."
}

// simulation is what simulate answers.
type simulation struct {
	Shape      scenario.Shape `json:"shape"`
	Messages   int            `json:"messages"`   // to be sent, the success files left out
	Duplicates int            `json:"duplicates"` // of these
	Blocked    []string       `json:"blocked"`
	Missing    []string       `json:"missing"`
	LateSent   []string       `json:"late_sent"`
	Failing    []string       `json:"failing"`
	Played     bool           `json:"played"`   // false: a dry run
	Answered   int            `json:"answered"` // requests for success files
	Successful int            `json:"successful"`
	Finished   bool           `json:"finished"` // the run is as far as it can get
}

func (c *simulateCommand) Run(a *app) error {
	if !(c.Rate >= 0) || c.GiveUpAfter <= 0 {
		return answer{exitUsage, "--rate is 0 or more, and --give-up-after more than 0"}
	}
	plan, err := scenario.NewPlan(c.shape())
	if err != nil {
		return answer{exitUsage, err.Error()}
	}
	said := newSimulation(plan)
	p := a.printer()
	if !a.json {
		said.print(p)
	}
	if c.DryRun {
		if a.json {
			return a.printJSON(said)
		}
		p.Line("Nothing was sent: a dry run.")
		return nil
	}
	played, err := c.play(a, plan)
	if err != nil {
		return err
	}
	said.Played, said.Answered, said.Finished = true, played.Answered, played.Finished
	said.Successful = scenario.InStatus(played.Rows, "Success")
	if a.json {
		err = effect.After(a.printJSON(said), "the run was played")
	} else {
		said.printEnd(p, a.command.Do("why", said.Shape.Run))
	}
	if err != nil {
		return err
	}
	return notDone(said.Finished)
}

func (c *simulateCommand) shape() scenario.Shape {
	if c.OfRun == "" {
		c.OfRun = "simulated-" + strings.ToLower(rand.Text()[:10])
	}
	if c.Seed == 0 {
		var seed [4]byte
		_, _ = rand.Read(seed[:])
		c.Seed = uint64(binary.BigEndian.Uint32(seed[:])) + 1
	}
	return scenario.Shape{Run: c.OfRun, Seed: c.Seed, Collections: c.Collections, Files: c.Files,
		Duplicates: c.Duplicates,
		Malformed:  c.Malformed, LateSent: c.LateSent, Missing: c.Missing, Blocked: c.Blocked, Failing: c.Failing}
}

// play plays the plan, and shows how far it is on standard error.
func (c *simulateCommand) play(a *app, plan scenario.Plan) (scenario.Played, error) {
	found, err := a.deployment()
	if err == nil {
		err = found.Missing("ExportStatusTableName", "LedgerTableName", "FileReceivedQueueUrl", "ExportStateQueueUrl",
			"StateMachineArn")
	}
	if err == nil {
		err = c.allowed(a, found)
	}
	if err != nil {
		return scenario.Played{}, err
	}
	progress := scenario.NewProgress(a.err)
	defer progress.End()
	player := scenario.NewPlayer(found.Config, found.Outputs)
	played, err := player.Play(a, plan, c.Rate, c.GiveUpAfter, progress.Show, func() (bool, error) {
		run, err := a.run(plan.CorrelationID)
		return err == nil && !owes(run), err
	})
	rows, messages := player.Effect()
	return played, effect.After(err,
		fmt.Sprintf("%d rows of run %s were written, and %d messages sent, if not more. Try again with another run: "+
			"this one would count its messages twice", rows, visible.Quote(plan.CorrelationID), messages))
}

// owes tells whether anything is still to be delivered.
func owes(run report.Run) bool {
	open := func(debt report.Delivery) bool { return debt.State == report.Pending || debt.State == report.Leased }
	return slices.ContainsFunc(run.Notifications, func(n report.Notification) bool { return open(n.Delivery) }) ||
		slices.ContainsFunc(run.Collections, func(one report.Collection) bool { return open(one.Request) })
}

// allowed refuses to write into what may be somebody's. A stack's own table and queues are its resources.
func (c *simulateCommand) allowed(a *app, d deployment.Deployment) error {
	if d.Local {
		return nil
	}
	if !c.YesReally {
		return fmt.Errorf("a simulation writes rows and sends messages, and this is not the local stack (make up): "+
			"say --yes-really if %s is there to be played with", d.Stack)
	}
	own := map[string]bool{}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(d.Config),
		&cloudformation.ListStackResourcesInput{StackName: &d.Stack})
	for d.Stack != "" && pages.HasMorePages() {
		page, err := pages.NextPage(a)
		if err != nil {
			return fmt.Errorf("looking what stack %s made: %w", d.Stack, err)
		}
		for _, resource := range page.StackResourceSummaries {
			own[aws.ToString(resource.PhysicalResourceId)] = true
		}
	}
	for what, name := range map[string]string{"export status table": d.ExportStatusTableName,
		"file-received queue": d.FileReceivedQueueUrl, "export state queue": d.ExportStateQueueUrl} {
		if !own[name] {
			return fmt.Errorf("the %s %s was not made by the stack, so it may be in use: a simulation never touches it",
				what, name)
		}
	}
	return nil
}

func newSimulation(plan scenario.Plan) simulation {
	s := simulation{Shape: plan.Shape, Messages: len(plan.Messages), Duplicates: plan.Duplicates,
		Blocked: []string{}, Missing: []string{}, LateSent: []string{}, Failing: []string{}}
	for _, c := range plan.Collections {
		switch {
		case c.Missing > 0:
			s.Missing = append(s.Missing, c.Name)
		case c.SentLast:
			s.LateSent = append(s.LateSent, c.Name)
		case c.Failing:
			s.Failing = append(s.Failing, c.Name)
		case c.Files == 0:
			s.Blocked = append(s.Blocked, c.Name)
		}
	}
	return s
}

func (s simulation) print(p show.Printer) {
	p.Line("Run %s (--seed %d): %d collections of %d files, in %d messages", s.Shape.Run, s.Shape.Seed,
		s.Shape.Collections, s.Shape.Files, s.Messages)
	for _, kind := range []struct {
		what  string
		names []string
	}{{"blocked:      ", s.Blocked}, {"lacks a file: ", s.Missing}, {"Sent is late: ", s.LateSent},
		{"bad row:      ", s.Failing}} {
		if len(kind.names) > 0 {
			p.Line("  %s%s", kind.what, few(kind.names))
		}
	}
	if s.Duplicates > 0 || s.Shape.Malformed > 0 {
		p.Line("  messages that come again: %d; that are rejected: %d", s.Duplicates, s.Shape.Malformed)
	}
}

func (s simulation) printEnd(p show.Printer, why string) {
	switch {
	case !s.Finished:
		p.Line("%s after nothing has changed for long: %d of %d collections are successful. What it waits for: %s",
			p.Tone(show.Bad, "Given up"), s.Successful, s.Shape.Collections, why)
	case s.Successful == s.Shape.Collections:
		p.Line("%s: all %d collections are successful, and the news is told.", p.Tone(show.Good, "Done"),
			s.Shape.Collections)
	default:
		p.Line("It is as far as it can get: %d of %d collections are successful. What it waits for: %s", s.Successful,
			s.Shape.Collections, why)
	}
}
