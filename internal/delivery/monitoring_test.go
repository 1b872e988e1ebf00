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

	"snapshot-status-checker/internal/delivery/news"
	"snapshot-status-checker/internal/local/localtest"
	"snapshot-status-checker/internal/snapshot"
)

// topic makes a topic of the test's own, and a queue that is subscribed to it.
func topic(t *testing.T, queueClient *sqs.Client, raw string) (topics *sns.Client, arn, url string) {
	t.Helper()
	topics = sns.NewFromConfig(localtest.Config(localtest.Engine(t)))
	name := unique(t)
	made, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	url = queue(t, queueClient, "")
	about, err := queueClient.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
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

// The whole message, as monitoring reads it (domain, "Messages").
func TestNews(t *testing.T) {
	t.Parallel()
	client := queues(t)
	for _, test := range []struct {
		name string
		kind snapshot.DebtKind
		run  snapshot.Run
		want string
	}{
		{"all received", snapshot.AllReceived, snapshot.Run{CorrelationID: "run-1", SnapshotType: "full", ExportDate: "2020-01-01"},
			`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender","title_text":"Full - All collections received by NiFi","custom_elements":[{"key":"Export date","value":"2020-01-01"},{"key":"Correlation Id","value":"run-1"}]}`},
		{"all successful", snapshot.AllSuccessful, snapshot.Run{CorrelationID: "run-1", SnapshotType: "incremental", ExportDate: "NIFI_HEARTBEAT"},
			`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender","title_text":"Incremental - All collections successful","custom_elements":[{"key":"Export date","value":"NIFI_HEARTBEAT"},{"key":"Correlation Id","value":"run-1"}]}`},
		{"a type in capitals, and what needs no escape", snapshot.AllReceived, snapshot.Run{CorrelationID: "run-1", SnapshotType: "FULL", ExportDate: "<a> & \"b\""},
			`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender","title_text":"Full - All collections received by NiFi","custom_elements":[{"key":"Export date","value":"<a> & \"b\""},{"key":"Correlation Id","value":"run-1"}]}`},
		{"a type in another script", snapshot.AllSuccessful, snapshot.Run{CorrelationID: "run-1", SnapshotType: "éTAT", ExportDate: "d"},
			`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender","title_text":"État - All collections successful","custom_elements":[{"key":"Export date","value":"d"},{"key":"Correlation Id","value":"run-1"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			topics, arn, url := topic(t, client, "true")
			monitoring := &news.Monitoring{SNS: topics, TopicARN: arn}
			debt := newsDebt(test.kind)
			for range 2 { // told again, it has the same identity
				if err := monitoring.News(t.Context(), debt, test.run); err != nil {
					t.Fatal(err)
				}
			}
			message := received{Body: test.want, Attributes: id(debt)}
			if diff := cmp.Diff([]received{message, message}, receive(t, client, url, 2)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// most is what holds a run of more collections than a report names.
func most() snapshot.Holders {
	var all snapshot.Tally
	for i := range snapshot.MaxNamed + 1 {
		all.Add(snapshot.Row{CollectionKey: snapshot.CollectionKey{CollectionName: fmt.Sprint("db.", i)}, Status: "SENT",
			FilesSent: snapshot.Count(9), FilesReceived: snapshot.Count(int64(i))}, nil)
	}
	return all.Holders()
}

// A report that a run has stalled names what holds it, within the eight elements that monitoring shows.
func TestReport(t *testing.T) {
	t.Parallel()
	client := queues(t)
	row := func(name string, status snapshot.Status, received, sent int64) snapshot.Row {
		return snapshot.Row{CollectionKey: snapshot.CollectionKey{CollectionName: name}, Status: status, FilesReceived: snapshot.Count(received), FilesSent: snapshot.Count(sent)}
	}
	for _, test := range []struct {
		name    string
		kind    snapshot.DebtKind
		holders snapshot.Holders
		want    string
	}{
		{"stalled", snapshot.RunStalled, snapshot.Holders{Named: []snapshot.Row{row("db.a", "Sent", 1, 2), row("db.b", "Exporting", 0, 0)}, More: 7},
			`{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender","title_text":"Full - Run stalled","custom_elements":[{"key":"Export date","value":"2020-01-01"},{"key":"Correlation Id","value":"run-1"},` +
				`{"key":"db.a","value":"Sent, 1 of 2 files received"},{"key":"db.b","value":"Exporting, 0 of 0 files received"},{"key":"More collections","value":"7"}]}`},
		{"let go, held by nothing", snapshot.RunLetGo, snapshot.Holders{},
			`{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender","title_text":"Full - Run let go","custom_elements":[{"key":"Export date","value":"2020-01-01"},{"key":"Correlation Id","value":"run-1"}]}`},
		{"the most that is shown: eight elements", snapshot.RunLetGo, most(),
			`{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender","title_text":"Full - Run let go","custom_elements":[{"key":"Export date","value":"2020-01-01"},{"key":"Correlation Id","value":"run-1"},` +
				`{"key":"db.0","value":"SENT, 0 of 9 files received"},{"key":"db.1","value":"SENT, 1 of 9 files received"},{"key":"db.2","value":"SENT, 2 of 9 files received"},{"key":"db.3","value":"SENT, 3 of 9 files received"},{"key":"db.4","value":"SENT, 4 of 9 files received"},{"key":"More collections","value":"1"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			topics, arn, url := topic(t, client, "true")
			monitoring := &news.Monitoring{SNS: topics, TopicARN: arn}
			report := newsDebt(test.kind)
			if err := monitoring.Report(t.Context(), report, snapshot.Run{CorrelationID: "run-1", SnapshotType: "full", ExportDate: "2020-01-01"}, test.holders); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]received{{Body: test.want, Attributes: id(report)}}, receive(t, client, url, 1)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A subscriber without raw delivery finds the identity beside the message.
func TestNewsInSNSEnvelope(t *testing.T) {
	t.Parallel()
	client := queues(t)
	topics, arn, url := topic(t, client, "false")
	monitoring := &news.Monitoring{SNS: topics, TopicARN: arn}
	debt := newsDebt(snapshot.AllReceived)
	if err := monitoring.News(t.Context(), debt, snapshot.Run{CorrelationID: "run-1", SnapshotType: "full", ExportDate: "d"}); err != nil {
		t.Fatal(err)
	}
	var envelope struct {
		MessageAttributes map[string]struct{ Type, Value string }
	}
	if err := json.Unmarshal([]byte(receive(t, client, url, 1)[0].Body), &envelope); err != nil {
		t.Fatal(err)
	}
	if got := envelope.MessageAttributes["event_id"]; got.Type != "String" || got.Value != debt.EventID() {
		t.Errorf("got %+v", got)
	}
}

func TestNewsKeepsTheCauseOfAnError(t *testing.T) {
	t.Parallel()
	topics, arn, _ := topic(t, queues(t), "true")
	monitoring := &news.Monitoring{SNS: topics, TopicARN: arn + "-that-is-not-there"}
	err := monitoring.News(t.Context(), newsDebt(snapshot.AllReceived), snapshot.Run{})
	var missing *types.NotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}
