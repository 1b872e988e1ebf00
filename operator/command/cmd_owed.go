package command

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/effect"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

type owedCommand struct {
	Name string `arg:"" optional:"" name:"run" help:"Only of this run (default: of all runs that are looked after)."`
	Pay  bool   `help:"Pay it now: call the sweep, as its schedule does every few minutes."`
	Yes  bool   `short:"y" help:"With --pay: do it. Without, it only says what it would do."`
}

func (c *owedCommand) Help() string {
	return "Lists requests and news that are due and not delivered. What is claimed has a claimer; if that died, " +
		"the debt is free again when its lease is over (10 minutes; 5 with EXPRESS), and not before. Exits with 3 " +
		"if something is owed."
}

// due is one thing that is owed.
type due struct {
	Run        string          `json:"run"`
	Collection string          `json:"collection,omitempty"` // of a request
	Kind       snapshot.Kind   `json:"kind"`
	Debt       report.Delivery `json:"debt"`
}

// debts is what owed answers.
type debts struct {
	Owed []due         `json:"owed"`
	Paid *sweep.Output `json:"sweep,omitempty"` // what the sweep did that was called to pay
}

func (c *owedCommand) Run(a *app) error {
	said := debts{Owed: []due{}}
	letGo := false
	err := c.each(a, func(run report.Run) {
		letGo = run.State == report.Abandoned
		for _, one := range run.Collections {
			if one.Request.State == report.Pending || one.Request.State == report.Leased {
				said.Owed = append(said.Owed, due{run.Run, one.Collection, snapshot.SuccessFileRequest, one.Request})
			}
		}
		for _, news := range run.Notifications {
			if news.Delivery.State == report.Pending || news.Delivery.State == report.Leased {
				said.Owed = append(said.Owed, due{Run: run.Run, Kind: news.Kind, Delivery: news.Delivery})
			}
		}
	})
	if err == nil && c.Pay && c.Yes {
		said.Paid, err = a.sweep()
	}
	if err != nil {
		return err
	}
	if a.json {
		err := a.printJSON(said)
		if said.Paid != nil {
			err = effect.After(err, "the sweep ran")
		}
		if err != nil {
			return err
		}
	} else {
		c.print(a.printer(), said)
		if letGo && len(said.Owed) > 0 {
			a.printer().Line("The run was let go: the sweep passes it by. A look pays what is free: %s",
				a.command.Do("look --yes", c.Name))
		}
	}
	return notDone(len(said.Owed) == 0 || said.Paid != nil)
}

// each reads the runs.
func (c *owedCommand) each(a *app, visit func(report.Run)) error {
	if c.Name != "" {
		run, err := a.run(c.Name)
		visit(run)
		return err
	}
	reader, settings, err := a.reader()
	if err != nil {
		return err
	}
	runs, err := reader.Runs(a)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if run.Abandoned || run.Progress.Settled {
			continue // the sweep found that nothing is owed, or owes it no more
		}
		state, err := reader.Run(a, run.CorrelationID)
		if err != nil {
			return err
		}
		visit(report.New(run.CorrelationID, state, settings, a.now()))
	}
	return nil
}

func (c *owedCommand) print(p show.Printer, said debts) {
	if len(said.Owed) == 0 {
		p.Line("Nothing is owed.")
	} else {
		var rows [][]string
		for _, one := range said.Owed {
			free := "now"
			if one.Delivery.State == report.Leased {
				free = "in " + show.Duration(one.Delivery.Until.Sub(p.Now))
			}
			rows = append(rows, []string{one.Run, one.Collection, string(one.Kind), p.Tone(debtTone(one.Delivery.State),
				string(one.Delivery.State)),
				p.Ago(one.Delivery.Since), free})
		}
		p.Table([]string{"RUN", "COLLECTION", "WHAT", "STATE", "OWED FOR", "FREE TO PAY"}, rows)
	}
	switch {
	case said.Paid != nil:
		p.Line("The sweep examined %d open runs, started to reconcile %d collections and sent %d alerts.",
			said.Paid.OpenRuns, said.Paid.Reconciled, said.Paid.Alerts)
	case c.Pay:
		p.Line("Would call the sweep, which looks after all open runs. Do it: --yes")
	}
}

const sweptPerhaps = "it may have done its work in part or whole; trying again is safe: it takes only the steps " +
	"that are due"

// sweep calls the deployed sweep and waits for its answer.
func (a *app) sweep() (*sweep.Output, error) {
	found, err := a.deployment()
	if err == nil {
		err = found.Missing("StateMachineArn")
	}
	if err != nil {
		return nil, err
	}
	name := found.FunctionName("sweep")
	input, err := json.Marshal(sweep.Input{ExecutionID: "by-hand-" + time.Now().UTC().Format("20060102T150405Z") + "-" +
		rand.Text()[:8]})
	if err != nil {
		return nil, fmt.Errorf("calling %s: %w", name, err)
	}
	done, err := lambda.NewFromConfig(found.Config).Invoke(a, &lambda.InvokeInput{FunctionName: &name, Payload: input})
	if err != nil {
		return nil, effect.Of(fmt.Errorf("calling %s: %w", name, err), "it did not run", sweptPerhaps)
	}
	if done.FunctionError != nil {
		return nil, effect.After(fmt.Errorf("%s failed: %s", name, done.Payload), sweptPerhaps)
	}
	var out sweep.Output
	if err := json.Unmarshal(done.Payload, &out); err != nil {
		return nil, effect.After(fmt.Errorf("reading what %s answered: %w", name, err), sweptPerhaps)
	}
	return &out, nil
}
