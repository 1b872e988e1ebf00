package sweep_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// One execution takes up to 100 collections, and fewer of long names: its input is limited. See starter.
func TestReconcilesInChunks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		run, name string
		chunk     int
	}{
		{tasktest.Run, "c", snapshot.MaxRequested},
		{strings.Repeat("r", snapshot.MaxCorrelationID), strings.Repeat("c", snapshot.MaxCollectionName-3), 13},
	} {
		fx := newFixture(t)
		var all, want []string
		for i := range 2*snapshot.MaxRequested + 3 {
			all = append(all, fmt.Sprintf("%s:%s%03d", test.run, test.name, i))
			fx.Put(all[i] + " Sent 0/1")
			fx.Count(fmt.Sprint("m", i, " ", all[i], "/f"))
		}
		if out, err := fx.handle("e1"); err != nil || out != (sweep.Output{OpenRuns: 1, Reconciled: len(all)}) {
			t.Errorf("%+v, %.300v", out, err)
		}
		for chunk := range slices.Chunk(all, test.chunk) {
			want = append(want, strings.Join(chunk, " "))
		}
		fx.wantStarted(want...)
	}
}

// Runs that cannot be listed are not taken for none.
func TestAFailureToListTheRuns(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	if out, err := fx.handle("none"); err != nil || out != (sweep.Output{}) {
		t.Errorf("without a run: %+v, %v", out, err)
	}
	fx.complete(tasktest.Run)
	fx.DB.Before = func(call tabletest.Call) error {
		if call.Operation == "Query" && call.Refs[0].Partition == "run" {
			return errDown
		}
		return nil
	}
	if out, err := fx.handle("e1"); !errors.Is(err, errDown) {
		t.Errorf("got %+v, %v", out, err)
	}
	fx.WantLogged("swept", tasktest.Fields{"open_runs": 0.0})
}

// A failure of run-2 is named in the error and does not affect run-1 and run-3.
func TestAFailureOfOneRun(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*fixture){
		"a malformed row": func(fx *fixture) { fx.Put("run-2:a Sent -/one") },
		"a malformed run": func(fx *fixture) {
			fx.PutAt(fx.Names.Ledger.At("run", "run-2"), table.Item{"CorrelationId": "run-2",
				"RegisteredAt": "yesterday"})
		},
		"no execution starts": func(fx *fixture) { fx.machine.fail = "run-2" },
		"the ledger refuses": func(fx *fixture) {
			fx.DB.Before = func(call tabletest.Call) error {
				if call.Refs[0].Sort == "run-2" {
					return errDown
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.complete("run-1", "run-2", "run-3")
			breaks(fx)
			out, err := fx.handle("e1")
			if err == nil || !strings.Contains(err.Error(), "run-2") || strings.Contains(err.Error(), "run-1") ||
				strings.Contains(err.Error(), "run-3") || out.Reconciled != 2 {
				t.Errorf("got %+v, the error %v", out, err)
			}
			fx.wantStarted("run-1:a", "run-3:a")
		})
	}
}

// The log has nothing of a message but its names.
func TestLog(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	const canary = "CANARY-7f3a"
	id := "line\n{\"run\"}"
	fx.PutAt(fx.Names.Status.At(id, "a"), table.Item{"CollectionStatus": "Sent", "FilesSent": int64(1)})
	text, err := json.Marshal(map[string]string{"correlation_id": id, "collection_name": "a", "snapshot_type": canary,
		"export_date": canary, "filename": canary})
	if err != nil {
		t.Fatal(err)
	}
	fx.Count(tasktest.Record("m1", string(text)))
	fx.sweep("e1", 0)
	fx.passes(stalledAfter)
	fx.machine.fail = id
	if _, err := fx.handle("e2"); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("got the error %v", err)
	}
	if strings.Contains(fx.LogText(), canary) {
		t.Errorf("the log holds what a message said: %s", fx.LogText())
	}
	fx.WantLogged("reconciling", tasktest.Fields{"correlation_id": id, "collections": 1.0, "level": "INFO"})
	fx.WantLogged("alerted", tasktest.Fields{"correlation_id": id})
	fx.WantLogged("swept",
		tasktest.Fields{"open_runs": 1.0, "reconciled": 1.0, "alerts": 0.0, "level": "INFO"},
		tasktest.Fields{"open_runs": 1.0, "reconciled": 0.0, "alerts": 1.0})
}

// Input and output, exactly as the schedule passes them; the execution is the owner.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.waits(stalledAfter)
	got := tasktest.Invoke(t, fx.task.Handle)
	if diff := cmp.Diff(`{"open_runs":1,"reconciled":0,"alerts":1}`, got); diff != "" {
		t.Error(diff)
	}
	state, err := fx.Store.Run(t.Context(), tasktest.Run)
	if err != nil {
		t.Fatal(err)
	}
	if by := state.Run.Outbox[snapshot.RunStalled].Owner; by != "sweep/c5f2b1f0-8a4e-4d0e-9d57-2f1c8f0f2b11" {
		t.Errorf("owned by %v", by)
	}
}
