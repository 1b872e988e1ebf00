package dynamo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
)

func always(answer string) *dynamodb.Client { return answering(func(string) string { return answer }) }

// The count of so many messages of one collection: the most frequent write.
func BenchmarkCount(b *testing.B) {
	for _, files := range []int{1, 100} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			db := dynamo.New(always(`{"Attributes":{"Counted":{"N":"8"},"Recent":{"BS":["AAAAAAAAAAAAAAAA"]}}}`))
			write := counted(files)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.Update(b.Context(), write); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUpdate(b *testing.B) {
	db := dynamo.New(always(
		`{"Attributes":{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":"db.database.collection"},` +
			`"CollectionStatus":{"S":"Sent"},` +
			`"FilesSent":{"N":"125"},"FilesExported":{"N":"125"},"FilesReceived":{"N":"8"},"EpochStart":{"N":"0"},` +
			`"SyncedFiles":{"N":"8"}}}`))
	write := table.Write{
		Ref: rows.At("run-1", "db.database.collection"),
		Set: map[string]any{"FilesReceived": int64(8), "SyncedFiles": int64(8)},
		If: []table.Condition{{Attribute: "CorrelationId", Operator: table.Exists},
			{Attribute: "EpochStart", Value: int64(0)},
			{Attribute: "FilesReceived", Operator: table.EqualsAttribute, Value: "SyncedFiles"},
			{Attribute: "SyncedFiles", Operator: table.Below, Value: int64(8)}},
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
					table.Read{Ref: rows.At("run-1", name), Attributes: []string{"CollectionStatus", "FilesReceived",
						"EpochStart", "SyncedFiles", "FilesSent"}, Consistent: true},
					table.Read{Ref: ledger.At("collection#run-1#"+name, "collection"), Consistent: true})
				statuses = append(statuses, fmt.Sprintf(`{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":%q},`+
					`"CollectionStatus":{"S":"Sent"},"FilesSent":{"N":"125"},"FilesReceived":{"N":"7"},`+
					`"EpochStart":{"N":"0"},"SyncedFiles":{"N":"7"}}`, name))
				counts = append(counts, fmt.Sprintf(
					`{"PK":{"S":"collection#run-1#%s"},"SK":{"S":"collection"},"Counted":{"N":"7"},`+
						`"SnapshotType":{"S":"full"}}`, name))
			}
			db := dynamo.New(always(fmt.Sprintf(`{"Responses":{"statuses":[%s],"ledger":[%s]},"UnprocessedKeys":{}}`,
				strings.Join(statuses, ","), strings.Join(counts, ","))))
			b.ReportAllocs()
			for b.Loop() {
				if items, err := db.GetMany(b.Context(), reads); err != nil || len(items) != 2*collections {
					b.Fatal(len(items), err)
				}
			}
		})
	}
}
