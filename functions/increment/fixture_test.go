package increment_test

import (
	"context"
	"encoding/json"
	"testing"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// bench is the task with what it works on.
type bench struct {
	*tasktest.World
	task    *increment.Task
	kept    *keeper
	counter *counter
}

func newBench(t *testing.T) *bench {
	w := tasktest.New(t)
	b := &bench{World: w, kept: &keeper{}, counter: &counter{Counter: w.Counter()}}
	b.task = increment.New(b.counter, b.kept, increment.OneByOne, w.Log)
	return b
}

func (b *bench) handle(t *testing.T, messages json.RawMessage) (increment.Output, error) {
	t.Helper()
	return b.handleIn(t.Context(), messages)
}

func (b *bench) handleIn(ctx context.Context, messages json.RawMessage) (increment.Output, error) {
	return b.task.Handle(ctx, increment.Input{ExecutionID: tasktest.Execution, Messages: messages})
}

// keeper records what is kept, each as "identity REASON".
type keeper struct {
	kept []string
	raw  []string
	keep func(snapshot.Receipt) error // before it is recorded
}

func (k *keeper) Keep(_ context.Context, receipt snapshot.Receipt) error {
	if k.keep != nil {
		if err := k.keep(receipt); err != nil {
			return err
		}
	}
	k.kept = append(k.kept, receipt.Identity+" "+string(receipt.Rejection.Reason))
	k.raw = append(k.raw, receipt.Raw)
	return nil
}

// counter is the real one, and remembers which runs it was asked to register.
type counter struct {
	*store.Counter
	registered []string
}

func (c *counter) RegisterRun(ctx context.Context, correlationID string, said snapshot.Export) error {
	if err := c.Counter.RegisterRun(ctx, correlationID, said); err != nil {
		return err
	}
	c.registered = append(c.registered, correlationID)
	return nil
}

func keys(collections ...string) []snapshot.CollectionKey {
	all := []snapshot.CollectionKey{}
	for _, collection := range collections {
		all = append(all, tasktest.Key(collection))
	}
	return all
}

func jsonText(value any) string {
	text, _ := json.Marshal(value) // what came out of JSON marshals
	return string(text)
}
