package delivery_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/delivery/monitoring"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local/localtest"
)

// newTopic makes a topic for the test, with a queue that is subscribed to it.
func newTopic(t *testing.T, queueClient *sqs.Client, raw string) (topics *sns.Client, arn, url string) {
	t.Helper()
	topics = sns.NewFromConfig(localtest.Config(localtest.Engine(t)))
	name := unique(t)
	made, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	url = queue(t, queueClient, "")
	about, err := queueClient.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(about.Attributes["QueueArn"]),
		Attributes: map[string]string{"RawMessageDelivery": raw},
	})
	if err != nil {
		t.Fatal(err)
	}
	return topics, *made.TopicArn, url
}

// The whole message (domain, "Messages").
func TestNotify(t *testing.T) {
	t.Parallel()
	client := queues(t)
	for _, test := range []struct {
		name   string
		kind   snapshot.Kind
		export snapshot.Export
		want   string
	}{
		{"all received", snapshot.AllReceived, snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01"},
			`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender",` +
				`"title_text":"Full - All collections received by NiFi","custom_elements":[{"key":"Export date",` +
				`"value":"2020-01-01"},{"key":"Correlation Id","value":"run-1"}]}`},
		{"all successful", snapshot.AllSuccessful, snapshot.Export{SnapshotType: "incremental",
			ExportDate: "NIFI_HEARTBEAT"},
			`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender",` +
				`"title_text":"Incremental - All collections successful","custom_elements":[{"key":"Export date",` +
				`"value":"NIFI_HEARTBEAT"},{"key":"Correlation Id","value":"run-1"}]}`},
		{"a type in capitals, and what needs no escape", snapshot.AllReceived, snapshot.Export{SnapshotType: "FULL",
			ExportDate: "<a> & \"b\""},
			`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender",` +
				`"title_text":"Full - All collections received by NiFi","custom_elements":[{"key":"Export date",` +
				`"value":"<a> & \"b\""},{"key":"Correlation Id","value":"run-1"}]}`},
		{"a type in another script", snapshot.AllSuccessful, snapshot.Export{SnapshotType: "éTAT", ExportDate: "d"},
			`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender",` +
				`"title_text":"État - All collections successful",` +
				`"custom_elements":[{"key":"Export date","value":"d"},` +
				`{"key":"Correlation Id","value":"run-1"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			topics, arn, url := newTopic(t, client, "true")
			topic := &monitoring.Topic{SNS: topics, ARN: arn}
			out := ofRun(test.kind)
			for range 2 { // published again, it has the same event id
				if err := topic.Notify(t.Context(), out, test.export); err != nil {
					t.Fatal(err)
				}
			}
			message := received{Body: test.want, Attributes: id(out)}
			if diff := cmp.Diff([]received{message, message}, receive(t, client, url, 2)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// most are the blockers of a run with more of them than an alert names.
func most() snapshot.Blockers {
	var all snapshot.Tally
	for i := range snapshot.MaxNamed + 1 {
		all.Add(snapshot.Row{CollectionKey: snapshot.CollectionKey{CollectionName: fmt.Sprint("db.", i)},
			Status:    "SENT",
			FilesSent: snapshot.Count(9), FilesReceived: snapshot.Count(int64(i))}, nil)
	}
	return all.Blockers()
}

// An alert about a stalled run names its blockers, within the eight elements that monitoring shows.
func TestAlert(t *testing.T) {
	t.Parallel()
	client := queues(t)
	row := func(name string, status snapshot.Status, received, sent int64) snapshot.Row {
		return snapshot.Row{CollectionKey: snapshot.CollectionKey{CollectionName: name}, Status: status,
			FilesReceived: snapshot.Count(received), FilesSent: snapshot.Count(sent)}
	}
	for _, test := range []struct {
		name     string
		kind     snapshot.Kind
		blockers snapshot.Blockers
		want     string
	}{
		{"stalled", snapshot.RunStalled, snapshot.Blockers{Named: []snapshot.Row{row("db.a", "Sent", 1, 2),
			row("db.b", "Exporting", 0, 0)}, More: 7},
			`{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender",` +
				`"title_text":"Full - Run stalled","custom_elements":[{"key":"Export date","value":"2020-01-01"},` +
				`{"key":"Correlation Id","value":"run-1"},` +
				`{"key":"db.a","value":"Sent, 1 of 2 files received"},{"key":"db.b","value":"Exporting,` +
				` 0 of 0 files received"},{"key":"More collections","value":"7"}]}`},
		{"late", snapshot.RunLate, snapshot.Blockers{Named: []snapshot.Row{row("db.a", "Received", 2, 2)}},
			`{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender",` +
				`"title_text":"Full - Run late","custom_elements":[{"key":"Export date","value":"2020-01-01"},` +
				`{"key":"Correlation Id","value":"run-1"},{"key":"db.a","value":"Received, 2 of 2 files received"}]}`},
		{"abandoned, blocked by nothing", snapshot.RunAbandoned, snapshot.Blockers{},
			`{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender",` +
				`"title_text":"Full - Run abandoned","custom_elements":[{"key":"Export date","value":"2020-01-01"},` +
				`{"key":"Correlation Id","value":"run-1"}]}`},
		{"the most that is shown: eight elements", snapshot.RunAbandoned, most(),
			`{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender",` +
				`"title_text":"Full - Run abandoned","custom_elements":[{"key":"Export date","value":"2020-01-01"},` +
				`{"key":"Correlation Id","value":"run-1"},` +
				`{"key":"db.0","value":"SENT, 0 of 9 files received"},{"key":"db.1","value":"SENT,` +
				` 1 of 9 files received"},{"key":"db.2","value":"SENT, 2 of 9 files received"},{"key":"db.3",` +
				`"value":"SENT, 3 of 9 files received"},{"key":"db.4","value":"SENT, 4 of 9 files received"},` +
				`{"key":"More collections","value":"1"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			topics, arn, url := newTopic(t, client, "true")
			topic := &monitoring.Topic{SNS: topics, ARN: arn}
			out := ofRun(test.kind)
			if err := topic.Alert(t.Context(), out, snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01"},
				test.blockers); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]received{{Body: test.want, Attributes: id(out)}},
				receive(t, client, url, 1)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A subscriber without raw delivery receives the identity beside the message.
func TestNotifyInSNSEnvelope(t *testing.T) {
	t.Parallel()
	client := queues(t)
	topics, arn, url := newTopic(t, client, "false")
	topic := &monitoring.Topic{SNS: topics, ARN: arn}
	out := ofRun(snapshot.AllReceived)
	if err := topic.Notify(t.Context(), out, snapshot.Export{SnapshotType: "full", ExportDate: "d"}); err != nil {
		t.Fatal(err)
	}
	var envelope struct {
		MessageAttributes map[string]struct{ Type, Value string }
	}
	if err := json.Unmarshal([]byte(receive(t, client, url, 1)[0].Body), &envelope); err != nil {
		t.Fatal(err)
	}
	if got := envelope.MessageAttributes["event_id"]; got.Type != "String" || got.Value != out.EventID() {
		t.Errorf("got %+v", got)
	}
}

func TestNotifyKeepsTheCauseOfAnError(t *testing.T) {
	t.Parallel()
	topics, arn, _ := newTopic(t, queues(t), "true")
	topic := &monitoring.Topic{SNS: topics, ARN: arn + "-that-is-not-there"}
	err := topic.Notify(t.Context(), ofRun(snapshot.AllReceived), snapshot.Export{})
	var missing *types.NotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}
