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

// Suggested commands can be pasted, whatever the names of runs and collections are.
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
			reconciled := (&services{}).says(n, "", nil, "reconcile", "--yes", "--", id)
			shape := scenario.Shape{Run: id, Collections: 2}
			simulation{Shape: shape}.printEnd(show.Printer{Out: &said}, (&app{}).command.Do("why", id))
			commands := suggestedIn(said.String() + reconciled.out)
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
		})
	}
}

// A message that does not fit is handed to the state machine with two commands, of which the first names it.
func TestSuggestionForATooLargeMessageArrives(t *testing.T) {
	t.Parallel()
	for name, id := range operatortest.Hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &app{where: deployment.Where{Profile: id, Region: "eu-west-1"},
				found: &deployment.Deployment{Local: true, Outputs: local.Outputs{StateMachineArn: "arn:x"},
					Config: aws.Config{BaseEndpoint: aws.String("http://localhost:4566")}}}
			var h handled
			h.add([]rejected.Outcome{{Message: &rejected.Message{Identity: id}, Err: &rejected.TooLargeError{Size: 2,
				Most: 1}}}, replayed, a, nil)
			_, command, _ := strings.Cut(h.Messages[0].Error, "delete it here: ")
			calls := operatortest.Pasted(t, strings.Replace(command, "> replay.json", "> replay.json 2>&1", 1))
			want := []string{"stepfunctions", "start-execution", "--state-machine-arn=arn:x",
				"--input=file://replay.json"}
			if id != "" {
				want = append([]string{"--profile=" + id}, "--region=eu-west-1", "--endpoint-url=http://localhost:4566",
					want[0], want[1], want[2], want[3])
			} else {
				want = append([]string{"--region=eu-west-1", "--endpoint-url=http://localhost:4566"}, want...)
			}
			if len(calls) != 2 || !operatortest.Names(calls[0], id) {
				t.Fatalf("%q: %q", command, calls)
			}
			if diff := cmp.Diff(want, calls[1]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// One of several messages with an identity is not handed over with a file that would hold all their envelopes.
func TestSuggestionForTooLargeMessagesOfOneIdentity(t *testing.T) {
	t.Parallel()
	one, other := &rejected.Message{Identity: "id"}, &rejected.Message{Identity: "id"}
	var h handled
	h.add([]rejected.Outcome{{Message: one, Err: &rejected.TooLargeError{Size: 2, Most: 1}}}, replayed,
		&app{found: &deployment.Deployment{}}, []*rejected.Message{one, other, {Identity: "another"}})
	got := h.Messages[0].Error
	if !strings.Contains(got, "2 messages have this identity") || strings.Contains(got, "replay.json") {
		t.Error(got)
	}
}

// The flags that named the deployment arrive too.
func TestSuggestedFlagsArrive(t *testing.T) {
	t.Parallel()
	for name, id := range operatortest.Hostile {
		if id == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newTables(t).says("", "--stack="+id, "--profile="+id, "show", "--", "none")
			want := [][]string{{"--stack=" + id, "--profile=" + id, "runs"}}
			if diff := cmp.Diff(want, operatortest.Pasted(t, suggestedIn(got.err)...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A value that was taken for a flag is suggested in one word with its own.
func TestSuggestedValueArrives(t *testing.T) {
	t.Parallel()
	for name, id := range operatortest.Hostile {
		if !strings.HasPrefix(id, "-") || id == "-" {
			id = "-" + id + "x"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newTables(t).says("", "send", "--run", id, "--collection", "db.a")
			_, flag, found := strings.Cut(strings.TrimSuffix(got.err, "\n"), "in one word: ")
			if got.code != exitUsage || !found {
				t.Fatal(got)
			}
			calls := operatortest.Pasted(t, "snapshot-status "+flag)
			if diff := cmp.Diff([][]string{{"--run=" + id}}, calls); diff != "" {
				t.Error(diff)
			}
		})
	}
}
