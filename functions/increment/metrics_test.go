package increment_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// sentAgo is a message that was sent so many milliseconds ago.
func (b *bench) sentAgo(identity, body string, milliseconds int64) string {
	attributes := fmt.Sprintf(`"attributes":{"SentTimestamp":"%d"},`, b.Now.UnixMilli()-milliseconds)
	return strings.Replace(Message(identity, body), `"eventSource"`, attributes+`"eventSource"`, 1)
}

func (b *bench) counts(t *testing.T, messages ...string) map[string]float64 {
	return b.Counted(func(ctx context.Context) {
		if _, err := b.handleIn(ctx, Batch(messages...)); err != nil {
			t.Error(err)
		}
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		earlier  []string
		messages func(*bench) []string
		want     map[string]float64
	}{
		{"one file of many", nil, func(b *bench) []string { return []string{b.sentAgo("m1", Body("a", "1"), 1500)} },
			map[string]float64{"FilesReceived": 1, "MessageProcessingTime": 1500}},
		{"a batch", nil, func(b *bench) []string {
			return []string{b.sentAgo("m1", Body("a", "1"), 1000), b.sentAgo("m2", Body("b", "1"), 200),
				b.sentAgo("m3", Body("b", "s", SuccessFile), 30)}
		}, map[string]float64{"FilesReceived": 2, "SuccessFilesReceived": 1, "MessageProcessingTime": 1230}},
		{"a duplicate, however late, is neither received nor slow", []string{Message("m1", Body("a", "1"))},
			func(b *bench) []string { return []string{b.sentAgo("m1", Body("a", "1"), 3600_000)} },
			map[string]float64{"DuplicateMessages": 1}},
		{"twice in one batch", nil, func(*bench) []string {
			return []string{Message("m1", Body("a", "1")),
				Message("m1", Body("a", "1"))}
		},
			map[string]float64{"FilesReceived": 1, "DuplicateMessages": 1, "MessageProcessingTime": 0}},
		{"rejected", nil,
			func(*bench) []string {
				return []string{Message("m2", "x"), Message("m3", "y"), Message("m4", Body("unknown", "1"))}
			},
			map[string]float64{"MessagesRejected": 3, "MessagesRejected NOT_JSON": 2,
				"MessagesRejected UNKNOWN_COLLECTION": 1}},
		{"more than were sent: as many as this call counted beyond", nil,
			func(*bench) []string {
				return []string{Message("m1", Body("one", "1")), Message("m2", Body("one", "2")),
					Message("m3", Body("one", "3"))}
			},
			map[string]float64{"FilesReceived": 3, "FilesOverReceived": 2, "MessageProcessingTime": 0}},
		{"one more, after more were received than sent", []string{Message("m1", Body("one", "1")),
			Message("m2", Body("one", "2"))},
			func(*bench) []string { return []string{Message("m3", Body("one", "3"))} },
			map[string]float64{"FilesReceived": 1, "FilesOverReceived": 1, "MessageProcessingTime": 0}},
		{"a duplicate of a file beyond is not one more", []string{Message("m1", Body("one", "1")),
			Message("m2", Body("one", "2"))},
			func(*bench) []string { return []string{Message("m2", Body("one", "2"))} },
			map[string]float64{"DuplicateMessages": 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Put("a", Sent(9))
			b.Put("b", Sent(9))
			b.Put("one", Sent(1))
			if len(test.earlier) > 0 {
				b.Count(test.earlier...)
			}
			if diff := cmp.Diff(test.want, b.counts(t, test.messages(b)...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A call that fails and is repeated counts each file once between its tries, wherever it failed.
func TestMetricsOfACallThatIsRepeated(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]string{"it cannot be counted": "collection", "its row cannot be synced": "row"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Put("a", Sent(9))
			messages := Batch(Message("m1", Body("a", "1")), Message("m2", Body("a", "2")), Message("m3", "x"))
			b.DB.Before = b.fails(part, "a")
			first := b.Counted(func(ctx context.Context) {
				if _, err := b.handleIn(ctx, messages); !errors.Is(err, errDown) {
					t.Errorf("got %v", err)
				}
			})
			b.DB.Before = nil
			second := b.counts(t, Message("m1", Body("a", "1")), Message("m2", Body("a", "2")), Message("m3", "x"))
			for metric, want := range map[string]float64{"FilesReceived": 2, "MessagesRejected NOT_JSON": 1} {
				if got := first[metric] + second[metric]; got != want {
					t.Errorf("%s: %v and then %v, want %v together", metric, first, second, want)
				}
			}
		})
	}
}

// What others at the same item cost: a page that was turned since it was read, and a row that others set.
func TestMetricsOfContention(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(9))
	b.Count(Message("m0", Body("a", "0")))
	b.DB.Before = func(call tabletest.Call) error {
		if b.isUpdate("row", "a")(call) {
			b.DB.Before = nil
			b.Change("a", table.Item{"FilesReceived": int64(0)})
		}
		return nil
	}
	want := map[string]float64{"FilesReceived": 1, "ContentionRetries": 1, "MessageProcessingTime": 0}
	if diff := cmp.Diff(want, b.counts(t, Message("m1", Body("a", "1")))); diff != "" {
		t.Error(diff)
	}
}

// By its correlation id a line is found, if it is of one run.
func TestMetricsNameTheRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(9))
	b.PutAt(b.Tables.Status.At("run-2", "a"), Sent(9))
	b.counts(t, Message("m1", Body("a", "1")))
	b.counts(t, Message("m2", Body("a", "2")), Message("m3", strings.Replace(Body("a", "1"), Run, "run-2", 1)))
	var runs []any
	for _, line := range b.Logged("metrics") {
		runs = append(runs, line["correlation_id"])
		if line["execution_id"] != Execution {
			t.Errorf("execution %v", line["execution_id"])
		}
	}
	if diff := cmp.Diff([]any{Run, nil}, runs); diff != "" {
		t.Error(diff)
	}
}
