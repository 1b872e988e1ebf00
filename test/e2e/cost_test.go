package e2e

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local/localtest"
)

func costs(t *testing.T, s *system) {
	for _, size := range []int{1, 10, 100} {
		t.Run(fmt.Sprintf("%d messages of one collection cost 5 calls", size),
			func(t *testing.T) { incompleteBatches(t, s, size, 1) })
	}
	t.Run("100 messages of 7 collections cost 3 writes each", func(t *testing.T) { incompleteBatches(t, s, 100, 7) })
}

// A batch that completes nothing costs 2 states, 1 function call and 1 read call, and for each of its collections 3
// writes: the receipts, the count and the row. A page that it fills costs 2 more.
func incompleteBatches(t *testing.T, s *system, size, collections int) {
	r := s.newRun(t)
	name := func(i int) string { return fmt.Sprint("db.cost.c", i%collections) }
	for i := range collections {
		r.put(name(i), "Sent", 1000)
	}
	batch := func(size int) string {
		var records []string
		for i := range size {
			records = append(records, identified(fmt.Sprint(r.id, "-", files.Add(1)), r.file(name(i))))
		}
		return delivered(records...)
	}
	r.execute(batch(collections)) // registers the run and adopts the rows
	proxied.take()
	const batches = 3
	for range batches {
		states, functionCalls := r.execute(batch(size))
		if diff := cmp.Diff([]string{"Increment Files Received", "Reconcile Each Collection"}, states); diff != "" {
			t.Errorf("states entered (-want +got)\n%s", diff)
		}
		if functionCalls != 1 {
			t.Errorf("%d function calls", functionCalls)
		}
	}
	written := 2 * collections
	if collections == 1 && size == 100 {
		written += 2 // the page, and the collection without its digests
	}
	want := map[call]int{
		{Operation: "BatchGetItem"}:                                       batches,
		{Operation: "UpdateItem", Table: s.outputs.LedgerTableName}:       batches * written,
		{Operation: "UpdateItem", Table: s.outputs.ExportStatusTableName}: batches * collections,
	}
	if diff := cmp.Diff(want, proxied.take()); diff != "" {
		t.Errorf("calls of %d batches of %d messages for %d collections (-want +got)\n%s", batches, size, collections,
			diff)
	}
	for i := range collections {
		received := 1 + batches*(size/collections)
		if i < size%collections {
			received += batches
		}
		r.wantRow(name(i), "Sent", received)
	}
}

// execute runs one execution, started as the pipe of its workflow type starts it. It returns the states outside the Map
// that were entered, and the number of function calls. (The engine has a history of EXPRESS executions too.)
func (r *run) execute(input string) (states []string, functionCalls int) {
	r.t.Helper()
	var execution string
	if r.express {
		done, err := r.machines.StartSyncExecution(r.t.Context(),
			&sfn.StartSyncExecutionInput{StateMachineArn: &r.outputs.StateMachineArn, Input: &input})
		if err != nil {
			r.t.Fatal(err)
		}
		execution = *done.ExecutionArn
	} else {
		execution = *r.start(input)[0].ExecutionArn
	}
	if ended := localtest.Ended(r.t, r.stack.Config, execution); ended.Status != sfntypes.ExecutionStatusSucceeded {
		r.t.Fatalf("the execution ended as %s: %s", ended.Status, *ended.Cause)
	}
	history, err := r.machines.GetExecutionHistory(r.t.Context(),
		&sfn.GetExecutionHistoryInput{ExecutionArn: &execution, MaxResults: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, event := range history.Events {
		if event.StateEnteredEventDetails != nil {
			states = append(states, *event.StateEnteredEventDetails.Name)
		}
		if event.Type == sfntypes.HistoryEventTypeTaskScheduled {
			functionCalls++
		}
	}
	return states, functionCalls
}

// Batches as the pipe makes them: a collection with many files, duplicates inside a batch and in other batches, an
// unreadable message and an unreadable row. Each execution writes the row of a collection at most once.
func batchesThroughThePipe(t *testing.T, s *system) {
	r := s.newRun(t)
	const a, b, c, broken = "db.piped.a", "db.piped.b", "db.piped.c", "db.piped.broken"
	want := map[string]int{a: 241, b: 31, c: 31}
	for collection, sent := range map[string]int{a: 241, b: 31, c: 100} {
		r.put(collection, "Sent", sent)
	}
	r.put(broken, "Sent", 0, item{"FilesSent": text("many")})
	r.execute(delivered(object(r.file(a)), object(r.file(b)), object(r.file(c)))) // adopts the rows
	messages := append(r.many(240, a), r.many(30, b)...)
	for i, file := range r.many(30, c) {
		message := envelope(identified(fmt.Sprint(r.id, "-c-", i), file))
		messages = append(messages, message)
		if i < 10 { // again, in the same batch or in another
			messages = append(messages, message, message)
		}
	}
	shuffle(messages)
	proxied.take()
	bad := []string{"not JSON", r.file(broken)}
	ids := r.send(append(bad, messages...)...)
	s.stack.StartPipes(t)
	r.settle(ids)

	for collection, status := range map[string]string{a: "Received", b: "Received", c: "Sent"} {
		r.wantRow(collection, status, want[collection])
	}
	r.wantRejected(rejection{ids[0], "NOT_JSON", bad[0]}, rejection{ids[1], "NOT_COUNTED", bad[1]})
	r.wantRequests(r.request(a), r.request(b))
	batches := r.executions.of(ids)
	if batches > len(ids)/2 {
		t.Errorf("%d messages came in %d executions", len(ids), batches)
	}
	calls := proxied.take()
	took := calls[call{Operation: "UpdateItem", Table: s.outputs.ExportStatusTableName}]
	if most := 3*batches + 2; took == 0 || took > most { // a and b move to Received
		t.Errorf("%d updates of three rows in %d batches took effect, want at most %d", took, batches, most)
	}
	t.Logf("%d messages in %d batches, %d updates of rows, and %d that were refused", len(ids), batches, took,
		calls[call{Operation: "UpdateItem", Table: s.outputs.ExportStatusTableName, Refused: true}])
}
