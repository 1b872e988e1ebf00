package snapshot_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
)

// streamRecord is Pipes' record of the export status table's stream, with these keys.
func streamRecord(keys string) string {
	return `{"eventID":"e1","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb",` +
		`"awsRegion":"eu-west-1",` +
		`"dynamodb":{"Keys":` + keys +
		`,"NewImage":{"CollectionStatus":{"S":"Sent"}},"StreamViewType":"NEW_AND_OLD_IMAGES"}}`
}

func streamKeys(collection string) string {
	return fmt.Sprintf(`{"CorrelationId":{"S":"r"},"CollectionName":{"S":%q}}`, collection)
}

func TestReconcilable(t *testing.T) {
	t.Parallel()
	message, long := `{"messageId":"m1","body":`+quoted(body())+`,"eventSource":"aws:sqs"}`, strings.Repeat("x", 2000)
	for _, test := range []struct {
		name  string
		input string
		want  []string // collections of run r; nil if the input is taken for messages
	}{
		{"a record of the stream", "[" + streamRecord(streamKeys("a")) + "]", []string{"a"}},
		{"several records", "[" + streamRecord(streamKeys("b")) + ", " + streamRecord(streamKeys("a")) + "]",
			[]string{"b", "a"}},
		{"a collection twice", "[" + streamRecord(streamKeys("a")) + "," + streamRecord(streamKeys("b")) + "," +
			streamRecord(streamKeys("a")) + "]", []string{"a", "b"}},
		{"a removal has no new image", `[{"eventName":"REMOVE","eventSource":"aws:dynamodb","dynamodb":{"Keys":` +
			streamKeys("a") + `}}]`, []string{"a"}},
		{"a request", `{"reconcile":[{"correlation_id":"r","collection_name":"a"}]}`, []string{"a"}},
		{"a request for several",
			` { "reconcile" : [ {"collection_name":"b","correlation_id":"r"}, {"correlation_id":"r",` +
				`"collection_name":"a"} ] } `, []string{"b", "a"}},
		{"a request that names one twice",
			`{"reconcile":[{"correlation_id":"r","collection_name":"a"},{"correlation_id":"r","collection_name":"a"}]}`,
			[]string{"a"}},
		{"a request with more fields",
			`{"why":"I ask","reconcile":[{"correlation_id":"r","collection_name":"a","x":1}]}`, []string{"a"}},

		{"a message", body(), nil},
		{"records of a queue", "[" + message + "]", nil},
		{"an envelope", `{"Records":[{"body":` + body() + `}]}`, nil},
		{"a message about a request", body("filename", `"reconcile"`), nil},
		{"a message with a field of that name", body("reconcile", `[{"correlation_id":"r","collection_name":"a"}]`),
			nil},
		{"a message that says where it is from", body("filename", `"aws:dynamodb"`), nil},
		{"records of a queue with the words in them",
			`[{"messageId":"aws:dynamodb","body":"\"reconcile\"","eventSource":"aws:sqs"}]`, nil},
		{"a record of a queue before one of the stream", "[" + message + "," + streamRecord(streamKeys("a")) + "]",
			nil},
		{"one record, not in an array", streamRecord(streamKeys("a")), nil},
		{"an array of something else", `["aws:dynamodb"]`, nil},
		{"an empty array", `[]`, nil},
		{"the word alone", `"reconcile"`, nil},
		{"the word in an array", `["reconcile"]`, nil},
		{"in another case", `{"RECONCILE":[{"correlation_id":"r","collection_name":"a"}]}`, nil},
		{"not JSON", `{"reconcile":[`, nil},
		{"not JSON, of the stream", `[{"eventSource":"aws:dynamodb"`, nil},
		{"nothing", ``, nil},
		{"null", `null`, nil},
		{"a long text", `"` + long + `"`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			keys, ok, err := snapshot.Reconcilable([]byte(test.input))
			if err != nil || ok != (test.want != nil) {
				t.Fatalf("ok %v, error %v", ok, err)
			}
			var got []string
			for _, key := range keys {
				if key.CorrelationID != "r" {
					t.Errorf("run %q", key.CorrelationID)
				}
				got = append(got, key.CollectionName)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An invalid request fails and names the error and the element.
func TestMalformedRequestsToReconcile(t *testing.T) {
	t.Parallel()
	good := `{"correlation_id":"r","collection_name":"a"}`
	request := func(list string) string { return `{"reconcile":` + list + `}` }
	for _, test := range []struct{ name, input, says string }{
		{"no list", request(good), `"reconcile" is not a list of at least one`},
		{"null", request(`null`), `"reconcile" is not a list of at least one`},
		{"a text", request(`"r/a"`), `"reconcile" is not a list of at least one`},
		{"an empty list", request(`[]`), `"reconcile" is not a list of at least one`},
		{"no collection", request(`[{"correlation_id":"r"}]`),
			`element 0 of "reconcile": required field collection_name is missing`},
		{"no run", request(`[{"collection_name":"a"}]`),
			`element 0 of "reconcile": required field correlation_id is missing`},
		{"a null among them", request(`[null]`), `element 0 of "reconcile" is not an object`},
		{"a text among them", request(`[` + good + `,"x"]`), `element 1 of "reconcile" is not an object`},
		{"a list among them", request(`[[` + good + `]]`), `element 0 of "reconcile" is not an object`},
		{"a number for an id", request(`[` + good + `,{"correlation_id":7,"collection_name":"a"}]`),
			`element 1 of "reconcile": `},
		{"a null for an id", request(`[{"correlation_id":null,"collection_name":"a"}]`),
			`required field correlation_id is null`},
		{"an empty name", request(`[{"correlation_id":"r","collection_name":""}]`), `collection_name`},
		{"a name that is too long", request(`[{"correlation_id":"r","collection_name":"` +
			strings.Repeat("x", snapshot.MaxCollectionName+1) + `"}]`), `collection_name`},

		{"a stream of another table", "[" + streamRecord(`{"PK":{"S":"run"},"SK":{"S":"r"}}`) + "]",
			"record 0 of the stream has no keys"},
		{"the second record is of another table", "[" + streamRecord(streamKeys("a")) + "," +
			streamRecord(`{"PK":{"S":"run"}}`) + "]", "record 1 of the stream has no keys"},
		{"a key of another type", "[" + streamRecord(`{"CorrelationId":{"N":"7"},"CollectionName":{"S":"a"}}`) + "]",
			"record 0 of the stream has no keys"},
		{"keys that are none", "[" + streamRecord(`"r/a"`) + "]", "of the stream has no keys"},
		{"a record without its part", `[{"eventSource":"aws:dynamodb"}]`, "record 0 of the stream has no keys"},
		{"a null after a record", "[" + streamRecord(streamKeys("a")) + ",null]", "record 1 of the stream has no keys"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			keys, _, err := snapshot.Reconcilable([]byte(test.input))
			var malformed *failure.Malformed
			if !errors.As(err, &malformed) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want it malformed, saying %q", err, test.says)
			}
			if keys != nil {
				t.Errorf("got %v with the error", keys)
			}
		})
	}
}
