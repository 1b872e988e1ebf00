package increment_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

type sums = map[string]float64

// counts handles a batch without failures and wants its metrics.
func (fx *fixture) counts(want sums, messages ...string) {
	fx.t.Helper()
	got := fx.Counted(func(ctx context.Context) {
		if _, err := handle(ctx, fx.task, batch(messages...)); err != nil {
			fx.t.Error(err)
		}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		fx.t.Error(diff)
	}
}

// ago is a message that was sent so many milliseconds before.
func (fx *fixture) ago(milliseconds int64, message string) string {
	identity, about, _ := strings.Cut(message, " ")
	sent := fmt.Sprintf(`{"attributes":{"SentTimestamp":"%d"},`, fx.Now.UnixMilli()-milliseconds)
	return sent + tasktest.Record(identity, tasktest.Body(about))[1:]
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		earlier  []string
		messages []string
		want     sums
	}{
		{"twice in one batch", nil, []string{"m1 a/1", "m1 a/1"},
			sums{"FilesReceived": 1, "DuplicateMessages": 1, "MessageProcessingTime": 0}},
		{"rejected", nil, []string{"m2 !", "m3 !", "m4 unknown/1"},
			sums{"MessagesRejected": 3, "MessagesRejected NOT_JSON": 2, "MessagesRejected UNKNOWN_COLLECTION": 1}},
		{"more than were sent: as many as this call counted beyond", nil, []string{"m1 one/1", "m2 one/2", "m3 one/3"},
			sums{"FilesReceived": 3, "FilesOverReceived": 2, "MessageProcessingTime": 0}},
		{"one more, after more were received than sent", []string{"m1 one/1", "m2 one/2"}, []string{"m3 one/3"},
			sums{"FilesReceived": 1, "FilesOverReceived": 1, "MessageProcessingTime": 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fx := newFixture(t, "a Sent 0/9", "one Sent 0/1")
			fx.Count(test.earlier...)
			fx.counts(test.want, test.messages...)
		})
	}
}

// A duplicate, however late, is neither received nor slow.
func TestMetricsOfTime(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, "a Sent 0/9", "b Sent 0/9")
	fx.counts(sums{"FilesReceived": 2, "SuccessFilesReceived": 1, "MessageProcessingTime": 1230},
		fx.ago(1000, "m1 a/1"), fx.ago(200, "m2 b/1"), fx.ago(30, "m3 b/_success"))
	fx.counts(sums{"DuplicateMessages": 1}, fx.ago(3600_000, "m1 a/1"))
}

// A call that fails anywhere and is repeated counts each file once.
func TestMetricsOfARepeatedCall(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"collection", "row"} {
		fx := newFixture(t, "a Sent 0/9")
		messages := batch("m1 a/1", "m2 a/2", "m3 !")
		total := sums{}
		for _, hook := range []func(tabletest.Call) error{fx.breaks(part, "a"), nil} {
			fx.DB.Before = hook
			for metric, n := range fx.Counted(func(ctx context.Context) {
				if _, err := handle(ctx, fx.task, messages); errors.Is(err, errDown) != (hook != nil) {
					t.Error(err)
				}
			}) {
				total[metric] += n
			}
		}
		if total["FilesReceived"] != 2 || total["MessagesRejected NOT_JSON"] != 1 {
			t.Errorf("after a failure of the %s: %v", part, total)
		}
	}
}

// Contention: a row that another system set.
func TestMetricsOfContention(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, "a Sent 0/9")
	fx.Count("m0 a/0")
	fx.DB.Before = func(call tabletest.Call) error {
		if fx.isUpdate("row", "a")(call) {
			fx.DB.Before = nil
			fx.Change("a - 0/-")
		}
		return nil
	}
	fx.counts(sums{"FilesReceived": 1, "ContentionRetries": 1, "MessageProcessingTime": 0}, "m1 a/1")
}

// A line has the correlation id if its call is about one run.
func TestMetricsNameTheRun(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, "a Sent 0/9", "run-2:a Sent 0/9")
	fx.counts(sums{"FilesReceived": 1, "MessageProcessingTime": 0}, "m1 a/1")
	fx.counts(sums{"FilesReceived": 2, "MessageProcessingTime": 0}, "m2 a/2", "m3 run-2:a/1")
	fx.WantLogged("metrics", tasktest.Fields{"correlation_id": tasktest.Run, "execution_id": tasktest.Execution},
		tasktest.Fields{"execution_id": tasktest.Execution})
	if _, named := fx.Logged("metrics")[1]["correlation_id"]; named {
		t.Error("a line about two runs names one")
	}
}

// byFile is a fixture whose task counts each file once, with a collection of two files.
func byFile(t *testing.T) *fixture {
	fx := newFixture(t, "a Sent 0/2")
	fx.Store.CountBy = snapshot.ByFile
	return fx
}

func TestFilesThatComeAgain(t *testing.T) {
	t.Parallel()
	fx := byFile(t)
	fx.Count("m1 a/x")
	fx.counts(sums{"FilesReceived": 1, "RepeatedFiles": 2, "DuplicateMessages": 1, "MessageProcessingTime": 9},
		fx.ago(9, "m2 a/x"), "m3 a/y", "m1 a/x", "m4 a/y")
	fx.WantRows("a Sent 2/2")
	fx.WantLogged("repeated file", tasktest.Fields{"identity": "m2", "file_name": "x"},
		tasktest.Fields{"identity": "m4", "file_name": "y"})
	// The execution that counted a file may have died before it reconciled: the file that comes again reconciles.
	fx.wants(batch("m5 a/x"), increment.Output{Collections: keys("a"), Repeated: 1})
}

func TestAFileWithoutANameIsRejected(t *testing.T) {
	t.Parallel()
	fx := byFile(t)
	nameless := strings.Replace(tasktest.Body("a/x"), `"filename":"x"`, `"filename":null`, 1)
	success := strings.Replace(tasktest.Body("a/_success"), `"filename":"_success"`, `"filename":null`, 1)
	fx.wants(batch(tasktest.Record("m1", nameless), "m2 a/y", tasktest.Record("m3", success)),
		increment.Output{Counted: 2, Rejected: 1, Collections: keys("a")})
	fx.wantRejected("m1 FIELD_MISSING")
	fx.WantRows("a Sent 1/2")
}
