package delivery_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
)

var said = snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true, ReprocessFiles: true}

// The whole body (domain, "Messages").
func TestRequest(t *testing.T) {
	t.Parallel()
	client := queues(t)
	odd := request(`db.<a>&"b"`, 0)
	odd.CorrelationID = "run é\n"
	for _, test := range []struct {
		name string
		out  snapshot.Outgoing
		said snapshot.Export
		want string
	}{
		{"flags true", request("db.a.b", 0), said,
			`{"shutdown_flag":"true","correlation_id":"run-1","topic_name":"db.a.b","snapshot_type":"full",` +
				`"reprocess_files":"true","export_date":"2020-01-01","send_success_indicator":"true"}`},
		{"flags false", request("db.a.b", 0), snapshot.Export{SnapshotType: "incremental",
			ExportDate: "NIFI_HEARTBEAT"},
			`{"shutdown_flag":"false","correlation_id":"run-1","topic_name":"db.a.b","snapshot_type":"incremental",` +
				`"reprocess_files":"false","export_date":"NIFI_HEARTBEAT","send_success_indicator":"true"}`},
		{"names that need escaping", odd, said,
			`{"shutdown_flag":"true","correlation_id":"run é\n","topic_name":"db.<a>&\"b\"","snapshot_type":"full",` +
				`"reprocess_files":"true","export_date":"2020-01-01","send_success_indicator":"true"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := queue(t, client, "")
			sender := &delivery.Sender{SQS: client, QueueURL: url}
			if err := sender.Request(t.Context(), test.out, test.said); err != nil {
				t.Fatal(err)
			}
			want := []received{{Body: test.want, Attributes: id(test.out)}}
			if diff := cmp.Diff(want, receive(t, client, url, 1)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRequestOverFIFO(t *testing.T) {
	t.Parallel()
	client := queues(t)
	url := queue(t, client, ".fifo")
	sender := &delivery.Sender{SQS: client, QueueURL: url}
	all := []snapshot.Outgoing{
		request("db.a.b", 0),
		request("db.a.b", 0), // sent again: the queue drops it
		request("db.a.b", 5), // another epoch
		request("db.a.c", 0), request("db a", 0),
	}
	for _, out := range all {
		if err := sender.Request(t.Context(), out, said); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{} // deduplication id: group
	for _, r := range receive(t, client, url, 4) {
		got[r.Dedup] = r.Group
		if diff := cmp.Diff(map[string]string{"event_id": "String " + r.Dedup}, r.Attributes); diff != "" {
			t.Error(diff)
		}
	}
	want := map[string]string{
		all[0].EventID(): "db_a_b", all[2].EventID(): "db_a_b", all[3].EventID(): "db_a_c",
		all[4].EventID(): delivery.MessageGroup("db a"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRequestKeepsTheCauseOfAnError(t *testing.T) {
	t.Parallel()
	client := queues(t)
	sender := &delivery.Sender{SQS: client, QueueURL: queue(t, client, "") + "-that-is-not-there"}
	err := sender.Request(t.Context(), request("db.a.b", 0), said)
	var missing *types.QueueDoesNotExist
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html, MessageGroupId.
var validGroup = regexp.MustCompile("^[a-zA-Z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$")

func TestMessageGroup(t *testing.T) {
	t.Parallel()
	const hash = "" // of whatever is wanted here is only that it is no name, and a valid group
	for _, test := range []struct{ name, collection, want string }{
		{"dots", "db.database.collection", "db_database_collection"},
		{"no dots", "collection", "collection"},
		{"hyphens stay", "db.nifi-heartbeat.production", "db_nifi-heartbeat_production"},
		{"punctuation stays", "a!\"#$%&'()*+,-/:;<=>?@[\\]^_`{|}~", "a!\"#$%&'()*+,-/:;<=>?@[\\]^_`{|}~"},
		{"128 characters", strings.Repeat("x", 127) + ".", strings.Repeat("x", 127) + "_"},
		{"129 characters", strings.Repeat("x", 128) + ".", hash},
		{"a blank", "db.a b", hash},
		{"a tab", "db.a\tb", hash},
		{"a line end", "db.a\n", hash},
		{"DEL", "db.a\x7f", hash},
		{"accents", "db.é", hash},
		{"another script", "db.Ελ", hash},
		{"an emoji", "db.😀", hash},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := delivery.MessageGroup(test.collection)
			if !validGroup.MatchString(got) {
				t.Errorf("%q is not a message group", got)
			}
			switch {
			case test.want != hash && got != test.want:
				t.Errorf("got %q, want %q", got, test.want)
			case test.want == hash && !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(got):
				t.Errorf("got %q, want a digest", got)
			}
			if again := delivery.MessageGroup(test.collection); again != got {
				t.Errorf("then %q, now %q", got, again)
			}
		})
	}
	if delivery.MessageGroup("a b") == delivery.MessageGroup("a  b") {
		t.Error("two names have one digest")
	}
}

// SQS refuses a message with U+FFFE or U+FFFF, which an escape in an incoming message may stand for.
func TestRequestHasNoRefusedCharacter(t *testing.T) {
	t.Parallel()
	client := queues(t)
	url := queue(t, client, "")
	sender := &delivery.Sender{SQS: client, QueueURL: url}
	const date = "\x00\x1f\uFFFE\uFFFF\U0001F600"
	if err := sender.Request(t.Context(), request("db.a.b", 0), snapshot.Export{SnapshotType: "full",
		ExportDate: date}); err != nil {
		t.Fatal(err)
	}
	body := receive(t, client, url, 1)[0].Body
	if at := strings.IndexFunc(body, func(r rune) bool { return r < ' ' || r == 0xFFFE || r == 0xFFFF }); at >= 0 {
		t.Errorf("%q holds a character that SQS refuses", body)
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(body), &back); err != nil || back["export_date"] != date {
		t.Errorf("the sender reads %q, %v", back["export_date"], err)
	}
}
