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
	"snapshot-status-checker/internal/table"
)

func TestAStallIsReportedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	since := b.stalls()
	b.sweep("e1", 1)
	for i := range 3 {
		b.Now = b.Now.Add(snapshot.Lease)
		b.sweep(fmt.Sprint("later", i), 0)
	}
	want := snapshot.Debt{Kind: snapshot.RunStalled, CollectionKey: snapshot.CollectionKey{CorrelationID: Run}, Attempt: since.Unix()}
	if diff := cmp.Diff([]snapshot.Debt{want}, b.monitoring.reports); diff != "" {
		t.Error(diff)
	}
	about, holders := b.monitoring.runs[0], b.monitoring.holders[0]
	if about.CorrelationID != Run || about.SnapshotType != "full" || about.ExportDate != "2020-01-01" {
		t.Errorf("about %+v", about)
	}
	if len(holders.Named) != 1 || holders.Named[0].CollectionName != "a" || holders.More != 0 {
		t.Errorf("held by %+v", holders)
	}

	b.Count(Message("m2", Body("a", "f2")))
	b.sweep("moved", 0)
	b.Now = b.Now.Add(stalledAfter)
	b.sweep("again", 1)
	if one, two := b.monitoring.reports[0].EventID(), b.monitoring.reports[1].EventID(); one == two {
		t.Error("two stalls have one event_id")
	}
}

// Whatever the sweep dies of, the report is sent in the end, always with the same event_id.
func TestASweepThatDiesWithAReport(t *testing.T) {
	t.Parallel()
	updates := func(b *bench) func(string, ...table.Ref) error {
		return func(op string, _ ...table.Ref) error {
			if op == "Update" && len(b.monitoring.reports) > 0 {
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
		{"between send and settle", func(b *bench) { b.DB.Before = updates(b) }, 1, 1},
		{"settled, and the answer is lost", func(b *bench) { b.DB.After = updates(b) }, 1, 0},
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
				if len(b.monitoring.reports) != test.sent {
					t.Errorf("sent %d reports, want %d", len(b.monitoring.reports), test.sent)
				}
				b.DB.Before, b.DB.After, b.monitoring.fail = nil, nil, nil
				b.Now = b.Now.Add(snapshot.Lease - time.Second)
				b.sweep("too early", 0)
				if retried {
					b.sweep("dies", test.again)
				} else {
					b.Now = b.Now.Add(time.Second)
					b.sweep("heir", test.again)
				}
				b.Now = b.Now.Add(2 * snapshot.Lease)
				b.sweep("last", 0)
				for _, report := range b.monitoring.reports {
					if report.EventID() != b.monitoring.reports[0].EventID() {
						t.Errorf("another event_id: %+v", report)
					}
				}
			})
		}
	}
}

func TestRunsAreLetGo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		done    bool
		reports int
	}{"with a last report": {false, 1}, "without one if done": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Receive("a", "x")
			if test.done {
				b.Change("a", table.Item{"CollectionStatus": "Success"})
				verdict, err := b.Runs().Check(t.Context(), Run, "x", snapshot.Received)
				if err != nil {
					t.Fatal(err)
				}
				for _, debt := range verdict.Claimed {
					if err := b.Debts().Delivered(t.Context(), debt); err != nil {
						t.Fatal(err)
					}
				}
			}
			b.Now = b.Now.Add(snapshot.LetGoAfter)
			b.sweep("e1", test.reports)
			if test.reports > 0 && b.monitoring.reports[0].Kind != snapshot.RunLetGo {
				t.Errorf("reported %+v", b.monitoring.reports[0])
			}
			if out, err := b.handle("e2"); err != nil || out != (sweep.Output{}) {
				t.Errorf("not let go: %+v, %v", out, err)
			}
		})
	}
}
