package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/local/localtest"
)

// FilesSent is lowered after Sent. This completes a collection without an event.
func completeWithoutAnEvent(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.swept.a", "Sent", 2)
	r.put("db.swept.b", "SENT", 3)
	r.handle(r.file("db.swept.a"), r.file("db.swept.b"))
	r.wantRow("db.swept.a", "Sent", 1)
	r.wantRequests()

	r.set("db.swept.a", "FilesSent", number(1))
	r.sweep(1, 0)
	r.wantRow("db.swept.a", "Received", 1)
	r.wantRow("db.swept.b", "SENT", 1)
	r.wantRequests(r.request("db.swept.a"))
	r.wantNotifications()

	r.set("db.swept.b", "FilesSent", number(1))
	r.sweep(2, 1)
	r.wantRow("db.swept.b", "RECEIVED", 1)
	r.wantRequests(r.request("db.swept.a"), r.request("db.swept.b"))
	r.wantNotifications(r.allReceived())
}

// Two envelopes complete 450 collections, more than the history of a STANDARD execution can hold: it leaves some to the
// sweep. It runs alone and without pipes, since it keeps the engine busy.
func TestManyCollectionsInAnEnvelope(t *testing.T) {
	s := deploy(t, configurations[0].settings...)
	r := s.newRun(t)
	const collections, first = 450, 400
	var files, requests []string
	for i := range collections {
		name := fmt.Sprintf("db.envelope.collection%03d", i)
		r.put(name, "Sent", 1)
		files = append(files, object(r.file(name)))
		requests = append(requests, r.request(name))
	}
	ended := r.start(envelope(files[:first]...), envelope(files[first:]...))
	var output struct{ Reconciled int }
	if err := json.Unmarshal([]byte(*ended[0].Output), &output); err != nil {
		t.Fatal(err)
	}
	if output.Reconciled == 0 || output.Reconciled >= first {
		t.Errorf("an execution reconciled %d of its %d collections", output.Reconciled, first)
	}
	r.wantNotifications()

	r.sweep(collections, 1)
	for i := range collections {
		r.wantRow(fmt.Sprintf("db.envelope.collection%03d", i), "Received", 1)
	}
	r.wantRequests(requests...)
	r.wantNotifications(r.allReceived())
	r.wantRejected()
}

// sweep calls the sweep until so many requests and notifications went out for the run, and then settles. On a busy
// machine the engine may refuse calls until the retries are used up: then a message waits for the end of its lease.
func (r *run) sweep(requests, notifications int) {
	r.t.Helper()
	localtest.AwaitWithin(r.t, store.DefaultLease, func() string {
		sent, notified := len(r.sentRequests()), len(r.sentNotifications())
		if sent >= requests && notified >= notifications {
			return ""
		}
		if err := r.executions.refresh(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		if r.executions.unfinished(r.id, nil) == "" {
			r.callSweep()
		}
		return fmt.Sprintf("the sweep led to %d of %d requests and %d of %d notifications", sent, requests, notified,
			notifications)
	})
	r.settle(nil)
}

func (r *run) callSweep() { r.t.Helper(); r.invokeSweep(map[string]string{"execution_id": r.id}) }

func (r *run) invokeSweep(input any) []byte {
	r.t.Helper()
	answer, err := lambda.NewFromConfig(r.stack.Config).Invoke(r.t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String(r.stack.Name + "-sweep"),
		Payload:      []byte(encode(input)),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	// The sweep reports errors for the unreadable rows of other scenarios.
	if failed := aws.ToString(answer.FunctionError); failed != "" && !strings.Contains(string(answer.Payload),
		"sweeping run") ||
		strings.Contains(string(answer.Payload), r.id) {
		r.t.Fatalf("the sweep failed: %s %s", failed, answer.Payload)
	}
	return answer.Payload
}
