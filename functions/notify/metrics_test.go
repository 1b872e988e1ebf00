package notify_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// What was told counts once, by the call that told it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	request, received := b.claimed(t, claimer)
	pays := func(owed ...snapshot.Debt) map[string]float64 {
		return b.Counted(func(ctx context.Context) { // what fails is not counted
			_, _ = b.task.Handle(ctx, notify.Input{Claimer: claimer, Owed: owed})
		})
	}
	for _, step := range []struct {
		name string
		fail error
		want map[string]float64
	}{
		{"the topic is down", errDown, map[string]float64{"RequestsSent": 1}},
		{"it is up again", nil, map[string]float64{"RunsReceived": 1}},
		{"all is paid", nil, map[string]float64{}},
	} {
		b.out.fail[snapshot.AllReceived] = step.fail
		if diff := cmp.Diff(step.want, pays(request, received)); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
	for _, line := range b.Logged("delivered") {
		if line["execution_id"] != snapshot.ExecutionOf(claimer) || line["correlation_id"] != request.CorrelationID {
			t.Errorf("the line is of %v, %v", line["execution_id"], line["correlation_id"])
		}
	}
	b.Change("a", table.Item{"CollectionStatus": "Success"})
	verdict, err := b.Runs().Check(t.Context(), received.CorrelationID, claimer, snapshot.Received)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]float64{"RunsSuccessful": 1}, pays(verdict.Claimed...)); diff != "" {
		t.Error(diff)
	}
}
