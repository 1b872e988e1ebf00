//go:build testaws

package aws_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/test/aws/internal/compared"
	"snapshot-status-checker/test/scenario"
)

const (
	collections = 12
	files       = 8 // of each collection
	late        = 4 // collections whose Sent is written after their last file
)

// A run for each workflow type: duplicates, rejected messages, Sent after the last file, and success files. (The tests
// of internal/store run on DynamoDB Local too.)
func TestWholeRunsComplete(t *testing.T) {
	for _, workflowType := range []string{standard, express} {
		t.Run(workflowType, func(t *testing.T) {
			t.Parallel()
			plan, err := scenario.NewPlan(scenario.Shape{Run: "run-whole", Seed: 1, Collections: collections,
				Files: files, Duplicates: 0.2, Malformed: 9, LateSent: late})
			if err != nil {
				t.Fatal(err)
			}
			newSystem(t, workflowType).play(plan)
		})
	}
}

func (s *system) play(plan scenario.Plan) {
	const received, successful = "Full - All collections received by NiFi", "Full - All collections successful"
	if err := s.player.PutRows(s.Context(), plan.Run); err != nil {
		s.Fatal(err)
	}
	var messages, successFiles []sqstypes.Message
	for i, planned := range plan.Messages {
		messages = append(messages, message(fmt.Sprint("m", i), planned.Text))
	}
	for _, c := range plan.Collections {
		successFiles = append(successFiles, message("success "+c.Name, plan.SuccessFile(c.Name).Text))
	}
	s.deliver(4, messages...)
	s.changes()
	s.want("all files", map[string]int{"Exported 8/8": late, "Received 8/8": collections - late})
	s.wantSent(collections-late, 9)

	if err := s.player.WriteSent(s.Context(), plan.Run); err != nil {
		s.Fatal(err)
	}
	if passed := s.changes(); passed != late {
		s.Errorf("%d changes of status passed the filters, want %d", passed, late)
	}
	s.want("Sent of all", map[string]int{"Received 8/8": collections})
	s.wantSent(collections, 9, received)

	// Everything comes again, and the sender writes Sent over Received.
	s.deliver(4, messages...)
	if err := s.player.WriteSent(s.Context(), plan.Run); err != nil {
		s.Fatal(err)
	}
	s.changes()
	s.callSweep()
	s.want("repeated", map[string]int{"Received 8/8": collections})
	s.wantSent(collections, 18, received)

	s.deliver(3, successFiles...)
	s.want("success files", map[string]int{"Success 8/8": collections})
	s.wantSent(collections, 18, received, successful)
	compared.Report(s, "whole run, %s: %d collections of %d files, %d executions, %d events at most", s.workflowType,
		collections, files, s.executions, s.events)
}

func message(id, body string) sqstypes.Message {
	return sqstypes.Message{MessageId: &id, Body: &body, ReceiptHandle: aws.String("r"),
		Attributes: map[string]string{"SentTimestamp": "1795449601000", "ApproximateReceiveCount": "1"}}
}

// want compares the numbers of rows by "Status received/sent".
func (s *system) want(when string, want map[string]int) {
	s.Helper()
	rows, err := s.player.Rows(s.Context(), scenario.Run{CorrelationID: "run-whole"})
	if err != nil {
		s.Fatal(err)
	}
	got := map[string]int{}
	for _, row := range rows {
		got[fmt.Sprintf("%s %d/%d", row.Status, row.Received, row.Sent)]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s: rows (-want +got)\n%s", when, diff)
	}
}

// wantSent wants one request for each of so many collections, these rejected messages and these notifications.
func (s *system) wantSent(collections, rejections int, titles ...string) {
	s.Helper()
	different := map[string]bool{}
	for _, message := range s.to(requests) {
		different[message.MessageBody] = true
	}
	if sent := len(s.to(requests)); sent != collections || len(different) != collections {
		s.Errorf("%d requests, %d of them different, want %d", sent, len(different), collections)
	}
	if sent := len(s.to(rejected)); sent != rejections {
		s.Errorf("%d rejected messages, want %d", sent, rejections)
	}
	if diff := cmp.Diff(titles, s.published()); diff != "" {
		s.Errorf("published (-want +got)\n%s", diff)
	}
}
