//go:build testaws

package aws_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/test/aws/internal/compared"
)

const (
	collections = 12
	files       = 8 // of each collection
	late        = 4 // collections whose Sent is written after their last file
	theRun      = "run-whole"
)

// A run for each workflow type: duplicates, rejected messages, a new export, Sent after the last file, success files,
// and a run that stalls.
func TestWholeRunsComplete(t *testing.T) {
	for _, workflowType := range []string{standard, express} {
		t.Run(workflowType, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, workflowType)
			s.startRun()
			s.exportAgain(collection(collections - 1))
			s.receiveFiles()
			s.writeSentLast()
			s.repeat()
			s.receiveSuccessFiles()
			s.stall()
			compared.Report(t, "whole run, %s: %d collections of %d files, %d executions, %d calls of functions, "+
				"%d events at most", workflowType, collections, files, s.executions, s.calls.Load(), s.events)
		})
	}
}

func collection(i int) string { return fmt.Sprintf("db.core.c%02d", i) }

// file is the message of a collection's file; the same number is the same message.
func file(run, collection string, number int, more string) sqstypes.Message {
	body := fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":"2026-11-28",`+
		`"filename":"f%d.gz"%s}`, run, collection, number, more)
	return message(fmt.Sprintf("%s-%s-%d%s", run, collection, number, more), body)
}

func message(id, body string) sqstypes.Message {
	return sqstypes.Message{MessageId: &id, Body: &body, ReceiptHandle: aws.String("r"),
		Attributes: map[string]string{"SentTimestamp": "1795449601000", "ApproximateReceiveCount": "1"}}
}

func status(name string) types.AttributeValue { return &types.AttributeValueMemberS{Value: name} }

// startRun writes the rows as exporter and sender do.
func (s *system) startRun() {
	for i := range collections {
		name := "Sent"
		if i < late {
			name = "Exported"
		}
		s.rows.of(theRun).put(collection(i), status(name), fmt.Sprint(files))
	}
}

// exportAgain lets a collection's export fail after two files were counted, and begin again.
func (s *system) exportAgain(name string) {
	s.deliver(1, file(theRun, name, 101, ""), file(theRun, name, 102, ""))
	s.want("before the reset", "Sent 2/8", name)
	s.rows.of(theRun).set(name, map[string]types.AttributeValue{"CollectionStatus": status("Export_Failed"),
		"FilesSent": number(0), "FilesExported": number(0), "FilesReceived": number(0)})
	s.changes()
	s.rows.of(theRun).set(name, map[string]types.AttributeValue{
		"CollectionStatus": status("Sent"), "FilesSent": number(files)})
	s.changes()
	s.want("after the reset", "Sent 0/8", name)
}

func number(n int) types.AttributeValue { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }

// receiveFiles delivers every file, a fifth of them twice, and three bad messages, shuffled.
func (s *system) receiveFiles() {
	random := rand.New(rand.NewPCG(1, 1))
	var all []sqstypes.Message
	for i := range collections {
		for n := range files {
			all = append(all, file(theRun, collection(i), n, ""))
		}
	}
	shuffle := func() { random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] }) }
	shuffle()
	all = append(all, all[:len(all)/5]...)
	all = append(all, message("bad-1", "not json"), message("bad-3", `{"Records":[]}`),
		file(theRun, "no.such.collection", 1, ""))
	shuffle()
	s.deliver(4, all...)
	s.changes()
	var received, waiting []string
	for i := range collections {
		if i < late {
			waiting = append(waiting, collection(i))
		} else {
			received = append(received, collection(i))
		}
	}
	s.want("all files", "Received 8/8", received...)
	s.want("all files", "Exported 8/8", waiting...)
	s.wantRequests(len(received))
	var identities []string
	for _, message := range s.to(rejected) {
		identities = append(identities, message.MessageAttributes["identity"].StringValue)
	}
	slices.Sort(identities)
	if diff := cmp.Diff([]string{"bad-1", "bad-3", "run-whole-no.such.collection-1"},
		slices.Compact(identities)); diff != "" {
		s.Errorf("rejected (-want +got)\n%s", diff)
	}
	s.wantNotifications(nil)
}

func (s *system) writeSentLast() {
	for i := range late {
		s.rows.of(theRun).set(collection(i), map[string]types.AttributeValue{"CollectionStatus": status("Sent")})
	}
	if passed := s.changes(); passed != late {
		s.Errorf("%d changes of status passed the filters, want %d", passed, late)
	}
	s.want("Sent of all", "Received 8/8", everyCollection()...)
	s.wantRequests(collections)
	s.wantNotifications([]string{"Full - All collections received by NiFi"})
}

func everyCollection() (all []string) {
	for i := range collections {
		all = append(all, collection(i))
	}
	return all
}

// repeat delivers a collection's files again, writes Sent over Received, and sweeps.
func (s *system) repeat() {
	for n := range files {
		s.deliver(1, file(theRun, collection(5), n, ""))
	}
	s.rows.of(theRun).set(collection(6), map[string]types.AttributeValue{"CollectionStatus": status("Sent")})
	s.changes()
	s.callSweep("after-the-files")
	s.want("repeated", "Received 8/8", everyCollection()...)
	s.wantRequests(collections)
	s.wantNotifications([]string{"Full - All collections received by NiFi"})
}

func (s *system) receiveSuccessFiles() {
	var all []sqstypes.Message
	for _, name := range everyCollection() {
		all = append(all, file(theRun, name, 0, `,"is_success_file":"true"`))
	}
	s.deliver(3, all...)
	s.want("success files", "Success 8/8", everyCollection()...)
	s.wantRequests(collections)
	s.wantNotifications([]string{"Full - All collections received by NiFi", "Full - All collections successful"})
}

// stall leaves a run without one of its files: the sweep sends one alert.
func (s *system) stall() {
	before := len(s.published())
	s.rows.of("run-stalled").put("db.a", status("Sent"), "2")
	s.deliver(1, file("run-stalled", "db.a", 1, ""))
	for i := range 3 {
		s.callSweep(fmt.Sprintf("stalled-%d", i))
	}
	if alerts := s.published()[before:]; len(alerts) != 1 {
		s.Errorf("the sweep sent %q, want one alert", alerts)
	}
	if got := s.rowState("run-stalled", "db.a"); got != "Sent 1/2" {
		s.Errorf("the stalled collection is %s", got)
	}
}

func (s *system) want(when, state string, names ...string) {
	s.Helper()
	for _, name := range names {
		if got := s.rowState(theRun, name); got != state {
			s.Errorf("%s: %s is %s, want %s", when, name, got, state)
		}
	}
}

// wantRequests wants one request for each of so many collections.
func (s *system) wantRequests(number int) {
	s.Helper()
	of := map[string]int{}
	for _, message := range s.to(requests) {
		var request struct {
			Collection string `json:"topic_name"`
		}
		if err := json.Unmarshal([]byte(message.MessageBody), &request); err != nil {
			s.Error(err)
		}
		if of[request.Collection]++; of[request.Collection] > 1 {
			s.Errorf("%s has %d requests", request.Collection, of[request.Collection])
		}
	}
	if len(of) != number {
		s.Errorf("%d collections have requests, want %d", len(of), number)
	}
}

func (s *system) wantNotifications(titles []string) {
	s.Helper()
	if diff := cmp.Diff(titles, s.published()); diff != "" {
		s.Errorf("published (-want +got)\n%s", diff)
	}
}
