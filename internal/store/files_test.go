package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

// countBy changes the setting, as a deployment does.
func (ts *testStore) countBy(by snapshot.CountBy) { ts.configure(store.Settings{CountBy: by}) }

// brings is a message that brings a file.
func brings(identity, file string) snapshot.Receipt {
	r := receipt("a", identity)
	r.Message.Filename = file
	return r
}

// A file counts once in each epoch. A message that repeated a file is a duplicate for good, whatever its page and
// epoch.
func TestAFileCountsOnce(t *testing.T) {
	for name, again := range map[string]func(*testStore){
		"reset":    func(ts *testStore) { ts.exportAgain("a") },
		"replaced": func(ts *testStore) { ts.replace("a", "Sent", 2) },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.countBy(snapshot.ByFile)
				ts.row("a", "Sent", 99)
				ts.wantCounts(ts.count(brings("m1", "x"), brings("m2", "x"), brings("m3", "y")),
					[]string{"m1", "m3"}, []string{"m2"}, nil)
				ts.wantRow("a", received(2))
				ts.oneByOne(receipts("a", "page", store.DefaultPageSize))
				ts.wantCounts(ts.countAs("another", brings("m4", "x"), brings("m1", "x"), brings("m2", "x")), nil,
					[]string{"m4"}, []string{"m1", "m2"})
				success := successFile("a", "m5") // a request that is repeated is answered under the same name
				success.Message.Filename = "x"
				ts.wantCounts(ts.count(success), []string{"m5"}, nil, nil)
				ts.wantRow("a", received(2+store.DefaultPageSize))
				again(ts)
				ts.wantCounts(ts.countAs("later", brings("m6", "x"), brings("m2", "x"), brings("m7", "x")),
					[]string{"m6"}, []string{"m7"}, []string{"m2"})
				ts.wantRow("a", epochs(2+store.DefaultPageSize, 1))
			})
		})
	}
}

// With two digests for each file an update takes half as many messages.
func TestABatchOfFiles(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.countBy(snapshot.ByFile)
		ts.row("a", "Sent", 900)
		ts.count(receipt("a", "warm-up"))
		clear(ts.calls)
		batch := receipts("a", "m", table.MaxContained)
		ts.countAs("e", batch...)
		ts.wantRow("a", received(table.MaxContained+1))
		if counts := ts.calls["Update collection"] - ts.calls["Update page"]; counts != 2 ||
			ts.calls["Update row"] != 1 {
			ts.Errorf("%d updates that count and %d of the row, want 2 and 1", counts, ts.calls["Update row"])
		}
		var again []snapshot.Receipt
		for i, r := range batch {
			again = append(again, brings(fmt.Sprint("again ", i), r.Message.Filename))
		}
		if counts := ts.countAs("f", again...); len(counts.Repeated) != len(batch) {
			ts.Errorf("%d of %d files are repeated", len(counts.Repeated), len(batch))
		}
		ts.wantRow("a", received(table.MaxContained+1))
		ts.wantReceipts("a", append(batch, again...))
		repeated := slices.DeleteFunc(ts.receiptsOf("a"), func(r store.Receipt) bool { return !r.Repeated })
		if len(repeated) != len(again) {
			ts.Errorf("%d receipts of repeated files", len(repeated))
		}
	})
}

// The setting changes while the run is open. Files that were counted by message have no name in the ledger.
func TestCountByChanges(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 9)
	ts.count(brings("m1", "x"))
	ts.countBy(snapshot.ByFile)
	ts.wantCounts(ts.count(brings("m1", "x"), brings("m2", "x"), brings("m3", "x")), []string{"m2"}, []string{"m3"},
		[]string{"m1"})
	ts.countBy(snapshot.ByMessage)
	ts.wantCounts(ts.count(brings("m3", "x"), brings("m4", "x")), []string{"m4"}, nil, []string{"m3"})
	ts.wantRow("a", received(3))
}

// The setting changes between the tries of one execution: its receipts of what was counted stay.
func TestCountByChangesBetweenTries(t *testing.T) {
	for name, order := range map[string][2]snapshot.CountBy{"to message": {snapshot.ByFile, snapshot.ByMessage},
		"to file": {snapshot.ByMessage, snapshot.ByFile}} {
		t.Run(name, func(t *testing.T) {
			batch := receipts("a", "m", 3*table.MaxContained)
			everyCrash(t, func(ts *testStore) {
				ts.row("a", "Sent", 900)
				ts.countBy(order[0])
			}, func(ts *testStore) error {
				_, err := receive(ts, ts.store, "e", batch...)
				return err
			}, func(ts *testStore) {
				ts.countBy(order[1])
				ts.countAs("e", batch...)
				ts.wantRow("a", received(int64(len(batch))))
				ts.wantReceipts("a", batch)
			})
		})
	}
}

// Processes with caches of their own count the same files at once, over many pages, with redeliveries and new exports
// in between: each name counts once in each epoch, and each message has one receipt.
func TestManyProcessesCountTheSameFiles(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		ts := newStore(t)
		ts.countBy(snapshot.ByFile)
		ts.row("a", "Sent", 900)
		processes := []*store.Store{ts.another(), ts.another(), ts.another()}
		all, names := map[int]snapshot.Receipt{}, map[string]bool{}
		for round := range 60 {
			if random.IntN(20) == 0 {
				ts.exportAgain("a")
				clear(names)
			}
			var group sync.WaitGroup
			for i, process := range processes {
				batch := map[int]snapshot.Receipt{}
				for range random.IntN(20) {
					n := random.IntN(2000)
					batch[n] = brings(fmt.Sprint("m", n), fmt.Sprint("f", n%300))
					if _, again := all[n]; !again {
						names[batch[n].Message.Filename] = true
					}
					all[n] = batch[n]
				}
				if len(batch) == 0 {
					continue
				}
				group.Go(func() {
					if _, err := receive(ts, process, fmt.Sprint(round, i),
						slices.Collect(maps.Values(batch))...); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if row := ts.read("a").Row; len(names) > 0 && row.FilesReceived.N != int64(len(names)) {
				t.Fatalf("seed %d, round %d: %d files received, want %d", seed, round, row.FilesReceived.N, len(names))
			}
		}
		ts.wantReceipts("a", slices.Collect(maps.Values(all)))
	}
}
