package notify_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// A delivered message is counted once, by the call that delivered it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	request, received := fx.pending(t, owner)
	delivers := func(pending ...snapshot.Outgoing) map[string]float64 {
		return fx.Counted(func(ctx context.Context) { // what fails is not counted
			_, _ = fx.task.Handle(ctx, notify.Input{Owner: owner, Pending: pending})
		})
	}
	for _, step := range []struct {
		name string
		fail error
		want map[string]float64
	}{
		{"the topic is down", errDown, map[string]float64{"RequestsSent": 1}},
		{"it is up again", nil, map[string]float64{"RunsReceived": 1}},
		{"all is delivered", nil, map[string]float64{}},
	} {
		fx.out.fail[snapshot.AllReceived] = step.fail
		if diff := cmp.Diff(step.want, delivers(request, received)); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
	for _, line := range fx.Logged("delivered") {
		if line["execution_id"] != snapshot.ExecutionOf(owner) || line["correlation_id"] != request.CorrelationID {
			t.Errorf("the line is of %v, %v", line["execution_id"], line["correlation_id"])
		}
	}
	fx.Change("a", table.Item{"CollectionStatus": "Success"})
	checked, err := fx.Store.Check(t.Context(), tasktest.Key("a"), owner, true, snapshot.Notifications)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]float64{"RunsSuccessful": 1}, delivers(checked.Pending...)); diff != "" {
		t.Error(diff)
	}
}
