package increment_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// sentAgo is a message that was sent so many milliseconds before.
func (fx *fixture) sentAgo(identity, body string, milliseconds int64) string {
	attributes := fmt.Sprintf(`"attributes":{"SentTimestamp":"%d"},`, fx.Now.UnixMilli()-milliseconds)
	return strings.Replace(tasktest.Message(identity, body), `"eventSource"`, attributes+`"eventSource"`, 1)
}

func (fx *fixture) counts(t *testing.T, messages ...string) map[string]float64 {
	return fx.Counted(func(ctx context.Context) {
		if _, err := fx.handleIn(ctx, tasktest.Batch(messages...)); err != nil {
			t.Error(err)
		}
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		earlier  []string
		messages func(*fixture) []string
		want     map[string]float64
	}{
		{"one file of many", nil, func(fx *fixture) []string {
			return []string{fx.sentAgo("m1", tasktest.Body("a", "1"), 1500)}
		}, map[string]float64{"FilesReceived": 1, "MessageProcessingTime": 1500}},
		{"a batch", nil, func(fx *fixture) []string {
			return []string{fx.sentAgo("m1", tasktest.Body("a", "1"), 1000), fx.sentAgo("m2", tasktest.Body("b", "1"),
				200), fx.sentAgo("m3", tasktest.Body("b", "s", tasktest.SuccessFile), 30)}
		}, map[string]float64{"FilesReceived": 2, "SuccessFilesReceived": 1, "MessageProcessingTime": 1230}},
		{"a duplicate, however late, is neither received nor slow",
			[]string{tasktest.Message("m1", tasktest.Body("a", "1"))},
			func(fx *fixture) []string { return []string{fx.sentAgo("m1", tasktest.Body("a", "1"), 3600_000)} },
			map[string]float64{"DuplicateMessages": 1}},
		{"twice in one batch", nil, func(*fixture) []string {
			return []string{tasktest.Message("m1", tasktest.Body("a", "1")),
				tasktest.Message("m1", tasktest.Body("a", "1"))}
		}, map[string]float64{"FilesReceived": 1, "DuplicateMessages": 1, "MessageProcessingTime": 0}},
		{"rejected", nil,
			func(*fixture) []string {
				return []string{tasktest.Message("m2", "x"), tasktest.Message("m3", "y"),
					tasktest.Message("m4", tasktest.Body("unknown", "1"))}
			}, map[string]float64{"MessagesRejected": 3, "MessagesRejected NOT_JSON": 2,
				"MessagesRejected UNKNOWN_COLLECTION": 1}},
		{"more than were sent: as many as this call counted beyond", nil,
			func(*fixture) []string {
				return []string{tasktest.Message("m1", tasktest.Body("one", "1")),
					tasktest.Message("m2", tasktest.Body("one", "2")),
					tasktest.Message("m3", tasktest.Body("one", "3"))}
			}, map[string]float64{"FilesReceived": 3, "FilesOverReceived": 2, "MessageProcessingTime": 0}},
		{"one more, after more were received than sent", []string{tasktest.Message("m1", tasktest.Body("one", "1")),
			tasktest.Message("m2", tasktest.Body("one", "2"))},
			func(*fixture) []string { return []string{tasktest.Message("m3", tasktest.Body("one", "3"))} },
			map[string]float64{"FilesReceived": 1, "FilesOverReceived": 1, "MessageProcessingTime": 0}},
		{"a duplicate of a file beyond is not one more", []string{tasktest.Message("m1", tasktest.Body("one", "1")),
			tasktest.Message("m2", tasktest.Body("one", "2"))},
			func(*fixture) []string { return []string{tasktest.Message("m2", tasktest.Body("one", "2"))} },
			map[string]float64{"DuplicateMessages": 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.Put("a", tasktest.Sent(9))
			fx.Put("b", tasktest.Sent(9))
			fx.Put("one", tasktest.Sent(1))
			if len(test.earlier) > 0 {
				fx.Count(test.earlier...)
			}
			if diff := cmp.Diff(test.want, fx.counts(t, test.messages(fx)...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A call that fails anywhere and is repeated counts each file once.
func TestMetricsOfARepeatedCall(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]string{"it cannot be counted": "collection", "its row cannot be synced": "row"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.Put("a", tasktest.Sent(9))
			messages := tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")),
				tasktest.Message("m2", tasktest.Body("a", "2")), tasktest.Message("m3", "x"))
			fx.DB.Before = fx.fails(part, "a")
			first := fx.Counted(func(ctx context.Context) {
				if _, err := fx.handleIn(ctx, messages); !errors.Is(err, errDown) {
					t.Errorf("got %v", err)
				}
			})
			fx.DB.Before = nil
			second := fx.counts(t, tasktest.Message("m1", tasktest.Body("a", "1")),
				tasktest.Message("m2", tasktest.Body("a", "2")), tasktest.Message("m3", "x"))
			for metric, want := range map[string]float64{"FilesReceived": 2, "MessagesRejected NOT_JSON": 1} {
				if got := first[metric] + second[metric]; got != want {
					t.Errorf("%s: %v and then %v, want %v together", metric, first, second, want)
				}
			}
		})
	}
}

// Contention: a page that was turned after it was read, and a row that another system set.
func TestMetricsOfContention(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(9))
	fx.Count(tasktest.Message("m0", tasktest.Body("a", "0")))
	fx.DB.Before = func(call tabletest.Call) error {
		if fx.isUpdate("row", "a")(call) {
			fx.DB.Before = nil
			fx.Change("a", table.Item{"FilesReceived": int64(0)})
		}
		return nil
	}
	want := map[string]float64{"FilesReceived": 1, "ContentionRetries": 1, "MessageProcessingTime": 0}
	if diff := cmp.Diff(want, fx.counts(t, tasktest.Message("m1", tasktest.Body("a", "1")))); diff != "" {
		t.Error(diff)
	}
}

// A line has the correlation id if its call is about one run.
func TestMetricsNameTheRun(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(9))
	fx.PutAt(fx.Names.Status.At("run-2", "a"), tasktest.Sent(9))
	fx.counts(t, tasktest.Message("m1", tasktest.Body("a", "1")))
	fx.counts(t, tasktest.Message("m2", tasktest.Body("a", "2")),
		tasktest.Message("m3", strings.Replace(tasktest.Body("a", "1"), tasktest.Run, "run-2", 1)))
	var runs []any
	for _, line := range fx.Logged("metrics") {
		runs = append(runs, line["correlation_id"])
		if line["execution_id"] != tasktest.Execution {
			t.Errorf("execution %v", line["execution_id"])
		}
	}
	if diff := cmp.Diff([]any{tasktest.Run, nil}, runs); diff != "" {
		t.Error(diff)
	}
}
