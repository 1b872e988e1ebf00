package command

import (
	"crypto/rand"
	"errors"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

type pendingCommand struct {
	Name    string `arg:"" optional:"" name:"run" help:"Only of this run (default: of all runs that the sweep checks)."`
	Deliver bool   `help:"Deliver now: call the sweep, as its schedule does every few minutes."`
	Yes     bool   `short:"y" help:"With --deliver: do it. Without --yes: a dry run."`
}

func (c *pendingCommand) Help() string {
	return "Lists requests and notifications that are due and not delivered. While an execution holds the lease of a " +
		"message, no other delivers it; the lease expires after 10 minutes (5 with EXPRESS). Exits with 3 if a " +
		"message is pending. With --deliver --yes: with 0 if the sweep ran."
}

// pendingMessage is a message that is due and not delivered.
type pendingMessage struct {
	Run        string          `json:"run"`
	Collection string          `json:"collection,omitempty"` // of a request
	Kind       snapshot.Kind   `json:"kind"`
	Delivery   report.Delivery `json:"delivery"`
}

// pendingList is the answer of pending.
type pendingList struct {
	Pending []pendingMessage `json:"pending"`
	Sweep   *sweep.Output    `json:"sweep,omitempty"` // what the called sweep did
}

func (c *pendingCommand) Run(a *app) error {
	if c.Yes && !c.Deliver {
		return exit{exitUsage, "--yes only applies to --deliver: add --deliver, or leave out --yes"}
	}
	list := pendingList{Pending: []pendingMessage{}}
	abandoned, unknown := false, error(nil) // unknown: what malformed collections have pending
	listed := c.each(a, func(run report.Run) {
		abandoned = run.State == report.Abandoned
		for _, one := range run.Collections {
			if one.Problem != "" {
				unknown = errors.Join(unknown, errors.New(one.Problem))
			}
		}
		list.Pending = append(list.Pending, pendingOf(run)...)
	})
	if absent := (exit{}); c.Deliver && c.Yes && !errors.As(listed, &absent) {
		var err error
		if list.Sweep, err = a.sweep(); err != nil {
			return errors.Join(listed, unknown, err)
		}
		listed = deployment.AfterEffect(listed, "the sweep ran")
	}
	if listed != nil && (c.Name != "" || !report.Malformed(listed)) {
		return listed
	}
	err := a.answer(list, func(p show.Printer) {
		c.print(p, list)
		if abandoned && len(list.Pending) > 0 {
			p.Line("The run was abandoned, so the sweep ignores it. Deliver its messages: %s",
				a.command.Do("reconcile --yes", c.Name))
		}
	})
	switch {
	case listed != nil || unknown != nil:
		return errors.Join(listed, unknown, err)
	case list.Sweep != nil:
		return deployment.AfterEffect(err, "the sweep ran")
	}
	return notDone(len(list.Pending) == 0, err)
}

// pendingOf are a run's messages that are due and not delivered.
func pendingOf(run report.Run) (pending []pendingMessage) {
	for _, one := range run.Collections {
		if one.Request.Open() {
			pending = append(pending,
				pendingMessage{run.Run, one.Collection, snapshot.SuccessFileRequest, one.Request})
		}
	}
	for _, n := range run.Notifications {
		if n.Delivery.Open() {
			pending = append(pending, pendingMessage{run.Run, "", n.Kind, n.Delivery})
		}
	}
	return pending
}

// each reads the runs. It skips malformed ones and returns their error at the end (report.Malformed).
func (c *pendingCommand) each(a *app, visit func(report.Run)) error {
	if c.Name != "" {
		run, err := a.run(c.Name)
		if err != nil {
			return err
		}
		visit(run)
		return nil
	}
	reader, settings, err := a.reader()
	if err != nil {
		return err
	}
	runs, malformed := reader.Runs(a)
	if malformed != nil && !report.Malformed(malformed) {
		return malformed
	}
	for _, run := range runs {
		// Since it was settled, the run may have been reopened. Both times are whole seconds.
		settled := run.Progress.Settled && run.ReopenedAt.Before(run.Progress.Since)
		if run.Abandoned || settled {
			continue // the sweep ignores the run, or found nothing pending
		}
		state, err := reader.Run(a, run.CorrelationID)
		switch {
		case report.Malformed(err):
			malformed = errors.Join(malformed, err)
		case err != nil:
			return err
		default:
			if found := report.New(run.CorrelationID, state, settings, a.now()); found.Abandonment == nil {
				visit(found)
			}
		}
	}
	return malformed
}

func (c *pendingCommand) print(p show.Printer, list pendingList) {
	if len(list.Pending) == 0 {
		p.Line("Nothing is pending.")
	} else {
		var rows [][]string
		for _, one := range list.Pending {
			lease, state := "–", one.Delivery.State
			if state == report.Leased {
				lease = "in " + show.Duration(one.Delivery.Until.Sub(p.Now))
			}
			rows = append(rows, []string{one.Run, one.Collection, string(one.Kind),
				p.Tone(deliveryTone(state), string(state)), p.Ago(one.Delivery.Since), lease})
		}
		p.Table([]string{"RUN", "COLLECTION", "MESSAGE", "STATE", "AGE", "LEASE EXPIRES"}, rows)
	}
	switch {
	case list.Sweep != nil:
		p.Line("The sweep examined %d open runs, started to reconcile %d collections and sent %d alerts.",
			list.Sweep.OpenRuns, list.Sweep.Reconciled, list.Sweep.Alerts)
	case c.Deliver:
		p.Line("Would call the sweep, which checks all open runs. To do it, add --yes")
	}
}

// sweep calls the deployed sweep and waits for its answer.
func (a *app) sweep() (*sweep.Output, error) {
	found, err := a.deploymentWith("StateMachineArn")
	if err != nil {
		return nil, err
	}
	out, err := found.Sweep(a, "by-hand-"+a.now().UTC().Format("20060102T150405Z")+"-"+rand.Text()[:8])
	if err != nil {
		return nil, err
	}
	return &out, nil
}
