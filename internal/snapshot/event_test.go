package snapshot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
)

// streamed is Pipes' array of records of the export status table's stream, with these keys.
func streamed(keys ...string) string {
	var records []string
	for _, key := range keys {
		records = append(records, `{"eventID":"e1","eventName":"MODIFY","eventSource":"aws:dynamodb",`+
			`"dynamodb":{"Keys":`+key+`,"NewImage":{"CollectionStatus":{"S":"Sent"}}}}`)
	}
	return "[" + strings.Join(records, ", ") + "]"
}

func streamKey(collection string) string {
	return fmt.Sprintf(`{"CorrelationId":{"S":"r"},"CollectionName":{"S":%q}}`, collection)
}

func TestReconcilable(t *testing.T) {
	t.Parallel()
	a, b := `{"correlation_id":"r","collection_name":"a"}`, `{"collection_name":"b","correlation_id":"r","x":1}`
	message, stream := `{"messageId":"m1","body":`+quoted(body())+`,"eventSource":"aws:sqs"}`, streamed(streamKey("a"))
	for _, test := range []struct {
		name  string
		input string
		want  []string // collections of run r; nil if the input is taken for messages
	}{
		{"records of the stream", streamed(streamKey("b"), streamKey("a"), streamKey("b")), []string{"b", "a"}},
		{"a removal has no new image", `[{"eventName":"REMOVE","eventSource":"aws:dynamodb","dynamodb":{"Keys":` +
			streamKey("a") + `}}]`, []string{"a"}},
		{"a request", ` { "reconcile" : [ ` + b + `, ` + a + `,` + b + `] ,"why":"I ask"} `, []string{"b", "a"}},

		{"a message", body(), nil},
		{"a message with a field of that name", body("reconcile", "["+a+"]"), nil},
		{"a message with the words in it", body("filename", `"\"reconcile\" \"aws:dynamodb\""`), nil},
		{"records of a queue", "[" + message + "]", nil},
		{"records of a queue with the words in them",
			`[{"messageId":"aws:dynamodb","body":"\"reconcile\"","eventSource":"aws:sqs"}]`, nil},
		{"a record of a queue before one of the stream", "[" + message + "," + stream[1:], nil},
		{"one record, not in an array", strings.Trim(stream, "[]"), nil},
		{"an array of something else", `["aws:dynamodb"]`, nil},
		{"an empty array", `[]`, nil},
		{"the word alone", `"reconcile"`, nil},
		{"in another case", `{"RECONCILE":["reconcile"]}`, nil},
		{"not JSON", `{"reconcile":[`, nil},
		{"not JSON, of the stream", `[{"eventSource":"aws:dynamodb"`, nil},
		{"nothing", ``, nil},
	} {
		var want []snapshot.CollectionKey
		for _, collection := range test.want {
			want = append(want, snapshot.CollectionKey{CorrelationID: "r", CollectionName: collection})
		}
		keys, ok, err := snapshot.Reconcilable([]byte(test.input))
		if diff := cmp.Diff(want, keys); diff != "" || err != nil || ok != (want != nil) {
			t.Errorf("%s: ok %v, error %v, %s", test.name, ok, err, diff)
		}
	}
}

// An invalid request fails and names the error and the element.
func TestMalformedRequestsToReconcile(t *testing.T) {
	t.Parallel()
	good, noList := `{"correlation_id":"r","collection_name":"a"}`, `"reconcile" is not a list of at least one`
	request := func(list string) string { return `{"reconcile":` + list + `}` }
	for input, says := range map[string]string{
		request(good):                       noList,
		request(`null`):                     noList,
		request(`"r/a"`):                    noList,
		request(`[]`):                       noList,
		request(`[null]`):                   `element 0 of "reconcile" is not an object`,
		request(`[` + good + `,"x"]`):       `element 1 of "reconcile" is not an object`,
		request(`[{"correlation_id":"r"}]`): `element 0 of "reconcile": required field collection_name is missing`,
		request(`[` + good + `,{"correlation_id":7,"collection_name":"a"}]`): `element 1 of "reconcile": `,
		request(`[{"correlation_id":null,"collection_name":"a"}]`):           `required field correlation_id is null`,
		request(`[{"correlation_id":"r","collection_name":""}]`):             `collection_name is empty`,
		request(`[{"correlation_id":"r","collection_name":"` + strings.Repeat("x", snapshot.MaxCollectionName+1) +
			`"}]`): `collection_name has 1025 bytes`,
		`{"reconcile":[` + good + `],"reconcile":[]}`: `key reconcile occurs 2 times`,
		request(`[{"correlation_id":"s",` + good[1:] +
			`]`): `element 0 of "reconcile": key correlation_id occurs 2 times`,

		streamed(`{"PK":{"S":"run"},"SK":{"S":"r"}}`): "record 0 of the " +
			"stream has no keys",
		streamed(streamKey("a"),
			`{"CorrelationId":{"S":"r"}}`): "record 1 of the stream has no keys",
		streamed(`{"CorrelationId":{"N":"7"},"CollectionName":{"S":"a"}}`): "record 0 of the " +
			"stream has no keys",
		streamed(streamKey("a"),
			`"r/a"`): "record 1 of the stream has no keys",
		strings.TrimSuffix(streamed(streamKey("a")), "]") +
			",null]": "record 1 of the stream has no keys",
		`[{"eventSource":"aws:dynamodb","dynamodb":{"Keys":` + streamKey("a") +
			`,"Keys":7}}]`: "record 0 of the stream has no keys",
	} {
		keys, ok, err := snapshot.Reconcilable([]byte(input))
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), says) || keys != nil || !ok {
			t.Errorf("%s: got %v, %v and %v, want a malformed request, saying %q", input, keys, ok, err, says)
		}
	}
}

// A request of any names fits into an execution's input, 256 KiB; see Requests.
func TestRequests(t *testing.T) {
	t.Parallel()
	short := snapshot.CollectionKey{CorrelationID: "r", CollectionName: "a"}
	longest := snapshot.CollectionKey{CorrelationID: strings.Repeat("\x01", snapshot.MaxCorrelationID),
		CollectionName: strings.Repeat("\x01", snapshot.MaxCollectionName)}
	for _, test := range []struct {
		key         snapshot.CollectionKey
		collections int
		want        []int // collections of each request
	}{
		{short, 0, nil}, {short, 1, []int{1}}, {short, 100, []int{100}}, {short, 203, []int{100, 100, 3}},
		{longest, 27, []int{13, 13, 1}},
	} {
		var got []int
		for _, keys := range snapshot.Requests(slices.Repeat([]snapshot.CollectionKey{test.key}, test.collections)) {
			got = append(got, len(keys))
			text, err := json.Marshal(map[string]any{"reconcile": keys})
			if err != nil || len(text) > 256*1024 {
				t.Errorf("a request of %d collections has %d bytes, %v", len(keys), len(text), err)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%d collections: %s", test.collections, diff)
		}
	}
}
