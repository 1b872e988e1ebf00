package snapshot_test

import (
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

// An invalid messageId is rejected, not replaced: redelivered in another message, its record would count twice.
func TestInvalidIdentitiesAreRejected(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("i", snapshot.MaxIdentity+1)
	for value, says := range map[string]string{
		`4711`: "not a string", `{"S":"a"}`: "not a string", `["a"]`: "not a string", `false`: "not a string",
		`"a\ud800"`: "U+FFFD", `"\udc00\ud800"`: "U+FFFD", `"a\ufffd"`: "U+FFFD", "\"\ufffd\"": "U+FFFD",
		`""`: `is ""`, `" \t"`: `is " \t"`, `"null"`: `is "null"`,
		quoted(long): "513 bytes, at most 512", quoted(strings.Repeat("é", 257)): "514 bytes, at most 512",
	} {
		for _, body := range []string{body(), quoted(body()), `null`, `7`} {
			record := `{"messageId":` + value + `,"body":` + body + `}`
			replayed := `{"messageId":"m1/0","body":` + quoted(record) + `}`
			for input, identity := range map[string]string{envelope(record): execution + "/0",
				piped("m1", envelope(record)): "m1/0", "[" + record + "]": execution + "/0",
				envelope(replayed): "m1/0"} {
				rejectsAs(t, input, snapshot.ReasonIdentityInvalid, says, identity, record)
			}
		}
	}
}

// Absent and null are unset: the record's identity is the outer one with its index.
func TestUnsetIdentities(t *testing.T) {
	t.Parallel()
	for _, record := range []string{`{"body":` + body() + `}`, `{"messageId":null,"body":` + body() + `}`} {
		for input, want := range map[string]string{
			"[" + record + "]":                      execution + "/0",
			envelope("7", record):                   execution + "/1",
			piped("m1", envelope("7", record, "7")): "m1/1",
			envelope(`{"messageId":"m2","body":` + quoted(envelope("7", record)) + `}`): "m2/1",
			envelope(`{"messageId":"own","body":` + quoted(record) + `}`):               "own",
		} {
			var counted []string
			for _, s := range unwrap(input) {
				if s.Is == "db.a.b" {
					counted = append(counted, s.Identity)
				}
			}
			if len(counted) != 1 || counted[0] != want {
				t.Errorf("%s: %q, want %q", input, counted, want)
			}
		}
	}
}

// Every identity can be replayed: one at the limit counts, and an envelope whose records' identities would be too long
// is rejected whole under its own.
func TestIdentitiesLeaveRoomForAnIndex(t *testing.T) {
	t.Parallel()
	own := strings.Repeat("i", snapshot.MaxIdentity)
	for _, test := range []struct{ identity, body, want string }{
		{own, body(), "db.a.b"}, {own[2:], enveloped(body(), 1), "db.a.b"},
		{own[1:], enveloped(body(), 1), "IDENTITY_INVALID"}, {own, enveloped(body(), 1), "IDENTITY_INVALID"},
	} {
		got := unwrap(envelope(record(test.identity, test.body)))
		if len(got) != 1 || got[0].Is != test.want || len(got[0].Identity) > snapshot.MaxIdentity ||
			!strings.HasPrefix(got[0].Identity, test.identity) {
			t.Errorf("%d bytes: %+v, want %s", len(test.identity), got, test.want)
		}
	}
}
