package sweep_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

func TestAStallIsAlertedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	since := b.stalls()
	b.sweep("e1", 1)
	for i := range 3 {
		b.Now = b.Now.Add(store.DefaultLease)
		b.sweep(fmt.Sprint("later", i), 0)
	}
	want := snapshot.Outgoing{Kind: snapshot.RunStalled, CollectionKey: snapshot.CollectionKey{CorrelationID: Run},
		Version: since.Unix()}
	if diff := cmp.Diff([]snapshot.Outgoing{want}, b.monitoring.alerts); diff != "" {
		t.Error(diff)
	}
	export, blockers := b.monitoring.exports[0], b.monitoring.blockers[0]
	if export.SnapshotType != "full" || export.ExportDate != "2020-01-01" {
		t.Errorf("of %+v", export)
	}
	if len(blockers.Named) != 1 || blockers.Named[0].CollectionName != "a" || blockers.More != 0 {
		t.Errorf("blocked by %+v", blockers)
	}

	b.Count(Message("m2", Body("a", "f2")))
	b.sweep("moved", 0)
	b.Now = b.Now.Add(stalledAfter)
	b.sweep("again", 1)
	if one, two := b.monitoring.alerts[0].EventID(), b.monitoring.alerts[1].EventID(); one == two {
		t.Error("two stalls have one event_id")
	}
}

// Whatever the sweep dies of, the alert is sent in the end, always with the same event_id.
func TestASweepThatDiesWithAnAlert(t *testing.T) {
	t.Parallel()
	updates := func(b *bench) func(tabletest.Call) error {
		return func(call tabletest.Call) error {
			if call.Operation == "Update" && len(b.monitoring.alerts) > 0 {
				return errDown
			}
			return nil
		}
	}
	for _, test := range []struct {
		name   string
		breaks func(*bench)
		sent   int // while in trouble
		again  int // by the same sweep run again, and by another after the lease
	}{
		{"before it is sent", func(b *bench) { b.monitoring.fail = errDown }, 0, 1},
		{"between sending and marking", func(b *bench) { b.DB.Before = updates(b) }, 1, 1},
		{"marked, and the answer is lost", func(b *bench) { b.DB.After = updates(b) }, 1, 0},
	} {
		for _, retried := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, retried %v", test.name, retried), func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				b.stalls()
				test.breaks(b)
				if _, err := b.handle("dies"); !errors.Is(err, errDown) {
					t.Fatalf("got %v", err)
				}
				if len(b.monitoring.alerts) != test.sent {
					t.Errorf("sent %d alerts, want %d", len(b.monitoring.alerts), test.sent)
				}
				b.DB.Before, b.DB.After, b.monitoring.fail = nil, nil, nil
				b.Now = b.Now.Add(store.DefaultLease - time.Second)
				b.sweep("too early", 0)
				if retried {
					b.sweep("dies", test.again)
				} else {
					b.Now = b.Now.Add(time.Second)
					b.sweep("heir", test.again)
				}
				b.Now = b.Now.Add(2 * store.DefaultLease)
				b.sweep("last", 0)
				for _, alert := range b.monitoring.alerts {
					if alert.EventID() != b.monitoring.alerts[0].EventID() {
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
	}{"with a last alert": {false, 1}, "without one if done": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Receive("a", "x")
			if test.done {
				b.Change("a", table.Item{"CollectionStatus": "Success"})
				notify(t, b, "x")
			}
			b.Now = b.Now.Add(snapshot.AbandonedAfter)
			b.sweep("e1", test.alerts)
			if test.alerts > 0 && b.monitoring.alerts[0].Kind != snapshot.RunAbandoned {
				t.Errorf("alerted %+v", b.monitoring.alerts[0])
			}
			if out, err := b.handle("e2"); err != nil || out != (sweep.Output{}) {
				t.Errorf("not abandoned: %+v, %v", out, err)
			}
		})
	}
}
