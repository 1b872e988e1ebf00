package snapshot_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// An invalid messageId is rejected, not replaced: redelivered in another message, its record would count twice.
func TestInvalidIdentitiesAreRejected(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("i", snapshot.MaxIdentity+1)
	for name, test := range map[string]struct{ value, says string }{
		"number": {`4711`, "not a string"}, "object": {`{"S":"a"}`, "not a string"}, "array": {`["a"]`, "not a string"},
		"bool": {`true`, "not a string"}, "false": {`false`, "not a string"},
		"half a character": {`"a\ud800"`, "U+FFFD"}, "the other half": {`"\uDC00"`, "U+FFFD"},
		"halves in the wrong order": {`"\udc00\ud800"`, "U+FFFD"},
		"replaced before":           {`"a\ufffd"`, "U+FFFD"}, "replaced before, as it is": {"\"\ufffd\"", "U+FFFD"},
		"empty": {`""`, `is ""`}, "white space": {`" \t"`, `is " \t"`}, "null as text": {`"null"`, `is "null"`},
		"too long": {`"` + long + `"`, "513 bytes, at most 512"}, "too long in bytes": {`"` + strings.Repeat("é", 257) +
			`"`, "514 bytes, at most 512"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{body(), quoted(body()), `null`, `7`} {
				record := `{"messageId":` + test.value + `,"body":` + body + `}`
				envelope := `{"Records":[` + record + `]}`
				rejectedAs(t, envelope, snapshot.ReasonIdentityInvalid, test.says, execution+"/0", record)
				rejectedAs(t, `[{"messageId":"m1","body":`+quoted(envelope)+`}]`, snapshot.ReasonIdentityInvalid,
					test.says, "m1/0", record)
				// By hand in Pipes' format, and replayed after its rejection.
				rejectedAs(t, `[`+record+`]`, snapshot.ReasonIdentityInvalid, test.says, execution+"/0", record)
				rejectedAs(t, `{"Records":[{"messageId":"m1/0","body":`+quoted(record)+`}]}`,
					snapshot.ReasonIdentityInvalid, test.says, "m1/0", record)
			}
		})
	}
}

// Absent and null are unset: the record's identity is the outer one with its index.
func TestUnsetIdentities(t *testing.T) {
	t.Parallel()
	for _, own := range []string{``, `"messageId":null,`} {
		record := `{` + own + `"body":` + body() + `}`
		for input, want := range map[string]string{
			`{"Records":[{"body":7},` + record + `]}`: execution + "/1",
			`[` + record + `]`:                        execution + "/0",
			`[{"messageId":"m1","body":` + quoted(`{"Records":[`+record+`]}`) + `}]`:              "m1/0",
			`{"Records":[{"messageId":"m2","body":` + quoted(`{"Records":[`+record+`]}`) + `}]}`:  "m2/0",
			`[{"messageId":"m1","body":` + quoted(`{"Records":[{"body":7},`+record+`,7]}`) + `}]`: "m1/1",
			`{"Records":[{"messageId":"own","body":` + quoted(record) + `}]}`:                     "own",
		} {
			var counted []string
			for _, r := range snapshot.Unwrap([]byte(input), execution) {
				if r.Rejection == nil {
					counted = append(counted, r.Identity)
				}
			}
			if diff := cmp.Diff([]string{want}, counted); diff != "" {
				t.Errorf("%s: %s", input, diff)
			}
		}
	}
}

// Other records count, and their indexes do not change.
func TestRecordsBesideAnInvalidIdentity(t *testing.T) {
	t.Parallel()
	a := body("collection_name", `"a"`)
	records := `[{"body":` + a + `},{"messageId":7,"body":` + a + `},{"messageId":"own","body":` + a + `},{"body":` +
		a + `}]`
	for _, input := range []string{records, `{"Records":` + records + `}`} {
		var got []string
		for _, s := range unwrap(input) {
			got = append(got, strings.TrimPrefix(s.Identity, execution)+" "+s.Is)
		}
		if diff := cmp.Diff([]string{"/0 a", "/1 IDENTITY_INVALID", "own a", "/3 a"}, got); diff != "" {
			t.Error(diff)
		}
	}
}

// Every identity can be replayed: an envelope whose records' identities would be too long is rejected whole under its
// own.
func TestIdentitiesLeaveRoomForAnIndex(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		length int
		want   string
	}{
		{snapshot.MaxIdentity - 2, "db.a.b"}, {snapshot.MaxIdentity - 1, "IDENTITY_INVALID"},
		{snapshot.MaxIdentity, "IDENTITY_INVALID"},
	} {
		own := strings.Repeat("i", test.length)
		inner := `{"messageId":"` + own + `","body":{"Records":[{"body":` + body() + `}]}}`
		got := unwrap(`{"Records":[` + inner + `]}`)
		if len(got) != 1 || got[0].Is != test.want || len(got[0].Identity) > snapshot.MaxIdentity ||
			!strings.HasPrefix(got[0].Identity, own) {
			t.Errorf("%d bytes: %+v", test.length, got)
		}
	}
}
