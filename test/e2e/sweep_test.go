package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/statemachine"
)

// lateType is a snapshot type whose runs are late after an hour; those of other types never are.
const lateType = "overdue"

// lateSetting is the context that lateRun needs.
var lateSetting = "lateAfterMinutes=" + snapshot.LateAfter{lateType: time.Hour}.String()

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

// An envelope completes more collections than the history of a STANDARD execution holds: it leaves some to the sweep.
func manyCollections(t *testing.T, s *system) {
	r := s.newRun(t)
	const collections = statemachine.MaxCollections + 10
	var files, requests []string
	name := func(i int) string { return fmt.Sprintf("db.envelope.c%03d", i) }
	for i := range collections {
		r.put(name(i), "Sent", 1)
		files = append(files, object(r.file(name(i))))
		requests = append(requests, r.request(name(i)))
	}
	ended := r.start(envelope(files...))[0]
	var output struct{ Reconciled int }
	if err := json.Unmarshal([]byte(*ended.Output), &output); err != nil {
		t.Fatal(err)
	}
	if output.Reconciled != statemachine.MaxCollections {
		t.Errorf("an execution reconciled %d of its %d collections, want %d", output.Reconciled, collections,
			statemachine.MaxCollections)
	}
	r.wantNotifications()
	r.sweep(collections, 1)
	for i := range collections {
		r.wantRow(name(i), "Received", 1)
	}
	r.wantRequests(requests...)
	r.wantNotifications(r.allReceived())
}

// A run whose first message came over an hour ago is alerted once, and finishes as any other.
func lateRun(t *testing.T, s *system) {
	r := s.newRun(t)
	overdue := fields{"snapshot_type": "OVERDUE"} // in any case
	r.put("db.late.a", "Sent", 2)
	r.handle(r.file("db.late.a", overdue))
	r.callSweep()
	r.wantNotifications()

	r.registeredAt(time.Now().Add(-time.Hour))
	r.callSweep()
	alert := fmt.Sprintf(`{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender",`+
		`"title_text":"Overdue - Run late","custom_elements":[{"key":"Export date","value":"%s"},`+
		`{"key":"Correlation Id","value":"%s"},{"key":"db.late.a","value":"Sent, 1 of 2 files received"}]}`,
		exportDate, r.id)
	r.wantNotifications(alert)
	r.callSweep()
	r.handle(r.file("db.late.a", overdue))
	r.becomes("db.late.a", "Received")
	received := r.notification("Overdue - All collections received by NiFi")
	r.wantNotifications(alert, received)
	r.handle(r.file("db.late.a", overdue, fields{"is_success_file": "true"}))
	r.wantNotifications(alert, received, r.notification("Overdue - All collections successful"))
	r.callSweep()
	r.settle(nil)
	if sent := len(r.sentNotifications()); sent != 3 {
		t.Errorf("%d messages to monitoring, want no further one", sent)
	}
}

// registeredAt sets the time of the run's first message.
func (r *run) registeredAt(at time.Time) {
	r.t.Helper()
	if _, err := dynamodb.NewFromConfig(r.stack.Config).UpdateItem(r.t.Context(), &dynamodb.UpdateItemInput{
		TableName: &r.outputs.LedgerTableName, Key: item{"PK": text("run"), "SK": text(r.id)},
		UpdateExpression: aws.String("SET RegisteredAt = :at"), ConditionExpression: aws.String("attribute_exists(PK)"),
		ExpressionAttributeValues: item{":at": number(int(at.Unix()))},
	}); err != nil {
		r.t.Fatal(err)
	}
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

// callSweep calls the sweep as its schedule does.
func (r *run) callSweep() {
	r.t.Helper()
	answer, err := lambda.NewFromConfig(r.stack.Config).Invoke(r.t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String(r.stack.Name + "-sweep"), Payload: []byte(`{"execution_id":"` + r.id + `"}`)})
	if err != nil {
		r.t.Fatal(err)
	}
	// The sweep reports errors for the unreadable rows of other scenarios.
	if failed := aws.ToString(answer.FunctionError); failed != "" && !strings.Contains(string(answer.Payload),
		"sweeping run") || strings.Contains(string(answer.Payload), r.id) {
		r.t.Fatalf("the sweep failed: %s %s", failed, answer.Payload)
	}
}
