package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gocmp "github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local/localtest"
)

// wantRow compares a collection's status, with its case, and its count of received files.
func (r *run) wantRow(collection, status string, received int) {
	r.t.Helper()
	row := r.row(collection)
	got, _ := row["CollectionStatus"].(*types.AttributeValueMemberS)
	count, _ := row["FilesReceived"].(*types.AttributeValueMemberN)
	if got == nil || got.Value != status || count == nil || count.Value != strconv.Itoa(received) {
		r.t.Errorf("row of %q: got %s, want %s with %d received", collection, show(row), status, received)
	}
}

// awaitMessages waits until so many were sent.
func (r *run) awaitMessages(what string, want int, messages func() []outMessage) {
	r.t.Helper()
	localtest.AwaitNothing(r.t, func() string {
		if got := len(messages()); got < want {
			return strconv.Itoa(got) + " of " + strconv.Itoa(want) + " " + what
		}
		return ""
	})
}

// wantRequests waits for as many requests of the run as are wanted, and compares all of them in any order.
func (r *run) wantRequests(want ...string) {
	r.t.Helper()
	r.wantUnordered("requests to the sender", r.sentRequests, want)
}

// wantNotifications waits for as many notifications of the run as are wanted, and compares all of them in their order.
func (r *run) wantNotifications(want ...string) {
	r.t.Helper()
	r.awaitMessages("notifications", len(want), r.sentNotifications)
	if diff := gocmp.Diff(want, texts(r.sentNotifications())); diff != "" {
		r.t.Errorf("notifications (-want +got)\n%s", diff)
	}
}

// rejection is a message in the rejected-messages queue.
type rejection struct {
	Identity string
	Reason   snapshot.Reason
	Text     string
}

// wantRejected compares all rejected messages of the run in any order. Each must have a reason text.
func (r *run) wantRejected(want ...rejection) {
	r.t.Helper()
	var got []rejection
	for _, m := range r.rejectedMessages() {
		got = append(got, rejection{m.attributes["identity"], snapshot.Reason(m.attributes["reason_code"]), m.text})
		if m.attributes["reason"] == "" {
			r.t.Errorf("rejected without a reason text: %+v", m)
		}
	}
	order := func(a, b rejection) int {
		return cmp.Or(cmp.Compare(a.Identity, b.Identity), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Text, b.Text))
	}
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if diff := gocmp.Diff(want, got); diff != "" {
		r.t.Errorf("in the rejected-messages queue (-want +got)\n%s", diff)
		for _, m := range r.rejectedMessages() {
			r.t.Logf("%s was rejected: %s", m.attributes["identity"], m.attributes["reason"])
		}
	}
}

func texts(messages []outMessage) []string {
	var all []string
	for _, m := range messages {
		all = append(all, m.text)
	}
	return all
}

// show formats a row.
func show(row item) string {
	plain := map[string]string{}
	for name, value := range row {
		switch value := value.(type) {
		case *types.AttributeValueMemberS:
			plain[name] = value.Value
		case *types.AttributeValueMemberN:
			plain[name] = value.Value
		default:
			plain[name] = "…"
		}
	}
	return encode(plain)
}

// wantGroups compares the message groups of requests by collection. Each collection must have a valid group of its own.
func (r *run) wantGroups(want map[string]string) {
	r.t.Helper()
	owner := map[string]string{}
	for _, m := range r.sentRequests() {
		var request struct {
			Collection string `json:"topic_name"`
		}
		if err := json.Unmarshal([]byte(m.text), &request); err != nil {
			r.t.Error(err)
		}
		if group, listed := want[request.Collection]; listed && m.group != group {
			r.t.Errorf("message group of %q: %q, want %q", request.Collection, m.group, group)
		}
		if !groupID.MatchString(m.group) {
			r.t.Errorf("message group of %q: SQS does not allow %q", request.Collection, m.group)
		}
		if other, taken := owner[m.group]; taken && other != request.Collection {
			r.t.Errorf("message group of %q is that of %q: %q", request.Collection, other, m.group)
		}
		owner[m.group] = request.Collection
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html, MessageGroupId
var groupID = regexp.MustCompile(`^[!-~]{1,128}$`)

// wantUnorderedNotifications is wantNotifications without an order, for notifications that were due at the same time.
func (r *run) wantUnorderedNotifications(want ...string) {
	r.t.Helper()
	r.wantUnordered("notifications", r.sentNotifications, want)
}

func (r *run) wantUnordered(what string, sent func() []outMessage, want []string) {
	r.t.Helper()
	r.awaitMessages(what, len(want), sent)
	sorted := func(texts []string) []string { return slices.Sorted(slices.Values(texts)) }
	if diff := gocmp.Diff(sorted(want), sorted(texts(sent()))); diff != "" {
		r.t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

// compact removes white space from a JSON text.
func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return b.String()
}
