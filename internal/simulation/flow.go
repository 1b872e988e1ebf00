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
	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
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
	e.enter("Route Event by Source")
	collections, isLook := route(e.input)
	if !isLook {
		e.enter("Increment Files Received")
		out, err := invoke(e, a, "increment", func(ctx context.Context) (increment.Output, error) {
			if e.broken == paths.IncrementMissing {
				return increment.Output{}, errors.New("Lambda.ResourceNotFoundException")
			}
			process := e.process()
			out, err := process.Handle(ctx, increment.Input{ExecutionID: e.id, Messages: json.RawMessage(e.input)})
			e.idle = append(e.idle, process) // unless it died
			return out, err
		})
		if err != nil {
			e.keepUncounted(err)
			return
		}
		collections = e.sabotage.afterCounting(out)
	}
	e.enter("Look at Each Collection")
	for i, key := range collections {
		e.spawn(fmt.Sprintf("%s[%d]", e.id, i), func(branch *actor) { e.look(branch, key) })
	}
}

// look is what the Map does for one collection.
func (e *execution) look(a *actor, key snapshot.CollectionKey) {
	e.enter("Check Collection")
	looked, err := invoke(e, a, "check-collection", func(ctx context.Context) (checkcollection.Output, error) {
		looker := &store.Looker{DB: seam{e.world, "check-collection"}, Tables: e.tables, Now: e.now, Pause: noPause}
		return checkcollection.New(looker, e.exempt, quiet).Handle(ctx, checkcollection.Input{ExecutionID: e.id, CollectionKey: key})
	})
	e.sabotage.afterLook(e.world)
	if err != nil {
		e.enter("Leave the Rest to the Next Look")
		return
	}
	if e.broken == paths.NoVerdict {
		looked.Verdict = "of something else"
	}
	e.enter("Decide Whether a Request Is Owed")
	switch looked.Verdict {
	case checkcollection.RequestOwed:
		e.enter("Notify Sender")
		if err := e.notify(a, notify.Input{Claimer: looked.Claimer, Owed: looked.Owed}); err != nil {
			e.enter("Leave Request Owed")
		}
	case checkcollection.RunMayMove:
	case checkcollection.Waiting:
		e.enter("Leave Collection Waiting")
		return
	default:
		e.enter("Fail on Unknown Verdict")
		e.failed = true
		return
	}
	e.enter("Check All Collections")
	checked, err := invoke(e, a, "check-all", func(ctx context.Context) (checkall.Output, error) {
		runs := &store.Runs{DB: seam{e.world, "check-all"}, Tables: e.tables, Exempt: e.exempt, Now: e.now, Pause: noPause}
		return checkall.New(runs, quiet).Handle(ctx, checkall.Input{CorrelationID: key.CorrelationID, Claimer: looked.Claimer, Status: looked.Status})
	})
	if err != nil {
		e.enter("Leave the Rest to the Next Look")
		return
	}
	e.enter("Decide Whether News Is Owed")
	if checked.Verdict == checkall.NoNews {
		e.enter("Leave Run Waiting")
		return
	}
	e.enter("Notify Monitoring")
	if err := e.notify(a, notify.Input{Claimer: checked.Claimer, Owed: checked.Owed}); err != nil {
		e.enter("Leave the Rest to the Next Look")
	}
}

func (e *execution) notify(a *actor, in notify.Input) error {
	if e.broken == paths.NotifyMissing {
		return errors.New("Lambda.ResourceNotFoundException")
	}
	_, err := invoke(e, a, "notify", func(ctx context.Context) (notify.Output, error) {
		debts := &store.Debts{DB: seam{e.world, "notify"}, Tables: e.tables, Pause: noPause}
		return notify.New(debts, outbox{e.world}, outbox{e.world}, quiet).Handle(ctx, in)
	})
	return err
}

// keepUncounted keeps the messages of an execution whose counting failed for good. Step Functions does it
// itself, so no process can die in between.
func (e *execution) keepUncounted(cause error) {
	e.enter("Decide Who Keeps the Messages")
	if e.receive > 0 {
		e.comeAgain()
	} else {
		e.enter("Keep Uncounted Messages")
		for _, record := range records(e.input, e.id) {
			e.enter("Keep Message")
			e.keep(kept{identity: record.MessageID, raw: record.Body, reason: snapshot.ReasonNotCounted})
		}
	}
	e.enter("Fail Counting")
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

// mostReceives is how often a queue hands a message out before it moves it to its dead-letter queue. The stack's is more;
// fewer let a storm use them up now and then.
const mostReceives = 2

// comeAgain is what happens to the messages of an execution that a pipe waits for, once it has failed: their queue hands
// them out again, and moves them to its dead-letter queue in the end.
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
		e.deadLetters = append(e.deadLetters, kept{identity: record.MessageID, raw: record.Body})
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

// route is the first state: which events go straight to the look.
func route(input string) (collections []snapshot.CollectionKey, isLook bool) {
	var records []struct {
		EventSource string
		Dynamodb    struct{ Keys map[string]map[string]string }
	}
	if json.Unmarshal([]byte(input), &records) == nil && len(records) > 0 && records[0].EventSource == "aws:dynamodb" {
		seen := map[snapshot.CollectionKey]bool{}
		for _, record := range records {
			keys := record.Dynamodb.Keys
			key := snapshot.CollectionKey{CorrelationID: keys["CorrelationId"]["S"], CollectionName: keys["CollectionName"]["S"]}
			if !seen[key] {
				collections = append(collections, key)
			}
			seen[key] = true
		}
		return collections, true
	}
	var asked struct{ Look []snapshot.CollectionKey }
	if json.Unmarshal([]byte(input), &asked) == nil && asked.Look != nil {
		return asked.Look, true
	}
	return nil, false
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

func noPause(context.Context, int) error { return nil }
