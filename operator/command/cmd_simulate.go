package command

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/show"
	"snapshot-status-checker/test/scenario"
)

type simulateCommand struct {
	OfRun       string        `name:"run" placeholder:"ID" help:"The run's correlation id (default: a new one)."`
	Collections int           `default:"6" help:"Collections of the run."`
	Files       int           `default:"5" help:"Files of each collection."`
	Duplicates  float64       `placeholder:"SHARE" help:"Share of messages that are sent twice, 0 to 1."`
	Malformed   int           `help:"Messages that are rejected."`
	LateSent    int           `help:"Collections whose status Sent is written after their last file."`
	Missing     int           `help:"Collections that lack one file."`
	Blocked     int           `help:"Collections in status Blocked_Topic, without files."`
	Failing     int           `help:"Collections whose row cannot be read, so that counting their files fails."`
	Rate        float64       `help:"Messages a second (default: as fast as possible)."`
	Seed        uint64        `help:"The same seed and shape give the same plan (default: random)."`
	DryRun      bool          `help:"Only show the plan."`
	GiveUpAfter time.Duration `default:"5m" help:"Give up when nothing has changed for this time."`
	YesReally   bool          `help:"Also outside the local stack, if the stack created its table and queues itself."`
}

func (c *simulateCommand) Help() string {
	return "Plays a run: writes its rows as exporter and sender do, sends the messages of its files, and answers the " +
		"requests for its _success files. Ends when the run can make no further progress; exits with 3 if it gives " +
		"up before. Outside the local stack it needs --yes-really, and never touches a table or queue that the stack " +
		"did not create."
}

// simulation is the answer of simulate.
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
	Finished   bool           `json:"finished"` // the run can make no further progress
}

func (c *simulateCommand) Run(a *app) error {
	if !(c.Rate >= 0) || c.GiveUpAfter <= 0 {
		return exit{exitUsage, "--rate is 0 or more, and --give-up-after more than 0"}
	}
	plan, err := scenario.NewPlan(c.shape())
	if err != nil {
		return exit{exitUsage, err.Error()}
	}
	said := newSimulation(plan)
	if c.DryRun {
		return a.answer(said, func(p show.Printer) {
			said.print(p)
			p.Line("A dry run: nothing was sent.")
		})
	}
	if !a.json {
		if err := a.print(said.print); err != nil {
			return err
		}
	}
	played, err := c.play(a, plan)
	if err != nil {
		return err
	}
	said.Played, said.Answered, said.Finished = true, played.Answered, played.Finished
	said.Successful = scenario.InStatus(played.Rows, "Success")
	err = a.answer(said, func(p show.Printer) { said.printEnd(p, a.command.Do("why", said.Shape.Run)) })
	return notDone(said.Finished, deployment.AfterEffect(err, "the run was played"))
}

func (c *simulateCommand) shape() scenario.Shape {
	if c.OfRun == "" {
		c.OfRun = "simulated-" + strings.ToLower(rand.Text()[:10])
	}
	if c.Seed == 0 {
		c.Seed = uint64(mathrand.Uint32()) + 1
	}
	return scenario.Shape{Run: c.OfRun, Seed: c.Seed, Collections: c.Collections, Files: c.Files,
		Duplicates: c.Duplicates, Malformed: c.Malformed, LateSent: c.LateSent, Missing: c.Missing,
		Blocked: c.Blocked, Failing: c.Failing}
}

// play plays the plan, and shows its progress on standard error.
func (c *simulateCommand) play(a *app, plan scenario.Plan) (scenario.Played, error) {
	found, err := a.deploymentWith("ExportStatusTableName", "LedgerTableName", "FileReceivedQueueUrl",
		"ExportStateQueueUrl", "StateMachineArn")
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
		return err == nil && len(pendingOf(run)) == 0, err
	})
	rows, messages := player.Effect()
	return played, deployment.AfterEffect(err,
		fmt.Sprintf("at least %d rows of run %s were written, and %d messages sent. Try again with another run: "+
			"this one would count its messages twice", rows, show.Quote(plan.CorrelationID), messages))
}

// allowed refuses to write into a table or queue that the stack did not create.
func (c *simulateCommand) allowed(a *app, d deployment.Deployment) error {
	if d.Local {
		return nil
	}
	if !c.YesReally {
		return fmt.Errorf("a simulation writes rows and sends messages, and %s is not the local stack (make up): "+
			"add --yes-really if it is a stack for tests", d.Stack)
	}
	own := map[string]bool{}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(d.Config),
		&cloudformation.ListStackResourcesInput{StackName: &d.Stack})
	for d.Stack != "" && pages.HasMorePages() {
		page, err := pages.NextPage(a)
		if err != nil {
			return fmt.Errorf("listing the resources of stack %s: %w", d.Stack, err)
		}
		for _, resource := range page.StackResourceSummaries {
			own[aws.ToString(resource.PhysicalResourceId)] = true
		}
	}
	for what, name := range map[string]string{"export status table": d.ExportStatusTableName,
		"file-received queue": d.FileReceivedQueueUrl, "export state queue": d.ExportStateQueueUrl} {
		if !own[name] {
			return fmt.Errorf("the %s %s was not created by the stack, so other systems may use it: a simulation "+
				"never touches it", what, name)
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
	named := func(what string, names []string) {
		if len(names) > 0 {
			p.Line("  %-14s%s", what, few(names))
		}
	}
	named("blocked:", s.Blocked)
	named("lacks a file:", s.Missing)
	named("Sent is late:", s.LateSent)
	named("bad row:", s.Failing)
	if s.Duplicates > 0 || s.Shape.Malformed > 0 {
		p.Line("  messages sent twice: %d; rejected: %d", s.Duplicates, s.Shape.Malformed)
	}
}

func (s simulation) printEnd(p show.Printer, why string) {
	switch {
	case !s.Finished:
		p.Line("%s: nothing has changed for too long. %d of %d collections are successful. What the run waits for: %s",
			p.Tone(show.Bad, "Given up"), s.Successful, s.Shape.Collections, why)
	case s.Successful == s.Shape.Collections:
		p.Line("%s: all %d collections are successful, and monitoring was notified.", p.Tone(show.Good, "Done"),
			s.Shape.Collections)
	default:
		p.Line("The run can make no further progress: %d of %d collections are successful. What it waits for: %s",
			s.Successful, s.Shape.Collections, why)
	}
}
