package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	checkall "snapshot-status-checker/functions/check-all"
	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/statemachine/paths"
)

// maxTries is how often an execution invokes a function: fewer than in the definition, so that a storm uses them up.
const maxTries = 3

// execution follows the definition of the state machine. Both pass the table of package paths.
type execution struct {
	*schedule
	id      string
	input   string
	receive int  // receive count of its messages; 0 if nothing waits for its end
	cutOff  bool // it timed out
	broken  paths.Function
	entered []string
	failed  bool
}

func (e *execution) enter(state string) { e.entered = append(e.entered, state) }

func (e *execution) run(a *actor) {
	e.enter("Increment Files Received")
	out, err := invoke(e, a, "increment", func(ctx context.Context) (increment.Output, error) {
		if e.broken == paths.IncrementMissing {
			return increment.Output{}, errors.New("Lambda.ResourceNotFoundException")
		}
		process := e.process()
		out, err := process.Handle(ctx, increment.Input{ExecutionID: e.id, Event: json.RawMessage(e.input)})
		e.idle = append(e.idle, process) // unless it died
		return out, err
	})
	if err != nil {
		e.rejectUncounted(err)
		return
	}
	e.enter("Reconcile Each Collection")
	for i, key := range e.mutant.toReconcile(out) {
		e.spawn(fmt.Sprintf("%s[%d]", e.id, i), func(branch *actor) { e.reconcile(branch, key) })
	}
}

// reconcile follows the Map for one collection.
func (e *execution) reconcile(a *actor, key snapshot.CollectionKey) {
	e.enter("Check Collection")
	collection, err := invoke(e, a, "check-collection", func(ctx context.Context) (checkcollection.Output, error) {
		return checkcollection.New(e.store("check-collection"), e.logger).Handle(ctx,
			checkcollection.Input{ExecutionID: e.id, CollectionKey: key})
	})
	if err != nil {
		e.enter("Left to the Sweep")
		return
	}
	if e.broken == paths.NoOutcome {
		collection.Outcome = "of something else"
	}
	e.enter("Request Pending?")
	switch collection.Outcome {
	case checkcollection.RequestPending:
		e.enter("Notify Sender")
		if err := e.notify(a, notify.Input{Owner: collection.Owner, Pending: collection.Pending}); err != nil {
			e.enter("Request Left to the Sweep")
		}
	case checkcollection.CheckRun:
	case checkcollection.Incomplete:
		e.enter("Collection Incomplete")
		return
	default:
		e.enter("Unknown Outcome")
		e.failed = true
		return
	}
	if e.mutant.skipsCheckAll(collection) {
		return
	}
	e.enter("Check All Collections")
	checked, err := invoke(e, a, "check-all", func(ctx context.Context) (checkall.Output, error) {
		return checkall.New(e.store("check-all"), e.logger).Handle(ctx, checkall.Input{CollectionKey: key,
			Owner: collection.Owner, Moved: collection.Moved, Notifications: collection.Notifications})
	})
	if err != nil {
		e.enter("Left to the Sweep")
		return
	}
	e.enter("Notification Pending?")
	if checked.Outcome == checkall.RunIncomplete {
		e.enter("Run Incomplete")
		return
	}
	e.enter("Notify Monitoring")
	if err := e.notify(a, notify.Input{Owner: checked.Owner, Pending: checked.Pending}); err != nil {
		e.enter("Left to the Sweep")
	}
}

func (e *execution) notify(a *actor, in notify.Input) error {
	if e.broken == paths.NotifyMissing {
		return errors.New("Lambda.ResourceNotFoundException")
	}
	_, err := invoke(e, a, "notify", func(ctx context.Context) (notify.Output, error) {
		return notify.New(e.store("notify"), senders{e.schedule}, senders{e.schedule}, e.logger).Handle(ctx, in)
	})
	return err
}

// rejectUncounted handles the messages of an execution that could not count them. Step Functions itself rejects them,
// so no process can die in between.
func (e *execution) rejectUncounted(cause error) {
	e.enter("Messages to Reject?")
	switch _, isRequest, _ := snapshot.Reconcilable([]byte(e.input)); {
	case isRequest:
	case e.receive > 0:
		e.redeliver()
	default:
		e.enter("Reject Uncounted Messages")
		for _, record := range e.records() {
			e.enter("Reject Message")
			e.reject(record)
		}
	}
	e.enter("Counting Failed")
	e.log("%s fails: %v", e.id, cause)
	e.failed = true
}

// records are the messages of an execution, not counted. One that was started by hand has the id of the execution.
func (e *execution) records() (all []rejected) {
	var records []struct{ MessageID, Body string }
	if json.Unmarshal([]byte(e.input), &records) != nil {
		return []rejected{{e.id, e.input, snapshot.ReasonNotCounted}}
	}
	for _, record := range records {
		all = append(all, rejected{record.MessageID, record.Body, snapshot.ReasonNotCounted})
	}
	return all
}

// mostReceives is the receive count after which a message becomes a dead letter: fewer than in the stack, so that a
// storm uses them up.
const mostReceives = 2

// redeliver returns the messages of a failed execution to their queue, which delivers them again or moves them to its
// dead-letter queue.
func (e *execution) redeliver() {
	if e.mutant.noRedelivery {
		return
	}
	if e.receive < mostReceives {
		e.followUps = append(e.followUps, chain{func() { e.startForMessages(e.input, e.receive+1) }})
		return
	}
	for _, record := range e.records() {
		e.log("dead letter: %s", record.identity)
		e.deadLetters = append(e.deadLetters, record)
	}
}

// cutOffNowAndThen sometimes ends an EXPRESS execution by its timeout. What it invoked continues.
func (e *execution) cutOffNowAndThen() {
	if e.express && e.faulty && !e.cutOff && e.chance(0.01) {
		e.log("%s times out after five minutes", e.id)
		e.cutOff = true
		if e.receive > 0 {
			e.redeliver()
		}
	}
	if e.cutOff {
		panic(death{})
	}
}

// invoke calls a function as the state machine does: with retries, except after Malformed.
func invoke[Out any](e *execution, a *actor, function string, call func(context.Context) (Out, error)) (Out, error) {
	var err error
	for try := range maxTries {
		e.cutOffNowAndThen()
		var out Out
		var failed error
		invocation := e.spawn(fmt.Sprintf("%s/%s#%d", a.name, function, try+1), func(*actor) {
			out, failed = call(logging.Begin(context.Background(), e.logger))
		})
		if function == "increment" {
			invocation.pauseAfter, e.pauseAfter = e.pauseAfter, 0
		}
		if err = a.await(invocation); err == nil {
			err = failed
		}
		if err == nil {
			return out, nil
		}
		e.log("%s: %s failed: %v", a.name, function, err)
		if malformed := (*failure.Malformed)(nil); errors.As(err, &malformed) {
			break
		}
	}
	var none Out
	return none, err
}
