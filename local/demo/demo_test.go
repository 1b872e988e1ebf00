package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/test/scenario"
)

func TestNewRunHoldsEveryFileOnceAndTheRejects(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ collections, files int }{{1, 1}, {1, 2}, {2, 1}, {6, 5}, {20, 9}} {
		t.Run(fmt.Sprintf("%dx%d", size.collections, size.files), func(t *testing.T) {
			t.Parallel()
			run := newRun("demo-x", size.collections, size.files)
			last := slices.IndexFunc(run.Collections, func(c scenario.Collection) bool { return c.SentLast })
			if last != size.collections-2 && size.collections > 1 {
				t.Errorf("collection %d is sent last, want the one before the last", last)
			}
			counted := map[string]map[string]bool{} // identities by collection
			var got, want []string
			for i, sent := range slices.Concat(run.first, run.late, run.afterwards) {
				identity := fmt.Sprintf("sqs-%d", i)
				for _, reject := range sent.Rejects {
					want = append(want, wantReject(reject, identity))
				}
				for _, receipt := range received(t, identity, sent.Text) {
					if receipt.Rejection != nil {
						got = append(got, string(receipt.Rejection.Reason)+" "+receipt.Identity)
						continue
					}
					name := receipt.Message.CollectionName
					if counted[name] == nil {
						counted[name] = map[string]bool{}
					}
					counted[name][receipt.Identity] = true
				}
			}
			for i := range size.collections {
				name := run.Collections[i].Name
				if len(counted[name]) != size.files {
					t.Errorf("%s: %d distinct messages, want one for each of %d files", name, len(counted[name]),
						size.files)
				}
				delete(counted, name)
			}
			for _, messages := range counted { // of no row: increment finds that out
				for identity := range messages {
					got = append(got, fmt.Sprintf("%s %s", snapshot.ReasonUnknownCollection, identity))
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rejects differ (-want +got):\n%s", diff)
			}
		})
	}
}

func wantReject(reject scenario.Reject, identity string) string {
	if reject.Identity != "" {
		identity = reject.Identity
	}
	return string(reject.Reason) + " " + identity
}

// received is the message as increment unwraps it.
func received(t *testing.T, identity, text string) []snapshot.Receipt {
	t.Helper()
	input, err := json.Marshal([]map[string]string{{"messageId": identity, "body": text, "eventSource": "aws:sqs"}})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Unwrap(input, "execution")
}

// expected is the result that report accepts.
func expected(run *run) *result {
	r := &result{run: run, notifications: []string{
		"Incremental - All collections received by NiFi", "Incremental - All collections successful",
	}}
	for _, c := range run.Collections {
		r.rows = append(r.rows, scenario.Row{Name: c.Name, Status: wantStatus(c), Sent: c.Files, Received: c.Files})
		r.requests = append(r.requests, wantRequest(run, c))
	}
	for i, reason := range []snapshot.Reason{snapshot.ReasonNotJSON, snapshot.ReasonNoBody} {
		reject := scenario.Reject{Reason: reason, Identity: fmt.Sprintf("id-%d", i)}
		r.expected = append(r.expected, reject)
		r.rejected = append(r.rejected, rejected{Reject: reject, detail: "because"})
	}
	return r
}

func TestReportListsEveryDifference(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(*result)
		want  string // part of the error; empty: none
	}{
		{"Expected", func(*result) {}, ""},
		{"OneFileTooMany", func(r *result) { r.rows[1].Received++ }, "collection-001 is Success with 6/5 files"},
		{"OtherCase", func(r *result) { r.rows[2].Status = "Success" }, "want SUCCESS"},
		{"RowMissing", func(r *result) { r.rows = r.rows[1:] }, "2 rows, want 3"},
		{"RowAdded", func(r *result) { r.rows = append(r.rows, scenario.Row{Name: "db.not.there"}) }, "4 rows, want 3"},
		{"RequestTwice", func(r *result) { r.requests = append(r.requests, r.requests[0]) },
			"request arrived 2 times, want 1"},
		{"RequestWrong", func(r *result) { r.requests[0]["shutdown_flag"] = true }, "request arrived 1 times, want 0"},
		{"NotificationMissing", func(r *result) { r.notifications = r.notifications[:1] },
			"notification arrived 0 times, want 1"},
		{"RejectMissing", func(r *result) { r.rejected = r.rejected[1:] }, "arrived 0 times, want 1: NOT_JSON of id-0"},
		{"RejectWithoutReason", func(r *result) { r.rejected[0].detail = "" }, "without a reason text"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			run := newRun("demo-x", 3, 5)
			result := expected(run)
			test.spoil(result)
			var out bytes.Buffer
			err := report(&out, run, result, 0)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want an error with %q", err, test.want)
			case strings.Contains(out.String(), "Passed") != (test.want == ""):
				t.Errorf("the report says\n%s", &out)
			}
		})
	}
}

func TestReportShowsTheResult(t *testing.T) {
	t.Parallel()
	run := newRun("demo-x", 3, 5)
	result := expected(run)
	result.rows[1].Received++
	slices.Reverse(result.rejected)
	var out bytes.Buffer
	if err := report(&out, run, result, 0); err == nil {
		t.Error("no error for a file that was counted twice")
	}
	want := `
COLLECTION                STATUS   RECEIVED/SENT  REQUESTS
db.demo-x.collection-001  Success  6/5            1
db.demo-x.collection-000  Success  5/5            1
db.demo-x.collection-002  SUCCESS  5/5            1

REQUESTS TO THE SENDER
` + scenario.Text(result.requests[0]) + `
… and 2 more

NOTIFICATIONS
Incremental - All collections received by NiFi
Incremental - All collections successful

REJECTED  REASON   IDENTITY
NOT_JSON  because  id-0
NO_BODY   because  id-1

`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
