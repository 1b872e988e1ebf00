package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"snapshot-status-checker/internal/store"
)

// A FilesSent that is lowered after Sent completes a collection, and no event tells: the sweep finds it.
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

// sweep calls the deployed function as its schedule does, again whenever all is done that the last call started, until
// so many requests and notifications went out for the run. Then it waits until nothing more comes of it. On a busy
// machine Lambda may refuse an execution until its retries are used up: then its message waits until the lease is over.
func (r *run) sweep(requests, notifications int) {
	r.t.Helper()
	awaitWithin(r.t, store.DefaultLease+waitAtMost, func() string {
		sent, notified := len(r.requestMails()), len(r.notificationMails())
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

func (r *run) callSweep() {
	r.t.Helper()
	answer, err := lambda.NewFromConfig(r.stack.Config).Invoke(r.t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String(r.stack.Name + "-sweep"),
		Payload:      []byte(encode(map[string]string{"execution_id": r.id})),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	// Runs of other scenarios have rows that cannot be read; of those the sweep complains in the end.
	if failed := aws.ToString(answer.FunctionError); failed != "" && !strings.Contains(string(answer.Payload),
		"sweeping run") ||
		strings.Contains(string(answer.Payload), r.id) {
		r.t.Fatalf("the sweep failed: %s %s", failed, answer.Payload)
	}
}
