package command

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/show"
	"snapshot-status-checker/test/scenario"
)

// suggestedIn finds the commands in a text: each is at the end of a line.
func suggestedIn(text string) (commands []string) {
	for line := range strings.SplitSeq(text, "\n") {
		for _, before := range []string{": snapshot-status ", "next: snapshot-status "} {
			if at := strings.Index(line, before); at >= 0 {
				commands = append(commands, line[at+len(before)-len("snapshot-status "):])
				break
			}
		}
	}
	return commands
}

// Suggested commands can be pasted, whatever the names of runs, collections, messages and deployments are.
func TestSuggestionsArrive(t *testing.T) {
	t.Parallel()
	for name, id := range operatortest.Hostile {
		if id == "" || strings.Contains(id, "list them") || strings.Contains(id, "snapshot-status") {
			// no key is empty; the others look like the text around a suggestion, which the report's test tells apart
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTables(t)
			n.row(id, id, "Sent", 3)
			n.arrive(id, id, id)
			n.row(id, id+"x", "Blocked_Topic", 0)
			n.row(id, id+"y", "Received", 2)
			n.abandoned("gone" + id)
			var said strings.Builder
			for _, line := range [][]string{{"why", "--", id}, {"why", "--", id, id}, {"why", "--", id, "none"},
				{"why", "--", "gone" + id}, {"pending", "--", "gone" + id}} {
				got := n.says("", line...)
				said.WriteString(got.out + got.err)
			}
			said.WriteString((&services{}).says(n, "", nil, "reconcile", "--yes", "--", id).out)
			simulation{Shape: scenario.Shape{Run: id, Collections: 2}}.printEnd(show.Printer{Out: &said},
				(&app{}).command.Do("why", id))
			commands := suggestedIn(said.String())
			calls := operatortest.Pasted(t, commands...)
			if len(calls) != len(commands) || len(calls) < 10 {
				t.Errorf("%d calls of %q", len(calls), commands)
			}
			for _, arguments := range calls {
				if arguments[0] != "pending" && !operatortest.Names(arguments, id) &&
					!operatortest.Names(arguments, "gone"+id) {
					t.Errorf("not about run %q: %q", id, arguments)
				}
			}
			wantCalls := func(want [][]string, lines ...string) {
				t.Helper()
				if diff := cmp.Diff(want, operatortest.Pasted(t, lines...)); diff != "" {
					t.Error(diff)
				}
			}
			wantCalls([][]string{{"--stack=" + id, "--profile=" + id, "runs"}},
				suggestedIn(n.says("", "--stack="+id, "--profile="+id, "show", "--", "none").err)...)

			likeAFlag := "-" + id + "x"
			_, flag, _ := strings.Cut(n.says("", "send", "--run", likeAFlag, "--collection", "db.a").err,
				"in one word: ")
			wantCalls([][]string{{"--run=" + likeAFlag}}, "snapshot-status "+strings.TrimSuffix(flag, "\n"))

			shown := []string{"rejected", "show", "--envelope", id}
			if strings.HasPrefix(id, "-") {
				shown = []string{"rejected", "show", "--envelope", "--", id}
			}
			_, both, _ := strings.Cut(tooLarge(id, id), "delete it here: ")
			wantCalls([][]string{shown, {"--profile=" + id, "--region=eu-west-1",
				"--endpoint-url=http://localhost:4566", "stepfunctions", "start-execution", "--state-machine-arn=arn:x",
				"--input=file://replay.json"}}, strings.Replace(both, "> replay.json", "> replay.json 2>&1", 1))
		})
	}
	// One of several messages with an identity is not handed over with a file that would hold all their envelopes.
	if got := tooLarge("x", "id", &rejected.Message{Identity: "id"}, &rejected.Message{Identity: "another"}); strings.
		Contains(got, "replay.json") || !strings.Contains(got, "2 messages have this identity") {
		t.Error(got)
	}
}

// tooLarge is what is suggested for a message that is too large to replay, in a queue with these others.
func tooLarge(profile, identity string, others ...*rejected.Message) string {
	a := &app{where: deployment.Where{Profile: profile, Region: "eu-west-1"},
		found: &deployment.Deployment{Local: true, Outputs: local.Outputs{StateMachineArn: "arn:x"},
			Config: aws.Config{BaseEndpoint: aws.String("http://localhost:4566")}}}
	message := &rejected.Message{Identity: identity}
	var h handled
	h.add([]rejected.Outcome{{Message: message, Err: &rejected.TooLargeError{Size: 2, Most: 1}}}, replayed, a,
		append(others, message))
	return h.Messages[0].Error
}
