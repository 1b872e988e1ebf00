package e2e_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// The queue refuses what Pipes could not deliver. It takes and counts the largest message, even if JSON escapes nearly
// every byte of it.
func tooLarge(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.too.large", "Sent", 1)
	most := r.maxMessageSize()
	frame := r.file("db.too.large", fields{"filename": ""})
	filler := most - len(frame)
	largest := strings.Replace(frame, `"filename":""`, `"filename":"`+strings.Repeat(`\"`, filler/2)+
		strings.Repeat("x", filler%2)+`"`, 1)

	_, err := r.queues.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &r.outputs.FileReceivedQueueUrl, MessageBody: aws.String(largest + " ")})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorFault() != smithy.FaultClient {
		t.Errorf("a message of %d bytes: got %v, want that the queue refuses it", most+1, err)
	}
	r.handle(largest)
	r.wantRow("db.too.large", "Received", 1)
	r.wantRequests(r.request("db.too.large"))
	r.wantRejected()
}

func (r *run) maxMessageSize() int {
	r.t.Helper()
	name := types.QueueAttributeNameMaximumMessageSize
	got, err := r.queues.GetQueueAttributes(r.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &r.outputs.FileReceivedQueueUrl, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		r.t.Fatal(err)
	}
	size, err := strconv.Atoi(got.Attributes[string(name)])
	if err != nil || size >= 256*1024/2 {
		r.t.Fatalf("the source queue takes %q bytes (%v), more than Pipes delivers for certain",
			got.Attributes[string(name)], err)
	}
	return size
}

// Messages of an unreadable row are rejected, each by itself. They are replayed when the row is repaired.
func countingFails(t *testing.T, s *system) {
	r := s.newRun(t)
	const collection = "db.broken.row"
	r.put(collection, "Sent", 0, item{"FilesSent": text("two")})
	first := r.file(collection)
	id := r.handle(first)[0]
	r.wantRejected(rejection{id, snapshot.ReasonNotCounted, first})

	byHand, recorded := r.file(collection), r.file(collection)
	record := identified(r.id+"-record", recorded)
	started := r.start(byHand, delivered(record))
	got := map[string]string{}
	for _, m := range r.rejectedMessages() {
		if !strings.Contains(m.attributes["reason"], "FilesSent") {
			t.Errorf("the reason does not say what is wrong: %q", m.attributes["reason"])
		}
		got[m.attributes["identity"]] += compact(t, m.text)
	}
	want := map[string]string{id: first, *started[0].ExecutionArn: byHand, r.id + "-record": recorded}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rejected, by identity (-want +got)\n%s", diff)
	}

	r.set(collection, "FilesSent", number(2))
	replayed := envelope(identified(id, first))
	r.handle(replayed, replayed)
	r.wantRow(collection, "Sent", 1)
	r.handle(replayed, envelope(record))
	r.wantRow(collection, "Received", 2)
	r.wantRequests(r.request(collection))
	r.wantNotifications(r.allReceived())
}

func countingFailsForOne(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.good.row", "Sent", 1)
	r.put("db.broken.row", "Sent", 0, item{"FilesSent": text("two")})
	broken := object(r.file("db.broken.row"))
	id := r.handle(envelope(object(r.file("db.good.row")), broken))[0] + "/1"
	r.wantRejected(rejection{id, snapshot.ReasonNotCounted, broken})
	r.wantRow("db.good.row", "Received", 1)
	r.wantRequests(r.request("db.good.row"))
	r.wantNotifications()

	r.set("db.broken.row", "FilesSent", number(1))
	r.handle(envelope(identified(id, broken)), envelope(identified(id, broken)))
	r.wantRow("db.broken.row", "Received", 1)
	r.wantRequests(r.request("db.good.row"), r.request("db.broken.row"))
	r.sweep(2, 1) // the check of the run failed at the broken row and was left to the sweep
	r.wantNotifications(r.allReceived())
}
