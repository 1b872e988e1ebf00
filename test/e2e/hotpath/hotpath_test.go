package hotpath

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/local/localtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// The subtests run one after the other, since the proxy counts the calls of all. Those with exact counts come first:
// each process of a function registers a run that is new to it, and only the pipes make the engine start several.
func TestHotPath(t *testing.T) {
	engine, calls := startEngine(t)
	standard, err := deploy(t.Context(), engine, calls, t.TempDir(), "STANDARD", 10)
	if err != nil {
		t.Fatal(err)
	}
	var express *stack
	var deploying errgroup.Group
	dir := t.TempDir()
	deploying.Go(func() (err error) {
		express, err = deploy(t.Context(), engine, calls, dir, "EXPRESS", 100)
		return err
	})
	t.Run("STANDARD", func(t *testing.T) {
		standard.play(t)
		t.Run("reads of a run of 200 collections stay linear", func(t *testing.T) { linearReads(t, standard) })
	})
	if err := deploying.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Run("EXPRESS", express.play)
}

func (s *stack) play(t *testing.T) {
	for _, size := range []int{1, 10, 100} {
		t.Run(fmt.Sprintf("%d receipts of one collection cost 5 calls", size),
			func(t *testing.T) { incompleteBatches(t, s, size, 1) })
	}
	t.Run("100 receipts of 7 collections cost 3 writes each", func(t *testing.T) { incompleteBatches(t, s, 100, 7) })
	t.Run("batches through the pipe count each message once", func(t *testing.T) { batchesThroughThePipe(t, s) })
	t.Run("a hot collection is written once a batch", func(t *testing.T) { hotCollection(t, s) })
	t.Run("uncounted messages can be replayed", func(t *testing.T) { uncountedMessages(t, s) })
	t.Run("messages of an unwritable row count once", func(t *testing.T) { unwritableRows(t, s) })
	t.Run("lost answers repeat nothing", func(t *testing.T) { lostAnswers(t, s) })
}

// A batch that completes nothing costs 2 states, 1 function call and 1 read call, and for each of its collections 3
// writes: the receipts, the count and the row. A page that it fills costs 2 more.
func incompleteBatches(t *testing.T, s *stack, size, collections int) {
	run := fmt.Sprintf("run-%d-%d", size, collections)
	for c := range collections {
		s.PutRow(t, run, fmt.Sprint("c", c), "Sent", localtest.Number(1000))
	}
	// The first receipts register the run and adopt the rows.
	s.receive(t, records(run, "warm-up", collections, collections))
	s.calls.take()

	const batches = 3
	for i := range batches {
		states, functionCalls := s.receive(t, records(run, fmt.Sprint("batch-", i), size, collections))
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
		{Operation: "UpdateItem", Table: s.Outputs.LedgerTableName}:       batches * written,
		{Operation: "UpdateItem", Table: s.Outputs.ExportStatusTableName}: batches * collections,
	}
	if diff := cmp.Diff(want, s.calls.take()); diff != "" {
		t.Errorf("calls of %d batches of %d receipts for %d collections (-want +got)\n%s", batches, size, collections,
			diff)
	}
	received := batches*(size/collections) + 1
	for c := range collections {
		want := received
		if c < size%collections {
			want += batches
		}
		if got := s.RowState(t, run, fmt.Sprint("c", c)); got != fmt.Sprint("Sent ", want) {
			t.Errorf("collection %d is %s, want %d received", c, got, want)
		}
	}
}

// records is a batch as the pipe delivers it: receipts of the collections in turn.
func records(run, batch string, size, collections int) string {
	var all []map[string]string
	for i := range size {
		all = append(all, map[string]string{"messageId": fmt.Sprint(run, batch, i), "eventSource": "aws:sqs",
			"body": receipt(run, fmt.Sprint("c", i%collections), fmt.Sprint(batch, "-", i))})
	}
	return encode(all)
}

func receipt(run, collection, file string) string {
	return encode(map[string]string{"correlation_id": run, "collection_name": collection, "snapshot_type": "full",
		"export_date": "2020-01-01", "filename": file})
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // cannot happen: only maps, slices and strings
	}
	return string(text)
}

// receive runs one execution, started as the pipe of its workflow type starts it. It returns the states outside the Map
// that were entered, and the number of function calls. (The engine has a history of EXPRESS executions too.)
func (s *stack) receive(t *testing.T, input string) (states []string, functionCalls int) {
	t.Helper()
	var execution string
	if s.express {
		done, err := s.machines.StartSyncExecution(t.Context(),
			&sfn.StartSyncExecutionInput{StateMachineArn: &s.Outputs.StateMachineArn, Input: &input})
		if err != nil {
			t.Fatal(err)
		}
		execution = *done.ExecutionArn
	} else {
		started, err := s.machines.StartExecution(t.Context(),
			&sfn.StartExecutionInput{StateMachineArn: &s.Outputs.StateMachineArn, Input: &input})
		if err != nil {
			t.Fatal(err)
		}
		execution = *started.ExecutionArn
	}
	if ended := localtest.Ended(t, s.Config, execution); ended.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the execution ended as %s: %s", ended.Status, aws.ToString(ended.Cause))
	}
	history, err := s.machines.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range history.Events {
		if event.StateEnteredEventDetails != nil {
			states = append(states, *event.StateEnteredEventDetails.Name)
		}
		if scheduled := event.TaskScheduledEventDetails; scheduled != nil &&
			strings.Contains(aws.ToString(scheduled.ResourceType)+aws.ToString(scheduled.Resource), "lambda") {
			functionCalls++
		}
	}
	return states, functionCalls
}
