package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	checkall "snapshot-status-checker/functions/check-all"
	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/statemachine/paths"
)

// maxTries is how often an execution invokes a function. The definition's retries are more; fewer let a storm
// of faults use them up now and then.
const maxTries = 3

// execution follows the definition of the state machine. The table of package paths, which the deployed
// definition passes, holds the two together.
type execution struct {
	*world
	id      string
	input   string
	receive int  // how often its messages were received by now; 0 if nothing waits for its end
	cutOff  bool // its time is over
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
	for i, key := range e.sabotage.afterCounting(out) {
		e.spawn(fmt.Sprintf("%s[%d]", e.id, i), func(branch *actor) { e.reconcile(branch, key) })
	}
}

// reconcile is what the Map does for one collection.
func (e *execution) reconcile(a *actor, key snapshot.CollectionKey) {
	e.enter("Check Collection")
	collection, err := invoke(e, a, "check-collection", func(ctx context.Context) (checkcollection.Output, error) {
		return checkcollection.New(e.store("check-collection"), quiet).Handle(ctx,
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
	if e.sabotage.skipsCheck(collection) {
		return
	}
	e.enter("Check All Collections")
	checked, err := invoke(e, a, "check-all", func(ctx context.Context) (checkall.Output, error) {
		return checkall.New(e.store("check-all"), quiet).Handle(ctx, checkall.Input{CollectionKey: key,
			Owner: collection.Owner,
			Moved: collection.Moved, Notifications: collection.Notifications})
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
		return notify.New(e.store("notify"), services{e.world}, services{e.world}, quiet).Handle(ctx, in)
	})
	return err
}

// rejectUncounted is what becomes of the messages of an execution whose counting failed for good. Step Functions
// rejects them itself, so no process can die in between.
func (e *execution) rejectUncounted(cause error) {
	e.enter("Messages to Reject?")
	switch _, isRequest, _ := snapshot.Reconcilable([]byte(e.input)); {
	case isRequest:
	case e.receive > 0:
		e.comeAgain()
	default:
		e.enter("Reject Uncounted Messages")
		for _, record := range records(e.input, e.id) {
			e.enter("Reject Message")
			e.reject(rejected{identity: record.MessageID, raw: record.Body, reason: snapshot.ReasonNotCounted})
		}
	}
	e.enter("Counting Failed")
	e.say("%s fails: %v", e.id, cause)
	e.failed = true
}

type record struct{ MessageID, Body string }

// records are the messages of an execution, under its own id if it was started by hand.
func records(input, id string) []record {
	var records []record
	if json.Unmarshal([]byte(input), &records) != nil {
		return []record{{id, input}}
	}
	return records
}

// mostReceives is how often a queue hands a message out before it moves it to its dead-letter queue. The stack's is
// more; fewer let a storm use them up now and then.
const mostReceives = 2

// comeAgain is what happens to the messages of an execution that a pipe waits for, once it has failed: their queue
// hands them out again, and moves them to its dead-letter queue in the end.
func (e *execution) comeAgain() {
	if e.sabotage.NotAgain {
		return
	}
	if e.receive < mostReceives {
		e.then = append(e.then, []func(){func() { e.received(e.input, e.receive+1) }})
		return
	}
	for _, record := range records(e.input, e.id) {
		e.say("dead letter: %s", record.MessageID)
		e.deadLetters = append(e.deadLetters, rejected{identity: record.MessageID, raw: record.Body})
	}
}

// tooLong lets an execution of EXPRESS be cut off now and then. What it invoked goes on.
func (e *execution) tooLong() {
	if e.express && e.faulty && !e.cutOff && e.chance(0.01) {
		e.say("%s is cut off after five minutes", e.id)
		e.cutOff = true
		if e.receive > 0 {
			e.comeAgain()
		}
	}
	if e.cutOff {
		panic(death{})
	}
}

// invoke calls a function as the state machine does: with retries, but not after Malformed, and without
// knowing whether a call that timed out still goes on.
func invoke[Out any](e *execution, a *actor, function string, call func(context.Context) (Out, error)) (Out, error) {
	var err error
	for try := range maxTries {
		e.tooLong()
		answer := &struct {
			out Out
			err error
		}{}
		invocation := e.spawn(fmt.Sprintf("%s/%s#%d", a.name, function, try+1), func(*actor) {
			answer.out, answer.err = call(context.Background())
		})
		if function == "increment" {
			invocation.stands, e.standStill = e.standStill, 0
		}
		if err = a.await(invocation); err == nil {
			err = answer.err
		}
		if err == nil {
			return answer.out, nil
		}
		e.say("%s: %s failed: %v", a.name, function, err)
		if malformed := (*failure.Malformed)(nil); errors.As(err, &malformed) {
			break
		}
	}
	var none Out
	return none, err
}

var quiet = slog.New(slog.DiscardHandler)
