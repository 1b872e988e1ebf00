package command

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/operator/report"
)

// What would be sent is what the golden files hold. Nothing needs to be deployed for it.
func TestSendingCommands(t *testing.T) {
	t.Parallel()
	const message = `{"correlation_id": "run-1", "collection_name": "db.core.one", "snapshot_type": "full", ` +
		`"export_date": "2026-11-22"}`
	for name, test := range map[string]struct{ in, line string }{
		"send-dry":      {"", "send --run run-1 --collection db.core.one --file a-001"},
		"send-dry.json": {"", "send --run run-1 --collection db.core.one --file a-001 --output json"},
		"send-success": {"",
			"send --run run-1 --collection db.core.one --success --export-date NIFI_HEARTBEAT --snapshot-type " +
				"incremental"},
		"send-nameless":      {"", "send --run run-1 --collection db.core.one"},
		"send-nameless.json": {"", "send --run run-1 --collection db.core.one --output json"},
		"send-identity":      {message, "send --from - --identity id-1"},
		"send-envelope": {`{"Records": [{"body": ` + message + `}, {"body": {"correlation_id": 7}}]}`,
			"send --from -"},
		"send-refused":      {`{"correlation_id": "run-1"}`, "send --from - --yes"},
		"send-refused.json": {`{"correlation_id": "run-1"}`, "send --from - --yes --output json"},
		"send-as-is":        {"oh", "send --from - --as-is"},
		"send-what":         {"", "send"},
		"send-both":         {"", "send --from - --run run-1"},
		"send-no-file":      {"", "send --from /does/not/exist"},
		"send-no-run":       {"", "send --collection db.core.one"},

		"simulate-dry": {"",
			"simulate --run run-1 --seed 7 --collections 9 --files 4 --duplicates 0.1 --malformed 2 --late-sent 1 " +
				"--missing 1 --failing 1 --blocked 5 --dry-run"},
		"simulate-dry.json": {"",
			"simulate --run run-1 --seed 7 --collections 9 --files 4 --duplicates 0.1 --malformed 2 --late-sent 1 " +
				"--missing 1 --failing 1 --blocked 5 --dry-run --output json"},
		"simulate-plain":     {"", "simulate --run run-1 --seed 1 --dry-run"},
		"simulate-too-small": {"", "simulate --run run-1 --collections 2 --missing 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := newTables(t).says(test.in, strings.Fields(test.line)...)
			text := fmt.Sprintf("$ snapshot-status %s\n%s", test.line, said.out)
			if said.err != "" {
				text += "[to standard error] " + said.err
			}
			golden(t, name, text+fmt.Sprintf("[exit code %d]\n", said.code))
			if strings.HasSuffix(name, ".json") {
				matchesSchema(t, strings.Fields(test.line)[0], said.out)
			}
		})
	}
}

// A run gets as far as it can: one collection blocked, one without its last file, the others successful. Of the missing
// file, sent by hand, it is seen that it was that. (A collection whose row cannot be read is in TestANight.)
func TestSimulateOnTheStack(t *testing.T) {
	s := deployed(t)
	line := []string{"simulate", "--run", "simulated", "--seed", "3", "--collections", "4", "--files", "3",
		"--duplicates", "0.3",
		"--malformed", "4", "--late-sent", "1", "--missing", "1", "--blocked", "1", "--output", "json"}
	if got := s.says(line...); got.code != exitFailed || !strings.Contains(got.err, "--yes-really") {
		t.Fatalf("outside of the local stack: %+v", got)
	}
	foreign := append(line, "--yes-really", "--export-status-table", s.Outputs.LedgerTableName+"-of-another-system")
	if got := s.says(foreign...); got.code != exitFailed || !strings.Contains(got.err, "was not created by the stack") {
		t.Fatalf("with another system's table: %+v", got)
	}
	got := s.says(append(line, "--yes-really")...)
	var played simulation
	if err := json.Unmarshal([]byte(got.out), &played); err != nil || got.code != exitOK {
		t.Fatalf("%v: %+v", err, got)
	}
	matchesSchema(t, "simulate", got.out)
	if !played.Finished || played.Successful != 2 || played.Answered != 2 || len(played.Missing) != 1 {
		t.Errorf("played %+v", played)
	}
	var run report.Run
	if err := json.Unmarshal([]byte(s.says("show", "simulated", "-o", "json").out), &run); err != nil {
		t.Fatal(err)
	}
	waits := map[string]report.WaitsFor{}
	for _, c := range run.Collections {
		waits[c.Collection] = c.WaitsFor
	}
	want := map[string]report.WaitsFor{played.Missing[0]: report.ForFiles, played.Blocked[0]: report.ForManualAction,
		played.LateSent[0]: report.ForNothing}
	for name, waitsFor := range waits {
		if _, named := want[name]; !named {
			want[name] = report.ForNothing
		} else if waitsFor == "" {
			t.Errorf("%s waits for %q", name, waitsFor)
		}
	}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.untilSays([]string{"FIELD_MISSING"}, "rejected", "list", "--run", "simulated")
	if got := s.says("verify", "simulated"); got.code != exitOK {
		t.Errorf("counted otherwise than once: %+v", got)
	}
	s.sendMissing(played)
}

// sendMissing sends the missing file of a simulated run, and sees that it was that.
func (s onStack) sendMissing(played simulation) {
	s.Helper()
	line := []string{"send", "--run", played.Shape.Run, "--collection", played.Missing[0], "--file", "late"}
	if got := s.says(line...); got.code != exitOK || !strings.Contains(got.out, "Would be sent") {
		s.Errorf("a dry run: %+v", got)
	}
	if got := s.succeeds(append(line, "--yes")...); !strings.Contains(got.out, "Sent as message") {
		s.Errorf("sending: %+v", got)
	}
	s.untilWaits(played.Shape.Run, played.Missing[0], report.ForSuccessFile)
}
