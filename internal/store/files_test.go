package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// byFile makes the test's store count each file once.
func (ts *testStore) byFile() { ts.by = snapshot.ByFile; ts.store = ts.another() }

// brings is a message that brings a file.
func brings(identity, file string) snapshot.Receipt {
	r := receipt("a", identity)
	r.Message.Filename = file
	return r
}

func identities(receipts []snapshot.Receipt) (of []string) {
	for _, r := range receipts {
		of = append(of, r.Identity)
	}
	return of
}

// wantCounts expects these messages to be counted, repeated and duplicates.
func (ts *testStore) wantCounts(counts store.Counts, counted, repeated, duplicates []string) {
	ts.Helper()
	got := [][]string{identities(counts.Counted), identities(counts.Repeated), identities(counts.Duplicates)}
	if diff := cmp.Diff([][]string{counted, repeated, duplicates}, got); diff != "" {
		ts.Errorf("counted, repeated, duplicates (-want +got)\n%s", diff)
	}
}

func TestAFileCountsOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.byFile()
		ts.row("a", "Sent", 9)
		ts.wantCounts(ts.count(brings("m1", "x"), brings("m2", "x"), brings("m3", "y")), []string{"m1", "m3"},
			[]string{"m2"}, nil)
		ts.wantCounts(ts.countAs("another", brings("m4", "x"), brings("m1", "x"), brings("m2", "x")), nil,
			[]string{"m4"}, []string{"m1", "m2"})
		ts.wantRow("a", received(2))
		success := successFile("a", "m5") // a request that is repeated is answered under the same name
		success.Message.Filename = "x"
		ts.wantCounts(ts.count(success), []string{"m5"}, nil, nil)
		ts.wantRow("a", received(2))
	})
}

// A message that repeated a file is a duplicate for good, whatever its page and epoch.
func TestARepeatedFileIsRecordedOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.byFile()
		ts.row("a", "Sent", 99)
		ts.count(brings("m1", "x"), brings("m2", "x"))
		ts.oneByOne(receipts("a", "page", store.PageSize))
		ts.wantCounts(ts.countAs("another", brings("m3", "x"), brings("m2", "x")), nil, []string{"m3"}, []string{"m2"})
		ts.exportAgain("a")
		ts.wantCounts(ts.countAs("later", brings("m2", "x")), nil, nil, []string{"m2"})
	})
}

func TestAFileCountsAgainInTheNextEpoch(t *testing.T) {
	for name, again := range map[string]func(*testStore){
		"reset":    func(ts *testStore) { ts.exportAgain("a") },
		"replaced": func(ts *testStore) { ts.replace("a", "Sent", 2) },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.byFile()
				ts.row("a", "Sent", 2)
				ts.count(brings("m1", "x"), brings("m2", "y"))
				again(ts)
				ts.wantCounts(ts.count(brings("m3", "x"), brings("m1", "x"), brings("m4", "x")), []string{"m3"},
					[]string{"m4"}, []string{"m1"})
				ts.wantRow("a", epochs(2, 1))
			})
		})
	}
}

// The file arrives in another message between any two calls of a count, and the page is turned there, too.
func TestAFileArrivesTwiceAtOnce(t *testing.T) {
	t.Parallel()
	for _, filling := range []int{0, store.PageSize/2 - 2} { // two digests a file
		for n := 0; ; n++ {
			ts := newMemoryStore(t)
			ts.byFile()
			ts.row("a", "Sent", 99)
			ts.count(brings("first", "first"))
			ts.oneByOne(receipts("a", "filling", filling))
			calls := 0
			ts.before = func(tabletest.Call) error {
				if calls++; calls-1 == n {
					ts.countAs("others", brings("m2", "x"), brings("m3", "z"))
				}
				return nil
			}
			ts.count(brings("m1", "x"), brings("m4", "y"))
			done := calls > n
			ts.before = nil
			if !done {
				ts.countAs("others", brings("m2", "x"), brings("m3", "z"))
			}
			ts.wantRow("a", received(int64(filling)+4))
			var repeated []string
			for _, r := range ts.receiptsOf("a") {
				if r.Repeated {
					repeated = append(repeated, r.Identity)
				}
			}
			if len(repeated) != 1 || repeated[0] != "m1" && repeated[0] != "m2" {
				t.Errorf("before call %d: %v repeat a file, want m1 or m2", n, repeated)
			}
			if !done {
				break
			}
		}
	}
}

// The counter is reset, or the row replaced, between any two calls of a count of files that were counted in the epoch
// before: each counts at most once in each epoch, and none is lost.
func TestARowChangesWhileFilesAreCounted(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testStore){
		"reset":       func(ts *testStore) { ts.exportAgain("a") },
		"replaced":    func(ts *testStore) { ts.replace("a", "Sent", 2) },
		"ledger lost": func(ts *testStore) { ts.loseLedger("a") },
	} {
		for n := 0; ; n++ {
			ts := newMemoryStore(t)
			ts.byFile()
			ts.row("a", "Sent", 2)
			ts.count(brings("m1", "x"), brings("m2", "y"))
			calls := 0
			ts.before = func(tabletest.Call) error {
				if calls++; calls-1 == n {
					change(ts)
				}
				return nil
			}
			ts.count(brings("m3", "x"), brings("m4", "y"))
			done := calls <= n
			ts.before = nil
			ts.countAs("later", brings("m5", "x"), brings("m6", "y"))
			ts.countAs("later still", brings("m7", "x"), brings("m8", "y"))
			// Files that were read in the epoch before and counted after the change have a receipt in both.
			if row := *ts.read("a").Row; row.FilesReceived.N < 2 || row.FilesReceived.N > 4 || row.SetByOthers() {
				t.Errorf("%s before call %d: %+v", name, n, row)
			}
			if done {
				break
			}
		}
	}
}

// With two digests for each file an update takes half as many messages.
func TestABatchOfFiles(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.byFile()
		ts.row("a", "Sent", 900)
		ts.count(receipt("a", "warm-up"))
		clear(ts.calls)
		batch := receipts("a", "m", table.MaxContained)
		ts.countAs("e", batch...)
		ts.wantRow("a", received(table.MaxContained+1))
		if counts := ts.calls["Update collection"] - ts.calls["Update page"]; counts != 2 || ts.calls["Update row"] != 1 {
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
		repeated := slices.DeleteFunc(ts.receiptsOf("a"), func(r store.Receipt) bool { return !r.Repeated })
		if len(repeated) != len(batch) {
			ts.Errorf("%d receipts of repeated files", len(repeated))
		}
	})
}

// The setting changes while the run is open. Files that were counted by message have no name in the ledger.
func TestCountByChanges(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 9)
		ts.count(brings("m1", "x"))
		ts.byFile()
		ts.wantCounts(ts.count(brings("m1", "x"), brings("m2", "x"), brings("m3", "x")), []string{"m2"}, []string{"m3"},
			[]string{"m1"})
		ts.by = snapshot.ByMessage
		ts.store = ts.another()
		ts.wantCounts(ts.count(brings("m3", "x"), brings("m4", "x")), []string{"m4"}, nil, []string{"m3"})
		ts.wantRow("a", received(3))
	})
}

// The setting changes between the tries of one execution: its receipts of what was counted stay.
func TestCountByChangesBetweenTries(t *testing.T) {
	for name, order := range map[string][2]snapshot.CountBy{"to message": {snapshot.ByFile, snapshot.ByMessage},
		"to file": {snapshot.ByMessage, snapshot.ByFile}} {
		t.Run(name, func(t *testing.T) {
			batch := receipts("a", "m", 3*table.MaxContained)
			everyCrash(t, func(ts *testStore) {
				ts.row("a", "Sent", 900)
				ts.by = order[0]
				ts.store = ts.another()
			}, func(ts *testStore) error {
				_, err := receive(ts, ts.store, "e", batch)
				return err
			}, func(ts *testStore) {
				ts.by = order[1]
				ts.store = ts.another()
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
		ts := newMemoryStore(t)
		ts.byFile()
		ts.row("a", "Sent", 900)
		processes := []*store.Store{ts.another(), ts.another(), ts.another()}
		all, names := map[string]snapshot.Receipt{}, map[string]bool{}
		for round := range 60 {
			if random.IntN(20) == 0 {
				ts.exportAgain("a")
				clear(names)
			}
			var group sync.WaitGroup
			for i, process := range processes {
				batch := map[string]snapshot.Receipt{}
				for range random.IntN(20) {
					message := brings(fmt.Sprint("m", random.IntN(2000)), fmt.Sprint("f", random.IntN(300)))
					if known, again := all[message.Identity]; again {
						message = known
					} else {
						names[message.Message.Filename] = true
					}
					all[message.Identity], batch[message.Identity] = message, message
				}
				if len(batch) == 0 {
					continue
				}
				group.Go(func() {
					_, err := receive(ts, process, fmt.Sprint(round, i), slices.Collect(maps.Values(batch)))
					if err != nil {
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
