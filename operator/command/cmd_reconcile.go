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
		Started: c.Yes && len(keys) > 0, Resumed: c.Yes && run.Abandonment != nil}
	for _, key := range keys {
		said.Collections = append(said.Collections, key.CollectionName)
	}
	done, err := said.do(a, keys)
	if err == nil {
		err = a.answer(said, func(p show.Printer) {
			said.print(p, run.Abandonment != nil, a.command.Do("why", run.Run))
		})
	}
	for _, one := range done {
		err = deployment.AfterEffect(err, one)
	}
	return err
}

// do takes up the run and starts the executions, and returns what was done before an error.
func (r reconciliation) do(a *app, keys []snapshot.CollectionKey) (done []string, err error) {
	if !r.Resumed && !r.Started {
		return nil, nil
	}
	found, err := a.deploymentWith("StateMachineArn")
	if err == nil && r.Resumed {
		if _, err = found.Resume(a, r.Run); err == nil {
			done = append(done, "the run was taken up again")
		}
	}
	if err == nil && r.Started {
		started := machine.Machine{SFN: sfn.NewFromConfig(found.Config), ARN: found.StateMachineArn}
		if err = deployment.Reconcile(a, started.Reconcile, keys); err == nil {
			done = append(done, "the executions were started")
		}
	}
	return done, err
}

func (r reconciliation) print(p show.Printer, byHand bool, why string) {
	const add = "To do it, add --yes"
	waiting := len(r.Collections)
	switch {
	case r.Resumed:
		p.Line("Taken up again: %s was abandoned by hand.", r.Run)
	case byHand && waiting == 0:
		p.Line("%s was abandoned by hand. This takes it up again. %s", r.Run, add)
	case byHand:
		p.Line("%s was abandoned by hand. This takes it up again.", r.Run)
	}
	collections := report.Plural(waiting, "collection", "collections")
	switch {
	case waiting == 0:
		p.Line("No collection of %s waits for anything.", r.Run)
	case !r.Started:
		p.Line("Would reconcile %s of %s (executions: %d). %s", collections, r.Run, r.Executions, add)
	default:
		p.Line("Reconciling %s of %s (executions: %d). See the result: %s", collections, r.Run, r.Executions, why)
	}
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
