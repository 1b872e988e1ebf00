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

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

var errDown = errors.New("service is down")

func TestReconcilesInChunks(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	var want []string
	for i := range 2*snapshot.MaxRequested + 3 {
		name := fmt.Sprintf("c%03d", i)
		fx.Put(name, tasktest.Sent(1))
		fx.Count(tasktest.Message(name, tasktest.Body(name, "f")))
		want = append(want, tasktest.Run+"/"+name)
	}
	out, err := fx.handle("e1")
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
	if diff := cmp.Diff(chunks, fx.machine.started); diff != "" {
		t.Error(diff)
	}
}

// A request of any names fits into an execution's input: 256 KiB
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
	fx := newFixture(t)
	out, err := fx.handle("e1")
	if err != nil || out != (sweep.Output{}) || len(fx.machine.started)+len(fx.monitoring.alerts) > 0 {
		t.Errorf("got %+v, %v", out, err)
	}
}

// Runs that cannot be listed are not taken for none.
func TestAFailureToListTheRuns(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.run(tasktest.Run)
	fx.DB.Before = func(call tabletest.Call) error {
		if call.Operation == "Query" && call.Refs[0].Partition == "run" {
			return errDown
		}
		return nil
	}
	if out, err := fx.handle("e1"); !errors.Is(err, errDown) {
		t.Errorf("got %+v, %v", out, err)
	}
	if swept := fx.Logged("swept"); len(swept) > 0 {
		t.Errorf("it says that it swept: %v", swept)
	}
}

// A failure of run-2 does not affect run-1 and run-3.
func TestAFailureOfOneRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		breaks func(*fixture)
	}{
		{"a malformed row", func(fx *fixture) {
			fx.PutAt(fx.Names.Status.At("run-2", "a"), table.Item{"CollectionStatus": "Sent", "FilesSent": "one"})
		}},
		{"no execution starts", func(fx *fixture) {
			fx.machine.fail = func(key snapshot.CollectionKey) error {
				if key.CorrelationID == "run-2" {
					return errDown
				}
				return nil
			}
		}},
		{"the ledger refuses", func(fx *fixture) {
			fx.DB.Before = func(call tabletest.Call) error {
				if call.Refs[0].Sort == "run-2" {
					return errDown
				}
				return nil
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			for _, id := range []string{"run-1", "run-2", "run-3"} {
				fx.run(id)
			}
			test.breaks(fx)
			out, err := fx.handle("e1")
			if err == nil || !strings.Contains(err.Error(), "run-2") || strings.Contains(err.Error(), "run-1") ||
				strings.Contains(err.Error(), "run-3") {
				t.Errorf("got the error %v", err)
			}
			if out != (sweep.Output{OpenRuns: 3, Reconciled: 2}) {
				t.Errorf("got %+v", out)
			}
			if diff := cmp.Diff([]string{"run-1/a", "run-3/a"}, fx.machine.started); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A run is alerted although its collections cannot be reconciled: this may be why it stalls.
func TestAlertWhileNothingCanBeStarted(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.run("run-1")
	if _, err := fx.handle("s1"); err != nil {
		t.Fatal(err)
	}
	fx.Now = fx.Now.Add(stalledAfter)
	fx.machine.fail = func(snapshot.CollectionKey) error { return errDown }
	if out, err := fx.handle("s2"); !errors.Is(err, errDown) || out.Alerts != 1 || out.Reconciled != 0 {
		t.Errorf("got %+v, %v", out, err)
	}
}

// A malformed run is named in the error; the others are swept.
func TestAMalformedRun(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.run("run-2")
	fx.PutAt(fx.Names.Ledger.At("run", "run-1"), table.Item{"CorrelationId": "run-1", "RegisteredAt": "yesterday"})
	out, err := fx.handle("s1")
	if err == nil || !strings.Contains(err.Error(), `"run-1"`) {
		t.Errorf("got %v, want an error that names the run", err)
	}
	if out.Reconciled != 1 || len(fx.machine.started) != 1 {
		t.Errorf("got %+v with %q, want the other run's collection", out, fx.machine.started)
	}
}

// The log has nothing of a message but its names.
func TestLog(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	const canary = "CANARY-7f3a"
	id := "line\n{\"run\"}"
	fx.PutAt(fx.Names.Status.At(id, "a"), tasktest.Sent(1))
	text, _ := json.Marshal(id) // a string always marshals
	fx.Count(tasktest.Message("m1", fmt.Sprintf(
		`{"correlation_id":%s,"collection_name":"a","snapshot_type":%q,"export_date":%q,"filename":%q}`,
		text, canary, canary, canary)))
	if _, err := fx.handle("e1"); err != nil {
		t.Fatal(err)
	}
	fx.Now = fx.Now.Add(stalledAfter)
	fx.sweep("e2", 1)
	fx.machine.fail = func(snapshot.CollectionKey) error { return errDown }
	if _, err := fx.handle("e3"); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("got the error %v", err)
	}
	if strings.Contains(fx.LogText(), canary) {
		t.Errorf("the log holds what a message said: %s", fx.LogText())
	}
	alert := snapshot.Outgoing{Kind: snapshot.RunStalled, CollectionKey: snapshot.CollectionKey{CorrelationID: id},
		Version: fx.Now.Add(-stalledAfter).Unix()}
	for message, want := range map[string]map[string]any{
		"reconciling": {"correlation_id": id, "collections": 1.0, "level": "INFO"},
		"alerted": {"correlation_id": id, "kind": "RUN_STALLED", "level": "WARN",
			"version": float64(alert.Version), "event_id": alert.EventID()},
		"swept": {"open_runs": 1.0, "reconciled": 1.0, "alerts": 0.0, "level": "INFO"},
	} {
		lines := fx.Logged(message)
		if len(lines) == 0 {
			t.Errorf("%q is not logged: %s", message, fx.LogText())
			continue
		}
		for key, value := range want {
			if lines[0][key] != value {
				t.Errorf("%s of %q is %v, want %v", key, message, lines[0][key], value)
			}
		}
	}
}

// Input and output, exactly as the schedule passes them; the execution is the owner.
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
	fx := newFixture(t)
	fx.stalls()
	out, err := fx.task.Handle(t.Context(), in)
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
	item := fx.Item(fx.Names.Ledger.At("run", tasktest.Run))
	if item["StalledOwner"] != "sweep/c5f2b1f0-8a4e-4d0e-9d57-2f1c8f0f2b11" {
		t.Errorf("owned by %v", item["StalledOwner"])
	}
}
