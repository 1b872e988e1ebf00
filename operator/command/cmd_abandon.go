package command

import (
	"fmt"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

type abandonCommand struct {
	Name   string `arg:"" name:"run" help:"The correlation id."`
	Reason string `required:"" placeholder:"TEXT" help:"Why the run will not finish. It is shown with the run."`
	Yes    bool   `short:"y" help:"Do it. Without --yes: a dry run."`
}

func (c *abandonCommand) Help() string {
	return "Ends a run by hand that will never finish. The sweep then sends no alert for it, starts nothing for it " +
		"and delivers nothing that is pending. A new file or a change of its rows takes it up again within one " +
		"sweep; so does `reconcile`."
}

// abandonedRun is the answer of abandon.
type abandonedRun struct {
	Run       string     `json:"run"`
	Reason    string     `json:"reason"`
	Abandoned bool       `json:"abandoned"`    // false: a dry run
	At        *time.Time `json:"at,omitempty"` // when it was abandoned first
}

func (c *abandonCommand) Run(a *app) error {
	if err := snapshot.CheckReason(c.Reason); err != nil {
		return exit{exitUsage, err.Error()}
	}
	run, err := a.run(c.Name)
	switch {
	case err != nil:
		return err
	case !run.InLedger():
		return exit{exitNotFound, fmt.Sprintf("run %s is not in the ledger: none of its messages was counted here, so "+
			"the sweep does not know it", show.Quote(run.Run))}
	case run.State == report.Successful:
		return exit{exitFailed, fmt.Sprintf("run %s is successful: there is nothing to abandon", show.Quote(run.Run))}
	}
	said := abandonedRun{Run: run.Run, Reason: c.Reason, Abandoned: c.Yes}
	if !c.Yes {
		return a.answer(said, func(p show.Printer) {
			headLines(p, run)
			if run.Abandonment != nil {
				p.Line("Would replace the reason. To do it, add --yes")
				return
			}
			p.Line("Would abandon the run: the sweep would ignore it. To do it, add --yes")
		})
	}
	found, err := a.deploymentWith("StateMachineArn")
	if err != nil {
		return err
	}
	done, err := found.Abandon(a, run.Run, c.Reason)
	if err != nil {
		return err
	}
	said.At = done.AbandonedAt
	return deployment.AfterEffect(a.answer(said, func(p show.Printer) {
		p.Line("Abandoned %s. The sweep ignores it from now on; one that examines it at this moment may still alert "+
			"once. To take it up again: %s", run.Run, a.command.Do("reconcile --yes", run.Run))
	}), "the run was abandoned")
}
