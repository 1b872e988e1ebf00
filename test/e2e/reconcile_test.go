package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
)

// Collections without a row and unknown fields do no harm.
func reconcileByHand(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.hand.reconciled", "Sent", 2)
	r.handle(r.file("db.hand.reconciled"))
	r.set("db.hand.reconciled", "FilesSent", number(1)) // leads to no event
	named := list(r.element("db.hand.reconciled"), r.element("db.without.row"))
	ended := r.start(`{"reconcile": ` + named + `, "comment": "by hand"}`)
	if got := compact(t, aws.ToString(ended[0].Output)); got != `{"reconciled":2}` {
		t.Errorf("%s: %s, want 2 collections", ended[0].Status, got)
	}
	r.wantRow("db.hand.reconciled", "Received", 1)
	r.wantRequests(r.request("db.hand.reconciled"))
	r.wantNotifications(r.allReceived())
	r.wantRejected()
}

// A malformed request fails at once with a cause. It is not a message, so nothing is rejected.
func malformedReconcile(t *testing.T, s *system) {
	r := s.newRun(t)
	var inputs, causes []string
	const notAList, notAnObject = `"reconcile" is not a list of at least one`, `of "reconcile" is not an object`
	good := r.element("db.malformed.good")
	for input, says := range map[string]string{
		`[{"correlation_id": "r"}]`:  "collection_name is missing",
		`[{"collection_name": "c"}]`: "correlation_id is missing",
		`[null]`:                     notAnObject,
		`["x"]`:                      notAnObject,
		`[[` + good + `]]`:           notAnObject,
		`[` + good + `, 7]`:          "element 1 " + notAnObject,
		`[{"correlation_id": 4711, "collection_name": "c"}]`:        "correlation_id is not a string",
		`[{"correlation_id": "r", "collection_name": ["c"]}]`:       "collection_name is not a string",
		`[{"correlation_id": "", "collection_name": "c"}]`:          "correlation_id is empty",
		`[{"correlation_id": "r", "collection_name": null}]`:        "collection_name is null",
		`[{"correlation_id": "` + strings.Repeat("r", 2049) + `"}]`: "correlation_id has 2049 bytes",
		`[]`:             notAList,
		`{}`:             notAList,
		good:             notAList,
		`"` + r.id + `"`: notAList,
		`7`:              notAList,
		`null`:           notAList,
	} {
		inputs, causes = append(inputs, `{"reconcile": `+input+`}`), append(causes, says)
	}
	for i, ended := range r.start(inputs...) {
		what := fmt.Sprintf("%s: %s %s", inputs[i], ended.Status, aws.ToString(ended.Error))
		if ended.Status != types.ExecutionStatusFailed || aws.ToString(ended.Error) != "Malformed" {
			t.Errorf("%s, want Malformed", what)
		}
		if got := message(t, ended); !strings.Contains(got, causes[i]) {
			t.Errorf("%s: %s, want: %s", what, got, causes[i])
		}
		if calls := r.calls(*ended.ExecutionArn); calls != 1 {
			t.Errorf("%s after %d calls of functions, want 1", what, calls)
		}
	}
	r.wantRejected()
}

// message is the function's error message in the cause of a failed execution.
func message(t *testing.T, ended *sfn.DescribeExecutionOutput) string {
	t.Helper()
	var cause struct {
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(ended.Cause)), &cause); err != nil {
		t.Errorf("%s: the cause is no error of a function: %q", ended.Status, aws.ToString(ended.Cause))
	}
	return cause.Message
}

// Any other input is a message. It is rejected like a bad one, so that nothing is lost.
func otherRequests(t *testing.T, s *system) {
	r := s.newRun(t)
	element := r.element("db.other.request")
	older, capital := `{"look":[`+element+`]}`, `{"Reconcile":[`+element+`]}`
	inside := `{"reconcile":[` + element + `]}`
	ended := r.start(older, capital, `[`+inside+`]`)
	got := map[string]string{}
	for _, m := range r.rejectedMessages() {
		reason := m.attributes["reason_code"] + ": " + m.attributes["reason"]
		got[m.attributes["identity"]] = reason + ": " + compact(t, m.text)
	}
	const why = "FIELD_MISSING: required field correlation_id is missing: "
	want := map[string]string{
		*ended[0].ExecutionArn: why + older, *ended[1].ExecutionArn: why + capital,
		*ended[2].ExecutionArn + "/0": why + inside,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rejected, by identity (-want +got)\n%s", diff)
	}
	for _, execution := range ended {
		if execution.Status != types.ExecutionStatusSucceeded {
			t.Errorf("%s: %s: %s", *execution.Input, execution.Status, aws.ToString(execution.Cause))
		}
	}
}

// element is a collection in a request to reconcile.
func (r *run) element(collection string) string {
	return fmt.Sprintf(`{"correlation_id":%s,"collection_name":%s}`, encode(r.id), encode(collection))
}

// calls counts the function calls of an execution.
func (r *run) calls(execution string) (n int) {
	r.t.Helper()
	pages := sfn.NewGetExecutionHistoryPaginator(r.machines, &sfn.GetExecutionHistoryInput{ExecutionArn: &execution})
	for pages.HasMorePages() {
		page, err := pages.NextPage(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		for _, event := range page.Events {
			if event.Type == types.HistoryEventTypeTaskScheduled {
				n++
			}
		}
	}
	return n
}
