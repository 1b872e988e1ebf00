package monitoring

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// published records a message; test/e2e receives those of a deployed stack.
type published struct {
	topic, message, eventID string
	err                     error
}

func (p *published) Publish(
	_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options),
) (*sns.PublishOutput, error) {
	id := in.MessageAttributes["event_id"]
	p.topic, p.message, p.eventID = *in.TopicArn, *in.Message, *id.DataType+" "+*id.StringValue
	return &sns.PublishOutput{}, p.err
}

// check publishes and compares the whole message (domain, "Messages").
func check(t *testing.T, kind snapshot.Kind, send func(*Topic, snapshot.Outgoing) error, want string) {
	t.Helper()
	topic := &published{}
	out := snapshot.Outgoing{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: "run-1"}, Version: 3}
	if err := send(&Topic{SNS: topic, ARN: "arn"}, out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, topic.message); diff != "" || topic.topic != "arn" ||
		topic.eventID != "String "+out.EventID() {
		t.Errorf("to %s, event_id %s: %s", topic.topic, topic.eventID, diff)
	}
	topic.err = errors.New("no such topic")
	if err := send(&Topic{SNS: topic}, out); !errors.Is(err, topic.err) {
		t.Errorf("got the error %v", err)
	}
}

func TestNotify(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind        snapshot.Kind
		export      snapshot.Export
		title, date string // as JSON
	}{
		{snapshot.AllReceived, snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01"},
			"Full - All collections received by NiFi", "2020-01-01"},
		{snapshot.AllSuccessful, snapshot.Export{SnapshotType: "éTAT", ExportDate: `<a> & "b"`},
			"État - All collections successful", `<a> & \"b\"`}, // no other escapes
	} {
		check(t, test.kind, func(topic *Topic, out snapshot.Outgoing) error {
			return topic.Notify(t.Context(), out, test.export)
		}, `{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender",`+
			`"title_text":"`+test.title+`","custom_elements":[{"key":"Export date","value":"`+test.date+`"},`+
			`{"key":"Correlation Id","value":"run-1"}]}`)
	}
}

// An alert names the run's blockers, within the eight elements that monitoring shows.
func TestAlert(t *testing.T) {
	t.Parallel()
	var most snapshot.Tally // one blocker more than an alert names
	for i := range snapshot.MaxNamed + 1 {
		most.Add(snapshot.Row{CollectionKey: snapshot.CollectionKey{CollectionName: fmt.Sprint("db.", i)},
			Status: "SENT", FilesSent: snapshot.Count(9), FilesReceived: snapshot.Count(int64(i))}, nil)
	}
	for _, test := range []struct {
		kind     snapshot.Kind
		blockers snapshot.Blockers
		title    string
		elements []string // keys and values
	}{
		{snapshot.RunLate, snapshot.Blockers{Named: []snapshot.Row{
			{CollectionKey: snapshot.CollectionKey{CollectionName: "db.a"}, Status: "Exporting"}}}, "Full - Run late",
			[]string{"db.a", "Exporting, 0 of 0 files received"}},
		{snapshot.RunAbandoned, snapshot.Blockers{}, "Full - Run abandoned", nil},
		{snapshot.RunStalled, most.Blockers(), "Full - Run stalled", []string{
			"db.0", "SENT, 0 of 9 files received", "db.1", "SENT, 1 of 9 files received",
			"db.2", "SENT, 2 of 9 files received", "db.3", "SENT, 3 of 9 files received",
			"db.4", "SENT, 4 of 9 files received", "More collections", "1"}},
	} {
		var elements strings.Builder
		for i := 0; i < len(test.elements); i += 2 {
			fmt.Fprintf(&elements, `,{"key":%q,"value":%q}`, test.elements[i], test.elements[i+1])
		}
		check(t, test.kind, func(topic *Topic, out snapshot.Outgoing) error {
			return topic.Alert(t.Context(), out, snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01"},
				test.blockers)
		}, `{"severity":"High","notification_type":"Warning","slack_username":"Snapshot Sender",`+
			`"title_text":"`+test.title+`","custom_elements":[{"key":"Export date","value":"2020-01-01"},`+
			`{"key":"Correlation Id","value":"run-1"}`+elements.String()+`]}`)
	}
}

// The expected values are those of Python 3.11's str.title.
func TestTitleCase(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"fULL": "Full", "": "", " ": " ", "drift_testing_incremental": "Drift_Testing_Incremental",
		"full  load ": "Full  Load ", "full.load/x": "Full.Load/X", "_full__x": "_Full__X",
		"3full": "3Full", "x2y": "X2Y", "they're": "They'Re", "they’re": "They’Re", "full\tload\nx": "Full\tLoad\nX",
		"ÉTAT_ÉTÉ": "État_Été", "ελ αθ": "Ελ Αθ", "ǆa": "ǅa", "漢a": "漢A", "a漢b": "A漢B", "ªb": "ªb",
		"ⓐb": "Ⓐb", "a\u0301b": "A\u0301B", "İ": "İ",
	} {
		if got := titleCase(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
