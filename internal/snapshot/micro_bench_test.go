package snapshot_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// pipesBatch is Pipes' array of so many messages, spread evenly over collections: the first record of
// testdata/pipes.json with different identities and names.
func pipesBatch(b *testing.B, messages, collections int) []byte {
	b.Helper()
	raw, err := os.ReadFile("testdata/pipes.json")
	if err != nil {
		b.Fatal(err)
	}
	var records []json.RawMessage
	if err := json.Unmarshal(raw, &records); err != nil {
		b.Fatal(err)
	}
	var all []string
	for i := range messages {
		record := strings.NewReplacer("059f36b4", fmt.Sprintf("%08x", i), "db.database.first",
			fmt.Sprintf("db.database.c%d", i%collections)).Replace(string(records[0]))
		all = append(all, record)
	}
	return []byte("[" + strings.Join(all, ",") + "]")
}

func BenchmarkUnwrap(b *testing.B) {
	for _, messages := range []int{1, 100} {
		b.Run(fmt.Sprintf("messages=%d", messages), func(b *testing.B) {
			input := pipesBatch(b, messages, 1)
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				if receipts := snapshot.Unwrap(input, "execution"); len(receipts) != messages ||
					receipts[0].Rejection != nil {
					b.Fatal(receipts[0].Rejection)
				}
			}
		})
	}
}

func BenchmarkGroupByCollection(b *testing.B) {
	for _, collections := range []int{1, 100} {
		b.Run(fmt.Sprintf("messages=100/collections=%d", collections), func(b *testing.B) {
			receipts := snapshot.Unwrap(pipesBatch(b, 100, collections), "execution")
			b.ReportAllocs()
			for b.Loop() {
				if groups, _, _ := snapshot.GroupByCollection(receipts); len(groups) < collections {
					b.Fatal(len(groups))
				}
			}
		})
	}
}

// received is a collection that lacks so many files.
func received(status snapshot.Status, missing int64) (snapshot.Row, snapshot.Collection) {
	const sent = 125
	row := snapshot.Row{
		CollectionKey: snapshot.CollectionKey{CorrelationID: "run-1", CollectionName: "db.database.collection"},
		Status:        status,
		FilesSent:     snapshot.Count(sent), FilesReceived: snapshot.Count(sent - missing),
		EpochStart: snapshot.Count(0), SyncedFiles: snapshot.Count(sent - missing),
	}
	return row, snapshot.Collection{Known: true, Counted: sent - missing}
}

func BenchmarkNextStep(b *testing.B) {
	now := time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, missing := range map[string]int64{"waiting": 1, "complete": 0} {
		b.Run(name, func(b *testing.B) {
			row, collection := received(snapshot.Sent, missing)
			b.ReportAllocs()
			for b.Loop() {
				snapshot.NextStep(row, collection, "execution", now)
			}
		})
	}
}

// A whole run, as check-all reads it.
func BenchmarkTally(b *testing.B) {
	const rows = 200
	row, _ := received(snapshot.Received, 0)
	for _, exempt := range [][]snapshot.Status{nil, {"Table_Unavailable", "Blocked_Topic"}} {
		b.Run(fmt.Sprintf("rows=%d/exempt=%d", rows, len(exempt)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var tally snapshot.Tally
				for range rows {
					tally.Add(row, exempt)
				}
				if !tally.All(snapshot.AllReceived) {
					b.Fatal("the run is not received")
				}
			}
		})
	}
}

func BenchmarkEntry(b *testing.B) {
	now := time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)
	entry := snapshot.Entry{Version: snapshot.Count(3), Owner: "another", Until: now}
	out := snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, Version: 3,
		CollectionKey: snapshot.CollectionKey{CorrelationID: "run-1", CollectionName: "db.database.collection"}}
	b.Run("free", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !entry.Free("execution", 3, now) {
				b.Fatal("not free")
			}
		}
	})
	b.Run("event id", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out.EventID()
		}
	})
}
