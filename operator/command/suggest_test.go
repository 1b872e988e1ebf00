package command

import (
	"io"
	"strings"
	"testing"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
)

// What is suggested acts on the deployment that was asked about, however that was named.
func TestSuggestedCommandsNameTheDeployment(t *testing.T) {
	for line, want := range map[string]report.Command{
		"why run-1":                             "snapshot-status",
		"why run-1 --output json --color never": "snapshot-status",
		"--stack x-prod why run-1":              "snapshot-status --stack=x-prod",
		"why run-1 --region eu-west-1 --stack x-prod --profile it's": `snapshot-status --stack=x-prod --profile='it'\''s' --region=eu-west-1`,
		"runs --local": "snapshot-status --local",
		"reconcile run-1 --ledger-table ledger --state-machine arn:aws:states:eu-west-1:1:stateMachine:x": "snapshot-status --ledger-table=ledger --state-machine=arn:aws:states:eu-west-1:1:stateMachine:x",
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
