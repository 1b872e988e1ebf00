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
	"snapshot-status-checker/internal/table/tabletest"
)

// A late run is stalled too. Each is alerted once, and again only after the run moved.
func TestAlertsAreSentOnce(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	began := fx.Now
	fx.waits(tasktest.LateAfter)
	fx.sweep("e1", 2)
	for i := range 3 {
		fx.passes(store.DefaultLease)
		fx.sweep(fmt.Sprint("later", i), 0)
	}
	run, lines := snapshot.Run{CorrelationID: tasktest.Run}, []tasktest.Fields{}
	for i, kind := range []snapshot.Kind{snapshot.RunStalled, snapshot.RunLate} {
		alert, out := fx.monitoring.alerts[i], run.Outgoing(kind, began.Unix())
		if diff := cmp.Diff(out, alert.out); diff != "" || alert.export.SnapshotType != "full" ||
			alert.export.ExportDate != "2020-01-01" {
			t.Errorf("%s of %+v", diff, alert.export)
		}
		if blockers := alert.blockers; blockers.More != 0 || len(blockers.Named) != 1 ||
			blockers.Named[0].CollectionName != "a" {
			t.Errorf("blocked by %+v", blockers)
		}
		lines = append(lines, tasktest.Fields{"correlation_id": tasktest.Run, "kind": string(kind), "level": "WARN",
			"version": float64(began.Unix()), "event_id": out.EventID()})
	}
	fx.WantLogged("alerted", lines[0], lines[1:]...)

	fx.Count("m2 a/f2")
	fx.sweep("moved", 0)
	fx.passes(stalledAfter)
	fx.sweep("again", 1)
	if one, two := fx.monitoring.alerts[0].out, fx.monitoring.alerts[2].out; one.EventID() == two.EventID() {
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
		{"before it is sent", func(fx *fixture) { fx.monitoring.fail = snapshot.RunStalled }, 0, 1},
		{"between sending and marking", func(fx *fixture) { fx.DB.Before = updates(fx) }, 1, 1},
		{"marked, and the answer is lost", func(fx *fixture) { fx.DB.After = updates(fx) }, 1, 0},
	} {
		for _, retried := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, retried %v", test.name, retried), func(t *testing.T) {
				t.Parallel()
				fx := newFixture(t)
				fx.waits(stalledAfter)
				test.breaks(fx)
				if _, err := fx.handle("fails"); !errors.Is(err, errDown) || len(fx.monitoring.alerts) != test.sent {
					t.Errorf("%v, sent %d alerts, want %d", err, len(fx.monitoring.alerts), test.sent)
				}
				fx.DB.Before, fx.DB.After, fx.monitoring.fail = nil, nil, ""
				fx.passes(store.DefaultLease - time.Second)
				fx.sweep("too early", 0)
				if retried {
					fx.sweep("fails", test.again)
				} else {
					fx.passes(time.Second)
					fx.sweep("next", test.again)
				}
				fx.passes(store.DefaultLease)
				fx.sweep("last", 0)
				for _, alert := range fx.monitoring.alerts {
					if alert.out.EventID() != fx.monitoring.alerts[0].out.EventID() {
						t.Errorf("another event_id: %+v", alert)
					}
				}
			})
		}
	}
}

// One alert that cannot be sent does not delay the other. The next sweep sends it.
func TestAnAlertThatFailsDelaysNoOther(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.waits(tasktest.LateAfter)
	fx.monitoring.fail = snapshot.RunStalled
	if out, err := fx.handle("fails"); !errors.Is(err, errDown) || out.Alerts != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	fx.wantAlerts(snapshot.RunLate)
	fx.monitoring.fail = ""
	fx.passes(store.DefaultLease)
	fx.sweep("next", 1)
	fx.wantAlerts(snapshot.RunStalled)
}

// A run is alerted although its collections cannot be reconciled: this may be why it stalls.
func TestAlertWhileNothingCanBeStarted(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.complete(tasktest.Run)
	fx.sweep("s1", 0)
	fx.passes(stalledAfter)
	fx.machine.fail = tasktest.Run
	if out, err := fx.handle("s2"); !errors.Is(err, errDown) || out.Alerts != 1 || out.Reconciled != 0 {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestRunsAreAbandoned(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		fx := newFixture(t)
		fx.Receive("a", "x")
		alerts := []snapshot.Kind{snapshot.RunAbandoned, snapshot.RunLate}
		if done {
			fx.Change("a Success -/-")
			fx.notify()
			alerts = nil
		}
		fx.passes(snapshot.AbandonedAfter)
		fx.sweep("e1", len(alerts))
		fx.wantAlerts(alerts...)
		if out, err := fx.handle("e2"); err != nil || out != (sweep.Output{}) {
			t.Errorf("done %v, and not abandoned: %+v, %v", done, out, err)
		}
	}
}
