package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/delivery/sendable"
	"snapshot-status-checker/internal/snapshot"
)

// queue records what is sent to it. test/e2e sends over the queues of a deployed stack.
type queue struct {
	sent []sent
	err  error
}

type sent struct {
	URL, Body, Group, Dedup string
	Attributes              map[string]string // "<type> <value>"
}

func (q *queue) SendMessage(
	_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options),
) (*sqs.SendMessageOutput, error) {
	message := sent{URL: *in.QueueUrl, Body: *in.MessageBody, Group: aws.ToString(in.MessageGroupId),
		Dedup: aws.ToString(in.MessageDeduplicationId), Attributes: map[string]string{}}
	for name, attribute := range in.MessageAttributes {
		message.Attributes[name] = *attribute.DataType + " " + *attribute.StringValue
	}
	q.sent = append(q.sent, message)
	return &sqs.SendMessageOutput{}, q.err
}

func request(collection string, epoch int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, Version: epoch,
		CollectionKey: snapshot.CollectionKey{CorrelationID: "run-1", CollectionName: collection}}
}

// The whole message (domain, "Messages"): over a standard queue, and over a FIFO queue, which drops a repetition.
func TestRequest(t *testing.T) {
	t.Parallel()
	said := snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true, ReprocessFiles: true}
	odd := request(`db.<a>&"b"`, 5)
	odd.CorrelationID = "run é\n"
	for _, test := range []struct {
		url    string
		out    snapshot.Outgoing
		export snapshot.Export
		group  string
		want   string
	}{
		{"https://state", request("db.a.b", 0), said, "",
			`{"shutdown_flag":"true","correlation_id":"run-1","topic_name":"db.a.b","snapshot_type":"full",` +
				`"reprocess_files":"true","export_date":"2020-01-01","send_success_indicator":"true"}`},
		{"https://state.fifo", request("db.a.b", 0), snapshot.Export{SnapshotType: "incremental",
			ExportDate: "NIFI_HEARTBEAT"}, "db_a_b",
			`{"shutdown_flag":"false","correlation_id":"run-1","topic_name":"db.a.b","snapshot_type":"incremental",` +
				`"reprocess_files":"false","export_date":"NIFI_HEARTBEAT","send_success_indicator":"true"}`},
		{"https://state.fifo", odd, said, `db_<a>&"b"`,
			`{"shutdown_flag":"true","correlation_id":"run é\n","topic_name":"db.<a>&\"b\"","snapshot_type":"full",` +
				`"reprocess_files":"true","export_date":"2020-01-01","send_success_indicator":"true"}`},
	} {
		queue := &queue{}
		if err := (&delivery.Sender{SQS: queue, QueueURL: test.url}).Request(t.Context(), test.out,
			test.export); err != nil {
			t.Fatal(err)
		}
		id := test.out.EventID()
		want := sent{URL: test.url, Body: test.want, Attributes: map[string]string{"event_id": "String " + id}}
		if test.group != "" {
			want.Group, want.Dedup = test.group, id
		}
		if diff := cmp.Diff([]sent{want}, queue.sent); diff != "" {
			t.Error(diff)
		}
	}
	if request("db.a.b", 0).EventID() == request("db.a.b", 5).EventID() {
		t.Error("the requests of two epochs have one id: a FIFO queue drops the second")
	}
}

func TestMessageGroup(t *testing.T) {
	t.Parallel()
	for collection, want := range map[string]string{
		"db.nifi-heartbeat.production":       "db_nifi-heartbeat_production",
		"a!\"#$%&'()*+,-/:;<=>?@[\\]^_`{|}~": "a!\"#$%&'()*+,-/:;<=>?@[\\]^_`{|}~",
		strings.Repeat("x", 127) + ".":       strings.Repeat("x", 127) + "_", // 128 characters, the most
		strings.Repeat("x", 128) + ".":       "",                             // "" for a digest
		"db.a b":                             "", "db.a\n": "", "db.a\x7f": "", "db.é": "", "db.😀": "",
	} {
		got := delivery.MessageGroup(collection)
		if want != "" && got != want || want == "" && !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(got) {
			t.Errorf("%q has the group %q, want %q", collection, got, want)
		}
	}
	if delivery.MessageGroup("a b") == delivery.MessageGroup("a  b") {
		t.Error("two names have one digest")
	}
}

// SQS refuses a message with U+FFFE or U+FFFF, which an escape in an incoming message may stand for.
func TestRequestHasNoRefusedCharacter(t *testing.T) {
	t.Parallel()
	const date = "\x00\x1f\uFFFE\uFFFF\U0001F600"
	queue := &queue{}
	sender := &delivery.Sender{SQS: queue, QueueURL: "https://state"}
	if err := sender.Request(t.Context(), request("db.a.b", 0), snapshot.Export{ExportDate: date}); err != nil {
		t.Fatal(err)
	}
	body := queue.sent[0].Body
	if strings.ContainsFunc(body, sendable.Refused) {
		t.Errorf("%q has a character that SQS refuses", body)
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(body), &back); err != nil || back["export_date"] != date {
		t.Errorf("the sender reads %q, %v", back["export_date"], err)
	}
}

// The raw text goes out to the byte. Only text that SQS refuses is quoted rather than lost: only an execution that a
// person started can have one.
func TestReject(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ raw, body, identity, attribute string }{
		{`{"body": {} }`, "", "059f36b4-87a3-44ab-83d2-661975830a7d/12", ""},
		{" {\r\n\t\"a\": \"</b> é \U0001F600 \\u00e9\"\n}\n", "", "arn:aws:states:eu-west-1:1:execution:m:e/3", ""},
		{"\"oh\x7f", "", "Ελ\t😀", ""},
		{"a\x00é", `"a\x00\u00e9"`, "a\uFFFEé", `"a\ufffe\u00e9"`},
		{"\uFFFF", `"\uffff"`, "\x1f", `"\x1f"`},
	} {
		if test.body == "" {
			test.body, test.attribute = test.raw, test.identity
		}
		queue := &queue{}
		rejected := &delivery.Rejected{SQS: queue, QueueURL: "https://rejected"}
		if err := rejected.Reject(t.Context(), snapshot.Receipt{Identity: test.identity, Raw: test.raw,
			Rejection: &snapshot.Rejection{Reason: snapshot.ReasonFieldMissing, Detail: "export_date is missing"},
		}); err != nil {
			t.Fatal(err)
		}
		want := []sent{{URL: "https://rejected", Body: test.body, Attributes: map[string]string{
			"reason_code": "String FIELD_MISSING", "reason": "String export_date is missing",
			"identity": "String " + test.attribute}}}
		if diff := cmp.Diff(want, queue.sent); diff != "" {
			t.Error(diff)
		}
		if got := sendable.Original(queue.sent[0].Body); got != test.raw {
			t.Errorf("the original of %q is %q", queue.sent[0].Body, got)
		}
	}
}

func TestErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()
	queue := &queue{err: errors.New("no such queue")}
	for _, err := range []error{
		(&delivery.Sender{SQS: queue}).Request(t.Context(), request("db.a.b", 0), snapshot.Export{}),
		(&delivery.Rejected{SQS: queue}).Reject(t.Context(), snapshot.Receipt{Rejection: snapshot.UnknownCollection()}),
	} {
		if !errors.Is(err, queue.err) {
			t.Errorf("got %v", err)
		}
	}
}
