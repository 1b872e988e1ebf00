package command

import (
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/effect"
	"snapshot-status-checker/operator/lookagain"
	"snapshot-status-checker/operator/report"
)

type lookCommand struct {
	Name        string   `arg:"" name:"run" help:"The correlation id."`
	Collections []string `arg:"" optional:"" name:"collection" help:"Only these collections (default: all that wait for something)."`
	Yes         bool     `short:"y" help:"Do it. Without, it only says what it would do."`
}

func (c *lookCommand) Help() string {
	return "Starts the state machine to look at collections again. A look takes the steps that are due by what is " +
		"stored, so it is harmless at any time, and as often as you like."
}

// looking is what look answers.
type looking struct {
	Run         string   `json:"run"`
	Collections []string `json:"collections"`
	Executions  int      `json:"executions"` // of at most 10 collections each
	Started     bool     `json:"started"`    // false: a dry run
}

func (c *lookCommand) Run(a *app) error {
	run, err := a.run(c.Name)
	if err != nil {
		return err
	}
	keys, err := c.keys(a, run)
	if err != nil {
		return err
	}
	said := looking{Run: run.Run, Collections: []string{}, Executions: len(snapshot.Requests(keys)), Started: c.Yes}
	for _, key := range keys {
		said.Collections = append(said.Collections, key.CollectionName)
	}
	if c.Yes {
		if err := a.look(keys); err != nil {
			return err
		}
	}
	if a.json {
		err := a.printJSON(said)
		if c.Yes {
			err = effect.After(err, "the looks were started")
		}
		return err
	}
	p := a.printer()
	if len(keys) == 0 {
		p.Line("Nothing of %s waits for anything.", run.Run)
		return nil
	}
	if !c.Yes {
		p.Line("Would look at %d collections of %s (executions to start: %d). Do it: --yes", len(keys), run.Run,
			said.Executions)
		return nil
	}
	p.Line("Looking at %d collections of %s (executions started: %d). What comes of it: %s", len(keys), run.Run,
		said.Executions, a.command.Do("why", run.Run))
	return nil
}

// keys are the collections to look at.
func (c *lookCommand) keys(a *app, run report.Run) ([]snapshot.CollectionKey, error) {
	if len(c.Collections) == 0 {
		return report.ToReconcile(run), nil
	}
	var keys []snapshot.CollectionKey
	for _, name := range c.Collections {
		one, err := a.collection(run, name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, snapshot.CollectionKey{CorrelationID: run.Run, CollectionName: one.Collection})
	}
	return keys, nil
}

// look starts the executions.
func (a *app) look(keys []snapshot.CollectionKey) error {
	found, err := a.deployment()
	if err == nil {
		err = found.Missing("StateMachineArn")
	}
	if err != nil {
		return err
	}
	started := machine.Machine{SFN: sfn.NewFromConfig(found.Config), ARN: found.StateMachineArn}
	return lookagain.Start(a, started.Reconcile, keys)
}
