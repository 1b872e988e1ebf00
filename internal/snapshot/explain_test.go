package snapshot_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

// example is an example of AWS's documentation, with values in place of its placeholders and long values cut:
// https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html and http-subscription-confirmation-json.html,
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and ev-events.html,
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html.
func example(t testing.TB, name string) string {
	return strings.TrimSpace(event(t, "odd/"+name+".json"))
}

// What other programs put around a message is named, with what to set there; the reason code is what it was, and
// nothing is counted.
func TestOddBodiesAreExplained(t *testing.T) {
	t.Parallel()
	const (
		inSNS   = "looks like an SNS notification"
		inBus   = "looks like an EventBridge event"
		twice   = "looks like JSON that was encoded twice"
		mark    = "looks like JSON with a byte order mark in front"
		raw     = "switch on raw message delivery of the subscription to the file-received queue"
		path    = "send only its detail: set the target's input path to $.detail"
		once    = "send the JSON object itself, not a string that contains it"
		noMark  = "send it without the mark"
		noRun   = "an S3 event: it names no run; stop the bucket's events from reaching the file-received queue"
		nothing = ", which contains no correlation_id: it names no run; stop it from reaching the file-received queue, " +
			"or have its sender corrected"

		missing, notJSON, noObject = snapshot.ReasonFieldMissing, snapshot.ReasonNotJSON, snapshot.ReasonNotAnObject
	)
	good, s3Record := body(), example(t, "s3-record")
	s3Event := envelope(s3Record)
	sns := func(message string) string {
		return strings.Replace(example(t, "sns-notification"), `"Hello world!"`, quoted(message), 1)
	}
	bus := func(detail string) string {
		return fmt.Sprintf(`{"detail-type": "t", "source": "own", "detail": %s}`, detail)
	}
	for _, test := range []struct {
		text   string
		reason snapshot.Reason
		detail string
	}{
		{sns(good), missing, inSNS + ": " + raw},
		{sns(envelope(record("", good))), missing, inSNS + ": " + raw},
		{sns(body("export_date", "")), missing, inSNS + ": " + raw},
		{sns(quoted(good)), missing, inSNS + ", which contains JSON that was encoded twice: " + raw + "; " + once},
		{example(t, "sns-notification"), missing, inSNS + nothing},
		{sns(`{"AlarmName": "a", "NewStateValue": "ALARM"}`), missing, inSNS + nothing},
		{strings.Replace(sns(""), `"Message"`, `"Other"`, 1), missing, inSNS + nothing},
		{example(t, "sns-confirmation"), missing,
			"looks like an SNS subscription confirmation: if you know the topic, " +
				"confirm the subscription with its token (aws sns confirm-subscription) and switch on raw message " +
				"delivery; otherwise delete the message"},
		{s3Event, snapshot.ReasonNoBody, "looks like " + noRun},
		{s3Record, missing, "looks like " + noRun},
		{example(t, "s3-test-event"), missing, "looks like an S3 test event: a bucket's events were directed to the " +
			"file-received queue; they name no run: direct them elsewhere"},
		{sns(s3Event), missing, inSNS + ", which contains " + noRun},
		{bus(good), missing, inBus + ": " + path},
		{example(t, "eventbridge-ec2"), missing, inBus + nothing},
		{example(t, "eventbridge-s3"), missing, inBus + ", which contains " + noRun},
		{sns(bus(good)), missing, inSNS + ", which contains an EventBridge event: " + raw + "; " + path},
		{quoted(good), noObject, twice + ": " + once},
		{quoted(quoted(quoted(good))), noObject, twice + ": " + once},
		{quoted(sns(good)), noObject, twice + ", which contains an SNS notification: " + once + "; " + raw},
		{" \ufeff\ufeff" + good, notJSON, mark + ": " + noMark},
		{"\ufeff" + sns(good), notJSON, mark + ", which contains an SNS notification: " + noMark + "; " + raw},
		{base64.StdEncoding.EncodeToString([]byte(good)), notJSON, "looks like base64: send the JSON object itself"},

		// like nothing known
		{"\ufeffhello", notJSON, "the text is not valid JSON"},
		{"eWVzIHllcyE=", notJSON, "the text is not valid JSON"}, // "yes yes!"
		{"eyes", notJSON, "the text is not valid JSON"},
		{`"hello"`, noObject, "the text is valid JSON but not an object"},
		{`"1"`, noObject, "the text is valid JSON but not an object"},
		{`"\"\""`, noObject, "the text is valid JSON but not an object"},
		{`{"Type":"Other","TopicArn":"arn","Message":"x"}`, missing, "required field correlation_id is missing"},
		{`{"Records":[{"eventSource":"aws:kinesis"}]}`, snapshot.ReasonNoBody, "the record has no body"},
		{body("collection_name", "", "detail-type", `"x"`, "source", `"aws.s3"`, "Type", `"Notification"`, "TopicArn",
			`"arn"`, "eventSource", `"aws:s3"`), missing, "required field collection_name is missing"},
	} {
		for _, input := range []string{piped("m1", test.text), piped("m0", envelope(record("m1", quoted(test.text))))} {
			got := one(t, input)
			if got.Rejection == nil || *got.Rejection != (snapshot.Rejection{Reason: test.reason,
				Detail: test.detail}) ||
				!strings.HasPrefix(got.Identity, "m1") {
				t.Errorf("%s: %s: %v\nwant %s: %s", input, got.Identity, got.Rejection, test.reason, test.detail)
			}
		}
	}
}

// A string within the body of a record is the message's, as the seed document says; it stays the only place.
func TestAnEscapedBodyIsNoOddBody(t *testing.T) {
	t.Parallel()
	for escaped, reason := range map[string]snapshot.Reason{quoted(quoted(body())): snapshot.ReasonNotAnObject,
		quoted("\ufeff" + body()): snapshot.ReasonNotJSON} {
		for _, input := range []string{envelope(record("m1", escaped)), "[" + record("m1", escaped) + "]"} {
			rejects(t, input, reason, "looks like")
		}
	}
}

// Layers are opened as deep as envelopes, whatever a hostile text nests.
func TestExplainingIsBounded(t *testing.T) {
	t.Parallel()
	text := body()
	for range 1000 {
		text = fmt.Sprintf(`{"detail-type":"t","source":"s","detail":%s}`, text)
	}
	detail := one(t, text).Rejection.Detail
	if events := strings.Count(detail, "an EventBridge event"); events != 10 {
		t.Errorf("%d layers: %s", events, detail)
	}
}
