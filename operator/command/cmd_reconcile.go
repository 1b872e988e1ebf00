package command

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

type reconcileCommand struct {
	Name        string   `arg:"" name:"run" help:"The correlation id."`
	Collections []string `arg:"" optional:"" name:"collection" help:"Only these (default: all that wait)."`
	Yes         bool     `short:"y" help:"Do it. Without --yes: a dry run."`
}

func (c *reconcileCommand) Help() string {
	return "Starts the state machine to reconcile collections: it reads what is stored and takes the steps that are " +
		"due. You can do this at any time and as often as you like. A run that was abandoned by hand is taken up again."
}

// reconciliation is the answer of reconcile.
type reconciliation struct {
	Run         string   `json:"run"`
	Collections []string `json:"collections"`
	Executions  int      `json:"executions"` // of up to 100 collections each
	Started     bool     `json:"started"`    // false: a dry run, or no collection waits
	Resumed     bool     `json:"resumed"`    // the run was abandoned by hand, and is taken up again
}

func (c *reconcileCommand) Run(a *app) error {
	run, err := a.run(c.Name)
	if err != nil {
		return err
	}
	keys, err := c.keys(a, run)
	if err != nil {
		return err
	}
	said := reconciliation{Run: run.Run, Collections: []string{}, Executions: len(snapshot.Requests(keys)),
		Started: c.Yes && len(keys) > 0}
	for _, key := range keys {
		said.Collections = append(said.Collections, key.CollectionName)
	}
	collections := report.Plural(len(keys), "collection", "collections")
	byHand := run.Abandonment != nil
	print := func(p show.Printer) {
		switch {
		case byHand && c.Yes:
			p.Line("Taken up again: %s was abandoned by hand.", run.Run)
		case byHand && len(keys) == 0:
			p.Line("%s was abandoned by hand. This takes it up again. To do it, add --yes", run.Run)
		case byHand:
			p.Line("%s was abandoned by hand. This takes it up again.", run.Run)
		}
		switch {
		case len(keys) == 0:
			p.Line("No collection of %s waits for anything.", run.Run)
		case !c.Yes:
			p.Line("Would reconcile %s of %s (executions: %d). To do it, add --yes", collections, run.Run,
				said.Executions)
		default:
			p.Line("Reconciling %s of %s (executions: %d). See the result: %s", collections, run.Run, said.Executions,
				a.command.Do("why", run.Run))
		}
	}
	var done []string
	if byHand && c.Yes {
		if err := a.resume(run.Run); err != nil {
			return err
		}
		said.Resumed, done = true, append(done, "the run was taken up again")
	}
	if said.Started {
		if err := a.reconcile(keys); err != nil {
			return afterEffects(err, done)
		}
		done = append(done, "the executions were started")
	}
	return afterEffects(a.answer(said, print), done)
}

// afterEffects is deployment.AfterEffect of several effects.
func afterEffects(err error, done []string) error {
	for _, one := range done {
		err = deployment.AfterEffect(err, one)
	}
	return err
}

// resume takes up a run again that was abandoned by hand.
func (a *app) resume(run string) error {
	found, err := a.deploymentWith("StateMachineArn")
	if err != nil {
		return err
	}
	_, err = found.Resume(a, run)
	return err
}

// keys are the collections to reconcile.
func (c *reconcileCommand) keys(a *app, run report.Run) ([]snapshot.CollectionKey, error) {
	if len(c.Collections) == 0 {
		return report.ToReconcile(run), nil
	}
	var keys []snapshot.CollectionKey
	for _, name := range c.Collections {
		one, err := a.collection(run, name)
		if err != nil {
			return nil, err
		}
		key := snapshot.CollectionKey{CorrelationID: run.Run, CollectionName: one.Collection}
		if !slices.Contains(keys, key) { // named twice, or with and without "db."
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// reconcile starts the executions.
func (a *app) reconcile(keys []snapshot.CollectionKey) error {
	found, err := a.deploymentWith("StateMachineArn")
	if err != nil {
		return err
	}
	started := machine.Machine{SFN: sfn.NewFromConfig(found.Config), ARN: found.StateMachineArn}
	return deployment.Reconcile(a, started.Reconcile, keys)
}
