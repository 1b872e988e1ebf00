package main

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

// The run that is sent, read by the parser of the functions, holds every file once and the expected rejects.
func TestNewRun(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ collections, files int }{{1, 1}, {1, 2}, {2, 1}, {6, 5}, {20, 9}} {
		t.Run(fmt.Sprintf("%dx%d", size.collections, size.files), func(t *testing.T) {
			t.Parallel()
			run := newRun("demo-x", size.collections, size.files)
			if last := slices.IndexFunc(run.Collections,
				func(c scenario.Collection) bool { return c.SentLast }); last != size.collections-2 &&
				size.collections > 1 {
				t.Errorf("collection %d is sent last, want the one before the late one", last)
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

// perfect is what is seen of a run when all is as it should be.
func perfect(run *run) *seen {
	s := &seen{run: run, news: []string{
		"Incremental - All collections received by NiFi", "Incremental - All collections successful",
	}}
	for _, c := range run.Collections {
		s.rows = append(s.rows, scenario.Row{Name: c.Name, Status: wantStatus(c), Sent: c.Files, Received: c.Files})
		s.requests = append(s.requests, scenario.Fields{
			"shutdown_flag": "true", "correlation_id": run.CorrelationID, "topic_name": c.Name,
			"snapshot_type": "incremental", "reprocess_files": "true", "export_date": "2026-11-23",
			"send_success_indicator": "true",
		})
	}
	for i, reason := range []snapshot.Reason{snapshot.ReasonNotJSON, snapshot.ReasonNoBody} {
		reject := scenario.Reject{Reason: reason, Identity: fmt.Sprintf("id-%d", i)}
		s.expected = append(s.expected, reject)
		s.rejected = append(s.rejected, rejected{Reject: reject, detail: "because", text: "text"})
	}
	return s
}

func TestReport(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(*seen)
		want  string // part of the error; empty: none
	}{
		{"Perfect", func(*seen) {}, ""},
		{"OneFileTooMany", func(s *seen) { s.rows[1].Received++ }, "collection-001 is Success with 6/5 files"},
		{"FilesSentChanged", func(s *seen) { s.rows[1].Sent = 4 }, "with 5/4 files"},
		{"NotSuccess", func(s *seen) { s.rows[0].Status = "Received" }, "collection-000 is Received"},
		{"OtherCase", func(s *seen) { s.rows[2].Status = "Success" }, "want SUCCESS"},
		{"RowMissing", func(s *seen) { s.rows = s.rows[1:] }, "2 rows, want 3"},
		{"RowAdded", func(s *seen) { s.rows = append(s.rows, scenario.Row{Name: "db.not.there"}) }, "4 rows, want 3"},
		{"RequestTwice", func(s *seen) { s.requests = append(s.requests, s.requests[0]) },
			"request came 2 times, want 1"},
		{"RequestMissing", func(s *seen) { s.requests = s.requests[1:] }, "request came 0 times, want 1"},
		{"RequestWrong", func(s *seen) { s.requests[0]["shutdown_flag"] = true }, "request came 1 times, want 0"},
		{"NewsTwice", func(s *seen) { s.news = append(s.news, s.news[0]) }, "news came 2 times, want 1"},
		{"NewsMissing", func(s *seen) { s.news = s.news[:1] }, "news came 0 times, want 1"},
		{"RejectMissing", func(s *seen) { s.rejected = s.rejected[1:] }, "came 0 times, want 1: NOT_JSON of id-0"},
		{"RejectOther", func(s *seen) { s.rejected[0].Reason = "OTHER" }, "came 1 times, want 0: OTHER of id-0"},
		{"RejectTwice", func(s *seen) { s.rejected = append(s.rejected, s.rejected[0]) },
			"came 2 times, want 1: NOT_JSON"},
		{"RejectWithoutWords", func(s *seen) { s.rejected[0].detail = "" }, "without a reason in words"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			run := newRun("demo-x", 3, 5)
			seen := perfect(run)
			test.spoil(seen)
			var out bytes.Buffer
			err := report(&out, run, seen, 0)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want an error with %q", err, test.want)
			case test.want != "" && strings.Contains(out.String(), "All as it should be"):
				t.Error("it says that all is as it should be")
			}
		})
	}
}
