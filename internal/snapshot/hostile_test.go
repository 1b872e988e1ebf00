package snapshot_test

import (
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

// What somebody sends who means harm: it comes back as rejected, in bounds that follow from its size.

func TestDeepJSONIsRejected(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"arrays": strings.Repeat("[", 60_000), "closed arrays": strings.Repeat("[", 60_000) + strings.Repeat("]", 60_000),
		"objects":       strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
		"unknown field": body("x", strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)),
		"envelopes":     strings.Repeat(`{"Records":[`, 6_000) + strings.Repeat("]}", 6_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receipts := snapshot.Unwrap([]byte(`[{"messageId":"m1","body":`+quoted(text)+`}]`), execution)
			if len(receipts) != 1 {
				t.Fatalf("%d receipts", len(receipts))
			}
			rejectedFor(t, receipts[0].Rejection, snapshot.ReasonNotJSON, "not valid JSON")
			if receipts[0].Raw != text {
				t.Error("its text is not kept as it came")
			}
		})
	}
}

// As many receipts as records, and no more bytes kept than came in.
func TestManyRecordsAreKeptInTheirSize(t *testing.T) {
	t.Parallel()
	const records = 40_000
	text := `{"Records":[` + strings.Repeat("{},", records-1) + `{}]}`
	receipts := snapshot.Unwrap([]byte(`[{"messageId":"m1","body":`+quoted(text)+`}]`), execution)
	if len(receipts) != records {
		t.Fatalf("%d receipts", len(receipts))
	}
	kept := 0
	for _, r := range receipts {
		rejectedFor(t, r.Rejection, snapshot.ReasonNoBody, "no body")
		kept += len(r.Raw)
	}
	if kept > len(text) {
		t.Errorf("%d bytes came in, and %d are kept", len(text), kept)
	}
}
