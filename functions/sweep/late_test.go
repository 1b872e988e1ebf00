package sweep_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// late makes the test's run late and stalled in one sweep's eyes; its alerts are due.
func (fx *fixture) late() (began time.Time) {
	fx.t.Helper()
	began = fx.Now
	fx.Put("a", tasktest.Sent(9))
	fx.Count(tasktest.Message("m1", tasktest.Body("a", "f")))
	fx.sweep("before", 0)
	fx.Now = fx.Now.Add(tasktest.LateAfter)
	return began
}

func (fx *fixture) kinds() (kinds []snapshot.Kind) {
	for _, alert := range fx.monitoring.alerts {
		kinds = append(kinds, alert.Kind)
	}
	return kinds
}

func TestLatenessIsAlertedOnce(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	began := fx.late()
	fx.sweep("e1", 2)
	for i := range 3 {
		fx.Now = fx.Now.Add(store.DefaultLease)
		fx.sweep(string(rune('a'+i)), 0)
	}
	want := snapshot.Run{CorrelationID: tasktest.Run}.Outgoing(snapshot.RunLate, began.Unix())
	if diff := cmp.Diff(want, fx.monitoring.alerts[1]); diff != "" {
		t.Error(diff)
	}
	if blockers := fx.monitoring.blockers[1]; len(blockers.Named) != 1 || blockers.Named[0].CollectionName != "a" {
		t.Errorf("blocked by %+v", blockers)
	}
	if diff := cmp.Diff(late(1, sees(1, 3600*3.5, 1, 0)), fx.seen("metrics")); diff != "" {
		t.Error(diff)
	}
	if logged := fx.Logged("alerted"); len(logged) != 2 || logged[1]["kind"] != "RUN_LATE" {
		t.Errorf("logged %v", logged)
	}
}

// One alert that cannot be sent does not delay the other. The next sweep sends it.
func TestAnAlertThatFailsDelaysNoOther(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.late()
	fx.monitoring.refuses = snapshot.RunStalled
	if _, err := fx.handle("fails"); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]snapshot.Kind{snapshot.RunLate}, fx.kinds()); diff != "" {
		t.Error(diff)
	}
	fx.monitoring.refuses = ""
	fx.Now = fx.Now.Add(store.DefaultLease)
	fx.sweep("next", 1)
	if diff := cmp.Diff([]snapshot.Kind{snapshot.RunLate, snapshot.RunStalled}, fx.kinds()); diff != "" {
		t.Error(diff)
	}
}
