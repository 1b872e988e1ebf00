package snapshot_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

// Examples of AWS's documentation, with values in place of their placeholders and long values cut.
const (
	// https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
	snsText = `{"Type" : "Notification", "MessageId" : "63a3f6b6-d533-4a47-aef9-fcf5cf758c76",
		"TopicArn" : "arn:aws:sns:us-west-2:123456789012:MyTopic", "Subject" : "Testing publish to subscribed queues",
		"Message" : %s, "Timestamp" : "2012-03-29T05:12:16.901Z", "SignatureVersion" : "1",
		"Signature" : "EXAMPLEnTrFPa3...",
		"SigningCertURL" : "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe.pem",
		"UnsubscribeURL" : "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:..."}`
	// https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html
	snsConfirmation = `{"Type" : "SubscriptionConfirmation", "MessageId" : "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
		"Token" : "2336412f37...", "TopicArn" : "arn:aws:sns:us-west-2:123456789012:MyTopic",
		"Message" : "You have chosen to subscribe to the topic arn:aws:sns:us-west-2:123456789012:MyTopic.",
		"SubscribeURL" : "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37...",
		"Timestamp" : "2012-04-26T20:45:04.751Z", "SignatureVersion" : "1", "Signature" : "EXAMPLEpH+..."}`
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
	s3Record = `{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2",
		"eventTime":"1970-01-01T00:00:00.000Z","eventName":"ObjectCreated:Put",
		"userIdentity":{"principalId":"AIDAJDPLRKLG7UEXAMPLE"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},
		"responseElements":{"x-amz-request-id":"C3D13FE58DE4C810"},
		"s3":{"s3SchemaVersion":"1.0","configurationId":"testConfigRule","bucket":{"name":"amzn-s3-demo-bucket"},
		"object":{"key":"HappyFace.jpg","size":1024,"eTag":"d41d8cd98f00b204e9800998ecf8427e"}}}`
	s3Text     = `{"Records":[` + s3Record + `]}`
	s3TestText = `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z",
		"Bucket":"amzn-s3-demo-bucket","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4"}`
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
	busText = `{"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
		"detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2", "account": "111122223333",
		"time": "2017-12-22T18:43:48Z", "region": "us-west-1",
		"resources": ["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"], "detail": %s}`
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
	s3BusText = `{"version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created",
		"source": "aws.s3", "account": "111122223333", "time": "2021-11-12T00:00:00Z", "region": "ca-central-1",
		"resources": ["arn:aws:s3:::amzn-s3-demo-bucket1"],
		"detail": {"version": "0", "bucket": {"name": "amzn-s3-demo-bucket1"}, "object": {"key": "example-key"}}}`
)

// What other programs put around a message is named, with what to set there; the reason code is what it was, and
// nothing is counted.
func TestOddBodiesAreExplained(t *testing.T) {
	t.Parallel()
	const (
		raw     = "switch on raw message delivery of the subscription to the file-received queue"
		path    = "send only its detail: set the target's input path to $.detail"
		once    = "send the JSON object itself, not a string that contains it"
		noMark  = "send it without the mark"
		noRun   = "it names no run; stop the bucket's events from reaching the file-received queue"
		nothing = "it names no run; stop it from reaching the file-received queue, or have its sender corrected"
		missing = "required field correlation_id is missing"
	)
	good := body()
	sns := func(message string) string { return fmt.Sprintf(snsText, quoted(message)) }
	bus := func(detail string) string { return fmt.Sprintf(busText, detail) }
	for _, test := range []struct{ name, text, reason, detail string }{
		{"SNS", sns(good), "FIELD_MISSING", "looks like an SNS notification: " + raw},
		{"SNS of an envelope", sns(`{"Records":[{"body":` + good + `}]}`), "FIELD_MISSING",
			"looks like an SNS notification: " + raw},
		{"SNS of an incomplete message", sns(body("export_date", "")), "FIELD_MISSING",
			"looks like an SNS notification: " + raw},
		{"SNS of a message encoded twice", sns(quoted(good)), "FIELD_MISSING", "looks like an SNS notification, " +
			"which contains JSON that was encoded twice: " + raw + "; " + once},
		{"SNS with prose", sns("Hello world!"), "FIELD_MISSING", "looks like an SNS notification, which contains " +
			"no correlation_id: " + nothing},
		{"SNS of an alarm", sns(`{"AlarmName": "a", "NewStateValue": "ALARM"}`), "FIELD_MISSING",
			"looks like an SNS notification, which contains no correlation_id: " + nothing},
		{"SNS without a message", strings.Replace(sns(""), `"Message"`, `"Other"`, 1), "FIELD_MISSING",
			"looks like an SNS notification, which contains no correlation_id: " + nothing},
		{"SNS confirmation", snsConfirmation, "FIELD_MISSING", "looks like an SNS subscription confirmation: if you " +
			"know the topic, confirm the subscription with its token (aws sns confirm-subscription) and switch on " +
			"raw message delivery; otherwise delete the message"},
		{"S3", s3Text, "NO_BODY", "looks like an S3 event: " + noRun},
		{"S3 record", s3Record, "FIELD_MISSING", "looks like an S3 event: " + noRun},
		{"S3 test", s3TestText, "FIELD_MISSING", "looks like an S3 test event: a bucket's events were directed to " +
			"the file-received queue; they name no run: direct them elsewhere"},
		{"S3 in SNS", sns(s3Text), "FIELD_MISSING", "looks like an SNS notification, which contains an S3 event: " +
			noRun},
		{"EventBridge", bus(good), "FIELD_MISSING", "looks like an EventBridge event: " + path},
		{"EventBridge of EC2", bus(`{"instance-id": "i-1234567890abcdef0", "state": "terminated"}`), "FIELD_MISSING",
			"looks like an EventBridge event, which contains no correlation_id: " + nothing},
		{"S3 in EventBridge", s3BusText, "FIELD_MISSING",
			"looks like an EventBridge event, which contains an S3 event: " + noRun},
		{"EventBridge in SNS", sns(bus(good)), "FIELD_MISSING",
			"looks like an SNS notification, which contains an EventBridge event: " + raw + "; " + path},
		{"encoded twice", quoted(good), "NOT_AN_OBJECT", "looks like JSON that was encoded twice: " + once},
		{"encoded four times", quoted(quoted(quoted(good))), "NOT_AN_OBJECT",
			"looks like JSON that was encoded twice: " + once},
		{"SNS encoded twice", quoted(sns(good)), "NOT_AN_OBJECT",
			"looks like JSON that was encoded twice, which contains an SNS notification: " + once + "; " + raw},
		{"mark", "\ufeff" + good, "NOT_JSON", "looks like JSON with a byte order mark in front: " + noMark},
		{"marks", " \ufeff\ufeff" + good, "NOT_JSON", "looks like JSON with a byte order mark in front: " + noMark},
		{"mark before SNS", "\ufeff" + sns(good), "NOT_JSON",
			"looks like JSON with a byte order mark in front, which contains an SNS notification: " + noMark + "; " +
				raw},
		{"base64", base64.StdEncoding.EncodeToString([]byte(good)), "NOT_JSON",
			"looks like base64: send the JSON object itself"},

		// like nothing known
		{"prose after a mark", "\ufeffhello", "NOT_JSON", "the text is not valid JSON"},
		{"base64 of prose", "eWVzIHllcyE=", "NOT_JSON", "the text is not valid JSON"},
		{"a word", "eyes", "NOT_JSON", "the text is not valid JSON"},
		{"a string", `"hello"`, "NOT_AN_OBJECT", "the text is valid JSON but not an object"},
		{"a number in a string", `"1"`, "NOT_AN_OBJECT", "the text is valid JSON but not an object"},
		{"an empty string", `"\"\""`, "NOT_AN_OBJECT", "the text is valid JSON but not an object"},
		{"another Type", `{"Type":"Other","TopicArn":"arn","Message":"x"}`, "FIELD_MISSING", missing},
		{"another record", `{"Records":[{"eventSource":"aws:kinesis"}]}`, "NO_BODY", "the record has no body"},
		{"a message with fields of others", body("collection_name", "", "detail-type", `"x"`, "source", `"aws.s3"`,
			"Type", `"Notification"`, "TopicArn", `"arn"`, "eventSource", `"aws:s3"`), "FIELD_MISSING",
			"required field collection_name is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for where, input := range map[string]string{
				"a message": `[{"messageId":"m1","body":` + quoted(test.text) + `}]`,
				"a replay": `[{"messageId":"m0","body":` +
					quoted(`{"Records":[{"messageId":"m1","body":`+quoted(test.text)+`}]}`) + `}]`,
			} {
				receipts := snapshot.Unwrap([]byte(input), execution)
				if len(receipts) != 1 || receipts[0].Rejection == nil {
					t.Fatalf("%s: %+v", where, receipts)
				}
				got := receipts[0]
				if got.Rejection.Detail != test.detail || string(got.Rejection.Reason) != test.reason {
					t.Errorf("%s:\n%s\n%s: %s", where, got.Rejection, test.reason, test.detail)
				}
				if got.Message != (snapshot.Message{}) || !strings.HasPrefix(got.Identity, "m1") {
					t.Errorf("%s: %+v", where, got)
				}
			}
		})
	}
}

// A string within the body of a record is the message's, as the seed document says; it stays the only place.
func TestAnEscapedBodyIsNoOddBody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ body, is string }{
		{quoted(body()), "db.a.b"}, {quoted(quoted(body())), "NOT_AN_OBJECT"}, {quoted("\ufeff" + body()), "NOT_JSON"},
	} {
		record := `{"messageId":"m1","body":` + test.body + `}`
		for _, input := range []string{`{"Records":[` + record + `]}`, `[` + record + `]`} {
			if got := unwrap(input); len(got) != 1 || got[0].Is != test.is {
				t.Errorf("%s: %+v, want %s", input, got, test.is)
			}
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
	_, rejection := snapshot.ParseMessage([]byte(text))
	if rejection == nil {
		t.Fatal("not rejected")
	}
	detail := snapshot.Unwrap([]byte(text), execution)[0].Rejection.Detail
	if events := strings.Count(detail, "an EventBridge event"); events != 10 {
		t.Errorf("%d layers: %s", events, detail)
	}
}
