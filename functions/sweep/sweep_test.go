package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

var errDown = errors.New("service is down")

func TestReconcilesInChunks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var want []string
	for i := range 2*snapshot.MaxRequested + 3 {
		name := fmt.Sprintf("c%03d", i)
		b.Put(name, Sent(1))
		b.Count(Message(name, Body(name, "f")))
		want = append(want, Run+"/"+name)
	}
	out, err := b.handle("e1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sweep.Output{OpenRuns: 1, Reconciled: len(want)}, out); diff != "" {
		t.Error(diff)
	}
	var chunks []string
	for chunk := range slices.Chunk(want, snapshot.MaxRequested) {
		chunks = append(chunks, strings.Join(chunk, " "))
	}
	if diff := cmp.Diff(chunks, b.machine.started); diff != "" {
		t.Error(diff)
	}
}

// However long the names are, and whatever JSON makes of them, a request fits into an execution's input: 256 KiB
// (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
func TestRequestsFitIntoAnInput(t *testing.T) {
	t.Parallel()
	longest := snapshot.CollectionKey{
		CorrelationID:  strings.Repeat("\x01", snapshot.MaxCorrelationID),
		CollectionName: strings.Repeat("\x01", snapshot.MaxCollectionName),
	}
	recorded, requested := &recorder{}, 0
	starter := &machine.Machine{SFN: recorded, ARN: "arn"}
	for _, keys := range snapshot.Requests(slices.Repeat([]snapshot.CollectionKey{longest}, 2*snapshot.MaxRequested)) {
		if err := starter.Reconcile(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		if size := len(*recorded.in.Input); size > 256*1024 {
			t.Errorf("%d bytes", size)
		}
		requested += len(keys)
	}
	if requested != 2*snapshot.MaxRequested {
		t.Errorf("%d collections are requested", requested)
	}
}

type recorder struct{ in *sfn.StartExecutionInput }

func (r *recorder) StartExecution(
	_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options),
) (*sfn.StartExecutionOutput, error) {
	r.in = in
	return &sfn.StartExecutionOutput{}, nil
}

func TestNothingToSweep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out, err := b.handle("e1")
	if err != nil || out != (sweep.Output{}) || len(b.machine.started)+len(b.monitoring.alerts) > 0 {
		t.Errorf("got %+v, %v", out, err)
	}
}

// A list of runs that could not be read is not an empty one.
func TestTroubleListingTheRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run(Run)
	b.DB.Before = func(call tabletest.Call) error {
		if call.Operation == "Query" && call.Refs[0].Partition == "run" {
			return errDown
		}
		return nil
	}
	if out, err := b.handle("e1"); !errors.Is(err, errDown) {
		t.Errorf("got %+v, %v", out, err)
	}
	if swept := b.Logged("swept"); len(swept) > 0 {
		t.Errorf("it says that it swept: %v", swept)
	}
}

// Trouble with run-2 does not hold back run-1 and run-3.
func TestTroubleWithOneRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		breaks func(*bench)
	}{
		{"a malformed row", func(b *bench) {
			b.PutAt(b.Tables.Status.At("run-2", "a"), table.Item{"CollectionStatus": "Sent", "FilesSent": "one"})
		}},
		{"no execution starts", func(b *bench) {
			b.machine.fail = func(key snapshot.CollectionKey) error {
				if key.CorrelationID == "run-2" {
					return errDown
				}
				return nil
			}
		}},
		{"the ledger refuses", func(b *bench) {
			b.DB.Before = func(call tabletest.Call) error {
				if call.Refs[0].Sort == "run-2" {
					return errDown
				}
				return nil
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for _, id := range []string{"run-1", "run-2", "run-3"} {
				b.run(id)
			}
			test.breaks(b)
			out, err := b.handle("e1")
			if err == nil || !strings.Contains(err.Error(), "run-2") || strings.Contains(err.Error(), "run-1") ||
				strings.Contains(err.Error(), "run-3") {
				t.Errorf("got the error %v", err)
			}
			if out != (sweep.Output{OpenRuns: 3, Reconciled: 2}) {
				t.Errorf("got %+v", out)
			}
			if diff := cmp.Diff([]string{"run-1/a", "run-3/a"}, b.machine.started); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A run of the ledger that nobody can read is named in the end; the others are swept.
func TestARunThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("run-2")
	b.PutAt(b.Tables.Ledger.At("run", "run-1"), table.Item{"CorrelationId": "run-1", "RegisteredAt": "yesterday"})
	out, err := b.handle("s1")
	if err == nil || !strings.Contains(err.Error(), `"run-1"`) {
		t.Errorf("got %v, want an error that names the run", err)
	}
	if out.Reconciled != 1 || len(b.machine.started) != 1 {
		t.Errorf("got %+v with %q, want the other run's collection", out, b.machine.started)
	}
}

// What a message said is not in the log but for the names that are keys, whatever these hold.
func TestLog(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const canary = "CANARY-7f3a"
	id := "odd\n{\"run\"}"
	b.PutAt(b.Tables.Status.At(id, "a"), Sent(1))
	text, _ := json.Marshal(id) // a string always marshals
	b.Count(Message("m1", fmt.Sprintf(
		`{"correlation_id":%s,"collection_name":"a","snapshot_type":%q,"export_date":%q,"filename":%q}`,
		text, canary, canary, canary)))
	if _, err := b.handle("e1"); err != nil {
		t.Fatal(err)
	}
	b.Now = b.Now.Add(stalledAfter)
	b.sweep("e2", 1)
	b.machine.fail = func(snapshot.CollectionKey) error { return errDown }
	if _, err := b.handle("e3"); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("got the error %v", err)
	}
	if strings.Contains(b.LogText(), canary) {
		t.Errorf("the log holds what a message said: %s", b.LogText())
	}
	for message, want := range map[string]map[string]any{
		"reconciling": {"correlation_id": id, "collections": 1.0, "level": "INFO"},
		"alerted":     {"correlation_id": id, "kind": "RUN_STALLED", "level": "WARN"},
		"swept":       {"open_runs": 1.0, "reconciled": 1.0, "alerts": 0.0, "level": "INFO"},
	} {
		lines := b.Logged(message)
		if len(lines) == 0 {
			t.Errorf("%q is not logged: %s", message, b.LogText())
			continue
		}
		for key, value := range want {
			if lines[0][key] != value {
				t.Errorf("%s of %q is %v, want %v", key, message, lines[0][key], value)
			}
		}
	}
}

// What the schedule passes in and gets back, to the letter; the execution is the owner.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	var in sweep.Input
	if err := json.Unmarshal(text, &in); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.stalls()
	out, err := b.task.Handle(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"open_runs":1,"reconciled":0,"alerts":1}`, string(got)); diff != "" {
		t.Error(diff)
	}
	item := b.Item(b.Tables.Ledger.At("run", Run))
	if item["StalledOwner"] != "sweep/c5f2b1f0-8a4e-4d0e-9d57-2f1c8f0f2b11" {
		t.Errorf("owned by %v", item["StalledOwner"])
	}
}
