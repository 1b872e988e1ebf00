package dynamo_test

import (
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
)

func BenchmarkTransact(b *testing.B) {
	for _, files := range []int{1, 99} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			db := dynamo.New(answering(`{}`, nil))
			var writes []table.Write
			for i := range files {
				writes = append(writes, marker(i))
			}
			writes = append(writes, counted(int64(files)))
			b.ReportAllocs()
			for b.Loop() {
				if err := db.Transact(b.Context(), writes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUpdate(b *testing.B) {
	db := dynamo.New(answering(`{"Attributes":{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":"db.database.collection"},"CollectionStatus":{"S":"Sent"},`+
		`"FilesSent":{"N":"125"},"FilesExported":{"N":"125"},"FilesReceived":{"N":"8"},"FilesCounted":{"N":"8"}}}`, nil))
	write := table.Write{
		Ref: rows.At("run-1", "db.database.collection"),
		Set: map[string]any{"FilesCounted": int64(8)},
		Add: map[string]table.Sum{"FilesReceived": {N: 1}},
		If:  []table.Condition{{Attribute: "CorrelationId", Operator: table.Exists}, {Attribute: "FilesCounted", Value: int64(7)}},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := db.Update(b.Context(), write); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetMany(b *testing.B) {
	for _, collections := range []int{1, 50} {
		b.Run(fmt.Sprintf("collections=%d", collections), func(b *testing.B) {
			var reads []table.Read
			var statuses, counts []string
			for i := range collections {
				name := fmt.Sprintf("db.database.c%d", i)
				reads = append(reads,
					table.Read{Ref: rows.At("run-1", name), Attributes: []string{"CollectionStatus", "FilesReceived", "FilesCounted", "FilesSent"}, Consistent: true},
					table.Read{Ref: ledger.At("collection#run-1#"+name, "collection"), Attributes: []string{"Counted", "Base", "Projected", "SnapshotType"}, Consistent: true})
				statuses = append(statuses, fmt.Sprintf(`{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":%q},"CollectionStatus":{"S":"Sent"},"FilesSent":{"N":"125"},"FilesReceived":{"N":"7"},"FilesCounted":{"N":"7"}}`, name))
				counts = append(counts, fmt.Sprintf(`{"PK":{"S":"collection#run-1#%s"},"SK":{"S":"collection"},"Counted":{"N":"7"},"Projected":{"BOOL":true},"SnapshotType":{"S":"full"}}`, name))
			}
			db := dynamo.New(answering(fmt.Sprintf(`{"Responses":{"statuses":[%s],"ledger":[%s]},"UnprocessedKeys":{}}`, strings.Join(statuses, ","), strings.Join(counts, ",")), nil))
			b.ReportAllocs()
			for b.Loop() {
				if items, err := db.GetMany(b.Context(), reads); err != nil || len(items) != 2*collections {
					b.Fatal(len(items), err)
				}
			}
		})
	}
}
