package increment_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// BenchmarkHandle counts new files of incomplete collections over memory tables, to measure the task itself. The run is
// registered and each row was synced once, as in all but a collection's first calls.
func BenchmarkHandle(b *testing.B) {
	for _, shape := range []struct{ messages, collections int }{{1, 1}, {10, 1}, {100, 1}, {10, 10}, {100, 100}} {
		b.Run(fmt.Sprintf("messages=%d/collections=%d", shape.messages, shape.collections), func(b *testing.B) {
			var earlier, now []string
			for i := range shape.collections {
				earlier = append(earlier, delivered(fmt.Sprint("earlier-", i), i))
			}
			for i := range shape.messages {
				now = append(now, delivered(fmt.Sprint("now-", i), i%shape.collections))
			}
			before, event := tasktest.Batch(earlier...), tasktest.Batch(now...)
			log := logging.New(io.Discard, slog.LevelInfo, "increment", "app", "dev")
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				ts := tasktest.New(b)
				for i := range shape.collections {
					ts.Put(fmt.Sprintf("db.database.c%d Sent 0/1000", i))
				}
				task := increment.New(ts.Store, &rejecter{}, 0, increment.Concurrently, log)
				count(b, task, before, shape.collections)
				b.StartTimer()
				count(b, task, event, shape.messages)
			}
		})
	}
}

func count(b *testing.B, task *increment.Task, event json.RawMessage, want int) {
	b.Helper()
	ctx := metrics.Begin(b.Context(), time.Now)
	out, err := handle(ctx, task, event)
	if err != nil || out.Counted != want || len(out.Collections) != 0 {
		b.Fatal(out, err)
	}
}

// delivered is a record as Pipes delivers it, with all its fields.
func delivered(identity string, collection int) string {
	name := fmt.Sprint("db.database.c", collection)
	body, _ := json.Marshal(tasktest.Body(name + "/" + name + "-000001.txt.gz.enc")) // a string always marshals
	return fmt.Sprintf(`{"messageId":%q,"receiptHandle":"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a","body":%s,`+
		`"attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"1545082649183",`+
		`"SenderId":"AIDAIENQZJOLO23YVJ4VO","ApproximateFirstReceiveTimestamp":"1545082649185"},`+
		`"messageAttributes":{},"md5OfBody":"e4e68fb7bd0e697a0ae8f1bb342846b3","eventSource":"aws:sqs",`+
		`"eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:file-received","awsRegion":"eu-west-1"}`, identity, body)
}
