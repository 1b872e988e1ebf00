package snapshot_test

import (
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

// Hostile input is rejected, in bounds that follow from its size.

func TestDeepJSONIsRejected(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"arrays": strings.Repeat("[", 60_000), "closed arrays": strings.Repeat("[", 60_000) +
			strings.Repeat("]", 60_000),
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
				t.Error("its raw text has changed")
			}
		})
	}
}

// records is an envelope with this number of records.
func records(n int, record string) []byte {
	text := `{"Records":[` + strings.TrimSuffix(strings.Repeat(record+",", n), ",") + `]}`
	return []byte(`[{"messageId":"m1","body":` + quoted(text) + `}]`)
}

// There are as many receipts as records, and no more bytes than in the input.
func TestManyRejectedRecordsKeepTheirSize(t *testing.T) {
	t.Parallel()
	input := records(snapshot.MaxRecords, "{}")
	receipts := snapshot.Unwrap(input, execution)
	if len(receipts) != snapshot.MaxRecords {
		t.Fatalf("%d receipts", len(receipts))
	}
	raw := 0
	for _, r := range receipts {
		rejectedFor(t, r.Rejection, snapshot.ReasonNoBody, "no body")
		raw += len(r.Raw)
	}
	if raw > len(input) {
		t.Errorf("%d bytes of input became %d", len(input), raw)
	}
}

// Beyond the limit an envelope is one rejected message with its raw text; nested envelopes count too.
func TestTooManyRecordsAreRejectedAsOne(t *testing.T) {
	t.Parallel()
	half := `{"body":{"Records":[` + strings.Repeat("{},", snapshot.MaxRecords/2-1) + "{}]}}"
	for name, input := range map[string][]byte{
		"one too many":     records(snapshot.MaxRecords+1, "{}"),
		"as many as fit":   records(43_000, "{}"),
		"within envelopes": records(3, half),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receipts := snapshot.Unwrap(input, execution)
			if len(receipts) != 1 {
				t.Fatalf("%d receipts", len(receipts))
			}
			rejectedFor(t, receipts[0].Rejection, snapshot.ReasonTooManyRecords, "at most 3000")
			if receipts[0].Identity != "m1" || !strings.HasPrefix(receipts[0].Raw, `{"Records":[`) {
				t.Errorf("rejected as %s: %.30s", receipts[0].Identity, receipts[0].Raw)
			}
		})
	}
}

// The limit rejects no valid envelope that a pipe can deliver (256 KiB): fewer of the shortest valid records fit.
func TestRecordLimitRefusesNoGoodEnvelope(t *testing.T) {
	t.Parallel()
	shortest := `{"body":{"correlation_id":"a","collection_name":"b","snapshot_type":"c","export_date":"d"}}`
	const payload = 256 * 1024
	n := payload / (len(shortest) + len(","))
	if n >= snapshot.MaxRecords {
		t.Errorf("%d good records fit into a payload", n)
	}
	receipts := snapshot.Unwrap(records(n, shortest), execution)
	if len(receipts) != n || receipts[0].Rejection != nil || receipts[n-1].Rejection != nil {
		t.Errorf("of %d records, %d receipts, the first %v", n, len(receipts), receipts[0].Rejection)
	}
}
