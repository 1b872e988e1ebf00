package report_test

import (
	"testing"

	"snapshot-status-checker/operator/report"
)

// What a known system writes is shown as it is spelled, everything else in quotes.
func TestStatusName(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		"Sent": "Sent", "SENT": "SENT", "export_failed": "export_failed", "Blocked_Topic": "Blocked_Topic",
		"success": "success",
		"":        `""`, "Sent ": `"Sent "`, " Sent": `" Sent"`, "Sent\t": `"Sent\t"`, "Paused": `"Paused"`,
		`a"b`:        `"a\"b"`,
		"Sent\u200b": `"Sent\u200b"`, "Sent\ufe0f": `"Sent\ufe0f"`, "Sent\u00a0": `"Sent\u00a0"`,
	} {
		if got := report.StatusName(status); got != want {
			t.Errorf("%q: %s, want %s", status, got, want)
		}
	}
}
