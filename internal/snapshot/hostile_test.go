package snapshot_test

import (
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

// Hostile input is rejected, in bounds that follow from its size.

func TestDeepJSONIsRejected(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		strings.Repeat("[", 60_000),
		strings.Repeat("[", 60_000) + strings.Repeat("]", 60_000),
		strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
		body("x", strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)),
		strings.Repeat(`{"Records":[`, 6_000) + strings.Repeat("]}", 6_000),
	} {
		rejectsAs(t, piped("m1", text), snapshot.ReasonNotJSON, "not valid JSON", "m1", text)
	}
}

// repeated is a record so often.
func repeated(record string, n int) string {
	return strings.TrimSuffix(strings.Repeat(record+",", n), ",")
}

// There are as many receipts as records, and no more bytes than in the input.
func TestManyRejectedRecordsKeepTheirSize(t *testing.T) {
	t.Parallel()
	input := piped("m1", envelope(repeated("{}", snapshot.MaxRecords)))
	receipts := snapshot.Unwrap([]byte(input), execution)
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
	half := record("", envelope(repeated("{}", snapshot.MaxRecords/2)))
	for _, text := range []string{envelope(repeated("{}", snapshot.MaxRecords+1)), envelope(repeated("{}", 43_000)),
		envelope(half, half, half)} {
		rejectsAs(t, piped("m1", text), snapshot.ReasonTooManyRecords, "at most 3000", "m1", text)
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
	receipts := snapshot.Unwrap([]byte(piped("m1", envelope(repeated(shortest, n)))), execution)
	if len(receipts) != n || receipts[0].Rejection != nil || receipts[n-1].Rejection != nil {
		t.Errorf("of %d records, %d receipts, the first %v", n, len(receipts), receipts[0].Rejection)
	}
}
