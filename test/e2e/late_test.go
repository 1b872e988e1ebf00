package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/snapshot"
)

// lateType is a snapshot type whose runs are late after an hour; those of other types never are.
const lateType = "overdue"

// A run whose first message came over an hour ago is alerted once, and finishes as any other.
func lateRun(t *testing.T, s *system) {
	r := s.newRun(t)
	overdue := fields{"snapshot_type": "OVERDUE"} // in any case
	r.put("db.late.a", "Sent", 2)
	r.handle(r.file("db.late.a", overdue))
	r.callSweep()
	r.wantNotifications()

	r.setRun("RegisteredAt", time.Now().Add(-time.Hour))
	r.callSweep()
	alert := r.lateAlert("db.late.a", "Sent, 1 of 2 files received")
	r.wantNotifications(alert)
	for range 2 {
		r.callSweep()
	}
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

// A person ends a run: the sweep sends no alert. A message takes it up again.
func endedByHand(t *testing.T, s *system) {
	r := s.newRun(t)
	overdue := fields{"snapshot_type": lateType}
	r.put("db.ended.a", "Sent", 3)
	r.handle(r.file("db.ended.a", overdue))
	byHand := func(request string, asked any) (answer struct {
		ByHand struct {
			Refused   string
			Resumed   bool
			Abandoned time.Time `json:"abandoned_at"`
		} `json:"by_hand"`
	}) {
		t.Helper()
		text := r.invokeSweep(map[string]any{request: asked})
		if err := json.Unmarshal(text, &answer); err != nil || answer.ByHand.Refused != "" {
			t.Fatalf("%s: %v", text, err)
		}
		return answer
	}
	abandon := map[string]string{"correlation_id": r.id, "reason": "its export failed"}
	first, again := byHand("abandon", abandon), byHand("abandon", abandon)
	if at := first.ByHand.Abandoned; at.IsZero() || !again.ByHand.Abandoned.Equal(at) {
		t.Errorf("abandoned at %s and %s", at, again.ByHand.Abandoned)
	}
	r.setRun("RegisteredAt", time.Now().Add(-time.Hour)) // late from now on
	r.callSweep()
	r.settle(nil)
	r.wantNotifications()

	r.handle(r.file("db.ended.a", overdue))
	r.callSweep()
	r.wantNotifications(r.lateAlert("db.ended.a", "Sent, 2 of 3 files received"))
	if byHand("resume", map[string]string{"correlation_id": r.id}).ByHand.Resumed {
		t.Error("it was still abandoned")
	}
}

func (r *run) lateAlert(collection, state string) string {
	return fmt.Sprintf(`{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender",`+
		`"title_text":"Overdue - Run late","custom_elements":[{"key":"Export date","value":"%s"},`+
		`{"key":"Correlation Id","value":"%s"},{"key":"%s","value":"%s"}]}`, exportDate, r.id, collection, state)
}

// setRun sets a time of the run's item in the ledger.
func (r *run) setRun(attribute string, to time.Time) {
	r.t.Helper()
	if _, err := r.table.UpdateItem(r.t.Context(), &dynamodb.UpdateItemInput{TableName: &r.outputs.LedgerTableName,
		Key: item{"PK": text("run"), "SK": text(r.id)}, UpdateExpression: aws.String("SET #a = :v"),
		ConditionExpression: aws.String("attribute_exists(PK)"), ExpressionAttributeNames: map[string]string{
			"#a": attribute},
		ExpressionAttributeValues: item{":v": number(int(to.Unix()))},
	}); err != nil {
		r.t.Fatal(err)
	}
}

// lateSetting is the context that lateRun needs.
var lateSetting = "lateAfterMinutes=" + snapshot.LateAfter{lateType: time.Hour}.String()
