package e2e

import (
	"cmp"
	"fmt"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local/localtest"
)

// wantRow compares a collection's status, with its case, and its count of received files.
func (r *run) wantRow(collection, status string, received int) {
	r.t.Helper()
	if got, want := r.stack.RowState(r.t, r.id, collection), fmt.Sprint(status, " ", received); got != want {
		r.t.Errorf("row of %q: %s, want %s", collection, got, want)
	}
}

// awaitMessages waits until so many were sent.
func (r *run) awaitMessages(what string, want int, messages func() []outMessage) {
	r.t.Helper()
	localtest.AwaitNothing(r.t, func() string {
		if got := len(messages()); got < want {
			return fmt.Sprintf("%d of %d %s", got, want, what)
		}
		return ""
	})
}

// wantRequests waits for as many requests of the run as are wanted, and compares all of them in any order.
func (r *run) wantRequests(want ...string) {
	r.t.Helper()
	r.awaitMessages("requests to the sender", len(want), r.sentRequests)
	sorted := func(texts []string) []string { return slices.Sorted(slices.Values(texts)) }
	if diff := gocmp.Diff(sorted(want), sorted(texts(r.sentRequests()))); diff != "" {
		r.t.Errorf("requests to the sender (-want +got)\n%s", diff)
	}
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
