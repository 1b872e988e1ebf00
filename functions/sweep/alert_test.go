package sweep_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

func TestAStallIsAlertedOnce(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	since := fx.stalls()
	fx.sweep("e1", 1)
	for i := range 3 {
		fx.Now = fx.Now.Add(store.DefaultLease)
		fx.sweep(fmt.Sprint("later", i), 0)
	}
	want := snapshot.Outgoing{Kind: snapshot.RunStalled,
		CollectionKey: snapshot.CollectionKey{CorrelationID: tasktest.Run},
		Version:       since.Unix()}
	if diff := cmp.Diff([]snapshot.Outgoing{want}, fx.monitoring.alerts); diff != "" {
		t.Error(diff)
	}
	export, blockers := fx.monitoring.exports[0], fx.monitoring.blockers[0]
	if export.SnapshotType != "full" || export.ExportDate != "2020-01-01" {
		t.Errorf("of %+v", export)
	}
	if len(blockers.Named) != 1 || blockers.Named[0].CollectionName != "a" || blockers.More != 0 {
		t.Errorf("blocked by %+v", blockers)
	}

	fx.Count(tasktest.Message("m2", tasktest.Body("a", "f2")))
	fx.sweep("moved", 0)
	fx.Now = fx.Now.Add(stalledAfter)
	fx.sweep("again", 1)
	if one, two := fx.monitoring.alerts[0].EventID(), fx.monitoring.alerts[1].EventID(); one == two {
		t.Error("two stalls have one event_id")
	}
}

// Wherever the sweep fails, the alert is sent in the end, with the same event_id.
func TestASweepThatFailsWithAnAlert(t *testing.T) {
	t.Parallel()
	updates := func(fx *fixture) func(tabletest.Call) error {
		return func(call tabletest.Call) error {
			if call.Operation == "Update" && len(fx.monitoring.alerts) > 0 {
				return errDown
			}
			return nil
		}
	}
	for _, test := range []struct {
		name   string
		breaks func(*fixture)
		sent   int // during the failure
		again  int // by the same sweep run again, and by another after the lease
	}{
		{"before it is sent", func(fx *fixture) { fx.monitoring.fail = errDown }, 0, 1},
		{"between sending and marking", func(fx *fixture) { fx.DB.Before = updates(fx) }, 1, 1},
		{"marked, and the answer is lost", func(fx *fixture) { fx.DB.After = updates(fx) }, 1, 0},
	} {
		for _, retried := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, retried %v", test.name, retried), func(t *testing.T) {
				t.Parallel()
				fx := newFixture(t)
				fx.stalls()
				test.breaks(fx)
				if _, err := fx.handle("fails"); !errors.Is(err, errDown) {
					t.Fatalf("got %v", err)
				}
				if len(fx.monitoring.alerts) != test.sent {
					t.Errorf("sent %d alerts, want %d", len(fx.monitoring.alerts), test.sent)
				}
				fx.DB.Before, fx.DB.After, fx.monitoring.fail = nil, nil, nil
				fx.Now = fx.Now.Add(store.DefaultLease - time.Second)
				fx.sweep("too early", 0)
				if retried {
					fx.sweep("fails", test.again)
				} else {
					fx.Now = fx.Now.Add(time.Second)
					fx.sweep("next", test.again)
				}
				fx.Now = fx.Now.Add(2 * store.DefaultLease)
				fx.sweep("last", 0)
				for _, alert := range fx.monitoring.alerts {
					if alert.EventID() != fx.monitoring.alerts[0].EventID() {
						t.Errorf("another event_id: %+v", alert)
					}
				}
			})
		}
	}
}

func TestRunsAreAbandoned(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		done   bool
		alerts int
	}{"with a last alert": {false, 2}, "without one if done": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.Receive("a", "x")
			if test.done {
				fx.Change("a", table.Item{"CollectionStatus": "Success"})
				notify(t, fx, "x")
			}
			fx.Now = fx.Now.Add(snapshot.AbandonedAfter)
			fx.sweep("e1", test.alerts)
			if test.alerts > 0 && fx.monitoring.alerts[0].Kind != snapshot.RunAbandoned {
				t.Errorf("alerted %+v", fx.monitoring.alerts[0])
			}
			if out, err := fx.handle("e2"); err != nil || out != (sweep.Output{}) {
				t.Errorf("not abandoned: %+v, %v", out, err)
			}
		})
	}
}
