package snapshot_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

// pipesBatch is Pipes' array of so many messages, spread evenly over collections: the first record of
// testdata/pipes.json with different identities and names.
func pipesBatch(b *testing.B, messages, collections int) []byte {
	b.Helper()
	var records []json.RawMessage
	if err := json.Unmarshal([]byte(event(b, "pipes.json")), &records); err != nil {
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
