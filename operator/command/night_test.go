package command

import (
	"strings"
	"testing"

	"snapshot-status-checker/operator/report"
)

// The example of docs/snapshot-status.md: a run with a late, a blocked, an incomplete and a failing collection and
// rejected messages is repaired with commands; only rows are set by hand.
func TestANight(t *testing.T) {
	s := deployed(t)
	simulated := s.says("simulate", "--yes-really", "--run", "night", "--collections", "6", "--files", "4",
		"--late-sent", "1",
		"--missing", "1", "--blocked", "1", "--failing", "1", "--malformed", "2", "--duplicates", "0.2", "--seed", "7")
	if simulated.code != exitOK || !strings.Contains(simulated.out, "3 of 6 collections are successful") {
		t.Fatalf("%+v", simulated)
	}
	why := s.says("why", "night")
	for _, sentence := range []string{"in the rejected-messages queue", "status Blocked_Topic is final",
		"waits for files: 3 of 4",
		"FilesSent is a string, not a whole number", "rejected replay --yes --run=night --reason=NOT_COUNTED"} {
		if !strings.Contains(why.out, sentence) {
			t.Errorf("why does not say %q:\n%s", sentence, why.out)
		}
	}
	incomplete, blocked, failing := named(t, simulated.out, "lacks a file:"), named(t, simulated.out, "blocked:"),
		named(t, simulated.out, "bad row:")
	if files := s.says("files", "night", incomplete); strings.Count(files.out, ".txt.gz.enc") != 3 {
		t.Errorf("files: %+v", files)
	}
	s.send("night", incomplete, "the-lost-one")
	s.row("night", failing, "Sent", "4")
	s.succeeds("rejected", "replay", "--run", "night", "--reason", "NOT_COUNTED", "--yes")
	for _, name := range []string{incomplete, failing} {
		s.untilWaits("night", name, report.ForSuccessFile)
		s.send("night", name, "_success")
		s.untilWaits("night", name, report.ForNothing)
	}
	s.row("night", blocked, "Success", "")
	s.succeeds("reconcile", "night", "--yes")
	watched := s.succeeds("watch", "night", "--lines", "--every", "100ms")
	if !strings.Contains(watched.out, "successful: 6 of 6 collections received, 6 successful, 20 of 20 files") {
		t.Errorf("%+v", watched)
	}
}

// named finds the collection that simulate names so.
func named(t *testing.T, out, as string) string {
	t.Helper()
	_, rest, found := strings.Cut(out, as)
	if !found {
		t.Fatalf("no %q in:\n%s", as, out)
	}
	return strings.Fields(rest)[0]
}
