package command

import (
	"io"
	"strings"
	"testing"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
)

// Run ids, collections and files may look like flags.
func TestArgumentsThatBeginWithADash(t *testing.T) {
	t.Parallel()
	const run, collection = "-dash-1", "--yes"
	n := newTables(t)
	n.row(run, collection, "Sent", 2)
	n.arrive(run, collection, "-file")
	for _, line := range []string{"show -- " + run, "files -- " + run + " " + collection, "verify -- " + run,
		"reconcile -- " + run + " " + collection, "send --run=" + run + " --collection=" + collection + " --file=-file",
		"simulate --dry-run --run=" + run, "show --match=--y -- " + run} {
		got := n.says("", strings.Fields(line)...)
		if got.code != exitOK && got.code != exitNotDone ||
			!strings.Contains(got.out, run) && !strings.Contains(got.out, collection) && line[:5] != "files" {
			t.Errorf("%q: %+v", line, got)
		}
	}
	if got := n.says("", "watch", "--lines", "--", "-gone"); !strings.Contains(got.err, `"-gone"`) {
		t.Errorf("watch: %+v", got)
	}
	if got := n.says("", "show", run); got.code != exitUsage || !strings.Contains(got.err, "after --") {
		t.Errorf("without --: %+v", got)
	}
}

// A value that names nothing is refused, and says which it is, before anything is done.
func TestValuesThatNameNothing(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.row("caf\ufffd", "db.a", "Sent", 2) // what "caf\xe9" would become on its way
	for want, line := range map[string][]string{
		"argument run is empty": {"show", ""},
		"--run is empty":        {"rejected", "delete", "--run=", "--yes"},
		"the reason is empty: say why the run will not finish": {"abandon", "run", "--reason= ", "--yes"},
		"--stack is empty":                                         {"--stack", "", "runs"},
		"argument collection is empty":                             {"reconcile", "run", "db.a", ""},
		`an argument is not UTF-8: caf\xe9`:                        {"show", "caf\xe9"},
		"argument run has 2049 bytes; the maximum is 2048":         {"watch", "--wait", strings.Repeat("x", 2049)},
		"argument collection has 1025 bytes":                       {"why", "run", strings.Repeat("x", 1025)},
		`unknown flag --\u001b[2J`:                                 {"show", "--\x1b[2J"},
		"write an argument that begins with a dash last, after --": {"show", "-dash-1"},
	} {
		if got := n.says("", line...); got.code != exitUsage || got.out != "" || !strings.Contains(got.err, want) ||
			strings.Count(got.err, "\n") != 1 {
			t.Errorf("%q: %+v, want %s", line, got, want)
		}
	}
	if got := n.says("", "complete-words", "--", "show", ""); got.code != exitOK {
		t.Errorf("completion: %+v", got)
	}
}

// The state of a run is shown with its odd statuses quoted, and they can be asked for as they are shown.
func TestOddStatuses(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.row("run", "db.blank", "Sent ", 1)
	n.row("run", "db.plain", "SENT", 1)
	n.arrive("run", "db.plain", "file")
	for _, line := range []string{"show run", "why run", "why run db.blank"} {
		got := n.says("", strings.Fields(line)...)
		if !strings.Contains(got.out, `"Sent "`) || strings.Contains(got.out, `"SENT"`) {
			t.Errorf("%s: %s", line, got.out)
		}
	}
	for _, status := range []string{"Sent ", `"Sent "`} {
		if got := n.says("", "show", "run", "--status", status); !strings.Contains(got.out, "db.blank") ||
			strings.Contains(got.out, "db.plain") {
			t.Errorf("--status %q: %s", status, got.out)
		}
	}
}

// What is suggested acts on the deployment that was asked about, however that was named.
func TestSuggestedCommandsNameTheDeployment(t *testing.T) {
	for line, want := range map[string]report.Command{
		"why run-1":                             "snapshot-status",
		"why run-1 --output json --color never": "snapshot-status",
		"--stack x-prod why run-1":              "snapshot-status --stack=x-prod",
		"why run-1 --region eu-west-1 --stack x-prod --profile it's": `snapshot-status --stack=x-prod ` +
			`--profile='it'\''s' --region=eu-west-1`,
		"runs --local": "snapshot-status --local",
		"reconcile run-1 --ledger-table ledger --state-machine arn:x": "snapshot-status --ledger-table=ledger " +
			"--state-machine=arn:x",
	} {
		if got := parsed(t, line); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	t.Setenv("SNAPSHOT_STATUS_STACK", "x-env")
	if got := parsed(t, "why run-1"); got != "snapshot-status --stack=x-env" {
		t.Errorf("named by the environment: %s", got)
	}
	if got := suggestedAWS(deployment.Where{Profile: "a b", Region: "eu-west-1"},
		deployment.Deployment{}); got != "aws --profile='a b' --region=eu-west-1" {
		t.Error(got)
	}
}

func parsed(t *testing.T, line string) report.Command {
	t.Helper()
	parser, err := newParser(new(commands), io.Discard, io.Discard)
	if err == nil {
		_, err = parser.Parse(strings.Fields(line))
	}
	if err != nil {
		t.Fatal(err)
	}
	return suggested(parser.Model)
}
