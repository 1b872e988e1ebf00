package hotpath

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
)

// The tests come one after the other, since the proxy counts for all of them, and the exact ones first: a function's
// process registers a run when it sees it first, and only the pipes make the engine start several.
func TestDeployed(t *testing.T) {
	engine, calls := engine(t, "0.01") // they are used up in some tests
	for _, configuration := range []struct {
		workflowType string
		batchSize    int
	}{{"STANDARD", 10}, {"EXPRESS", 100}} {
		s := deploy(t, engine, calls, configuration.workflowType, configuration.batchSize)
		t.Run(configuration.workflowType, func(t *testing.T) {
			for _, size := range []int{1, 10, 100} {
				t.Run(fmt.Sprintf("%d receipts of one collection", size),
					func(t *testing.T) { batchesThatCompleteNothing(t, s, size, 1) })
			}
			t.Run("a batch over several collections", func(t *testing.T) { batchesThatCompleteNothing(t, s, 100, 7) })
			t.Run("a batch through the pipe", func(t *testing.T) { batchThroughThePipe(t, s) })
			t.Run("a hot collection", func(t *testing.T) { hotCollection(t, s) })
			t.Run("what cannot be counted", func(t *testing.T) { whatCannotBeCounted(t, s) })
			t.Run("rows that cannot be written", func(t *testing.T) { rowsThatCannotBeWritten(t, s) })
			t.Run("answers that are lost", func(t *testing.T) { lostAnswers(t, s) })
		})
	}
}

// A batch that completes nothing costs 2 states, 1 function call and 1 read call, and for each of its collections 3
// writes: the receipts, the count and the row. A page that it fills costs 2 more.
func batchesThatCompleteNothing(t *testing.T, s *stack, size, collections int) {
	run := fmt.Sprintf("run-%d-%d", size, collections)
	for c := range collections {
		s.put(t, run, fmt.Sprint("c", c), number(1000))
	}
	// The first receipts register the run and adopt the rows: once for all that follow.
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
		{Operation: "UpdateItem", Table: s.outputs.LedgerTableName}:       batches * written,
		{Operation: "UpdateItem", Table: s.outputs.ExportStatusTableName}: batches * collections,
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
		if got := s.stands(t, run, fmt.Sprint("c", c)); got != fmt.Sprint("Sent ", want) {
			t.Errorf("collection %d stands at %s, want %d received", c, got, want)
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
		panic(err) // only maps, slices and strings come here
	}
	return string(text)
}

// receive runs one execution to its end, started as the pipe of its workflow type starts it, and returns the states
// that it entered outside of the Map and how many functions it called. (The engine keeps the history of EXPRESS
// executions too; on AWS it is in the log.)
func (s *stack) receive(t *testing.T, input string) (states []string, functionCalls int) {
	t.Helper()
	var execution string
	if s.express {
		done, err := s.machines.StartSyncExecution(t.Context(),
			&sfn.StartSyncExecutionInput{StateMachineArn: &s.outputs.StateMachineArn, Input: &input})
		if err != nil {
			t.Fatal(err)
		}
		execution = *done.ExecutionArn
	} else {
		started, err := s.machines.StartExecution(t.Context(),
			&sfn.StartExecutionInput{StateMachineArn: &s.outputs.StateMachineArn, Input: &input})
		if err != nil {
			t.Fatal(err)
		}
		execution = *started.ExecutionArn
	}
	await(t, func() string {
		described, err := s.machines.DescribeExecution(t.Context(),
			&sfn.DescribeExecutionInput{ExecutionArn: &execution})
		switch {
		case err != nil:
			t.Fatal(err)
		case described.Status == sfntypes.ExecutionStatusRunning:
			return "the end of " + execution
		case described.Status != sfntypes.ExecutionStatusSucceeded:
			t.Fatalf("the execution ended as %s: %s", described.Status, aws.ToString(described.Cause))
		}
		return ""
	})
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
