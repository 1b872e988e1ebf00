package command

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/live"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// Names with control sequences, marks that change the direction of text, and invisible characters.
const (
	hostileRun        = "run\x1b]0;title\a\u009b2J\u3164"
	hostileCollection = "db.core.\x1b[2Jone\r\nfake  Success\u202e\u200b\u2028\ufeff\U000e0041\x7f"
)

// hidden fails if a text holds what a person does not see, but for line ends and our own tones.
func hidden(t *testing.T, about any, text string) {
	t.Helper()
	rest := strings.NewReplacer("\x1b[31m", "", "\x1b[1;31m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[2m", "",
		"\x1b[m", "", "\x1b[0m", "", "\n", "").Replace(text)
	if strings.IndexFunc(rest, func(r rune) bool { return !show.Visible(r) }) >= 0 || strings.Contains(text, "\nfake") {
		t.Errorf("%q: %q", about, text)
	}
}

// Names come from messages and rows of other systems. A terminal shows them and interprets nothing in them, a line
// stays a line, and JSON has the exact names.
func TestTerminalObeysNothing(t *testing.T) {
	t.Parallel()
	const run, collection = hostileRun, hostileCollection
	n := newTables(t)
	n.row(run, collection, "Sent\x1b[8m\u009b", 5)
	n.arrive(run, collection, "file\x1b[1A\n\u202e", "file\x1b[1A\n\u202e")
	list := `{"collection": "other\u001b[2J", "file": "\u202e\u0007"}` + "\n" +
		`{"collection": "db.a\u200b", "file": "x"}`
	for _, command := range [][]string{{"runs"}, {"show", run}, {"why", run}, {"why", run, collection},
		{"files", run, collection}, {"pending", run}, {"reconcile", run}, {"verify", run}, {"show", "no" + run},
		{"verify", "--manifest", "-", run}, {"why", run, "no" + collection}, {"watch", "no" + run},
		{"send", "--run", run, "--collection", collection, "--file", "file" + run},
		{"send", "--from", "-", "--identity", run}, {"rejected", "list", "--reason", run}, {"--" + run},
		{"simulate", "--dry-run", "--run", run}, {"complete-words", "--", "show", ""}} {
		for _, flags := range [][]string{{"--color", "never"}, {"--color", "always"}, {"--output", "json"}} {
			args := append(append([]string{}, flags...), command...)
			said := n.says(list, args...)
			hidden(t, args, said.out+said.err)
			if flags[1] == "json" && said.out != "" && command[0] != "complete-words" {
				texts := textsIn(t, said.out)
				if command[0] != "send" && command[0] != "pending" && !texts[run] ||
					slices.Contains([]string{"show", "files"}, command[0]) && !texts[collection] {
					t.Errorf("%q: the names are not as they were: %v", args, texts)
				}
			}
		}
	}
}

// textsIn are all texts in JSON documents.
func textsIn(t *testing.T, documents string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case string:
			found[value] = true
		case []any:
			for _, one := range value {
				walk(one)
			}
		case map[string]any:
			for _, one := range value {
				walk(one)
			}
		}
	}
	for decoder := json.NewDecoder(strings.NewReader(documents)); decoder.More(); {
		var value any
		if err := decoder.Decode(&value); err != nil {
			t.Fatalf("%v: %s", err, documents)
		}
		walk(value)
	}
	return found
}

// Lines and JSON of watch are as safe.
func TestWatchObeysNothing(t *testing.T) {
	t.Parallel()
	for _, output := range []string{"text", "json"} {
		var out strings.Builder
		a := &app{out: &out, json: output == "json", now: time.Now}
		summary := report.Summary{Run: hostileRun, State: report.InProgress}
		before := report.Run{Summary: summary}
		after := report.Run{Summary: summary, Collections: []report.Collection{{Collection: hostileCollection,
			Status: "Sent\u009b"}}}
		line := live.Line{Run: &summary, Events: live.Events(before, after)}
		if err := a.writeLine(line); err != nil {
			t.Fatal(err)
		}
		hidden(t, output, out.String())
		if !strings.Contains(out.String(), `Sent\u009b`) && !strings.Contains(out.String(), `Sent\\u009b`) {
			t.Errorf("the status is missing: %s", out.String())
		}
		if output == "json" && !textsIn(t, out.String())[hostileCollection] {
			t.Errorf("the collection is not exact: %s", out.String())
		}
	}
}

// Rejected messages are shown as safely. An envelope is shown with escapes; an identity may begin with a dash.
func TestRejectedMessagesObeyNothing(t *testing.T) {
	t.Parallel()
	const identity = "-id\u202e\u009b2J"
	k := newQueues(t)
	text := string(must(json.Marshal(map[string]string{"correlation_id": hostileCollection,
		"collection_name": hostileRun, "snapshot_type": "full", "export_date": "2026-11-22",
		"filename": "a\u009b\u2028"})))
	k.reject(identity, text, snapshot.ReasonUnknownCollection, "no row for \u202e")
	for _, line := range [][]string{{"rejected", "list"}, {"rejected", "show", "--", identity},
		{"rejected", "show", "--envelope", "--", identity},
		{"rejected", "replay", "--", identity}, {"rejected", "delete", "--", identity},
		{"rejected", "show", "no" + identity}} {
		said := k.says("no\n", line...)
		hidden(t, line, said.out+said.err)
		if line[1] != "delete" {
			said = k.says("no\n", append([]string{"-o", "json"}, line...)...)
			hidden(t, line, said.out+said.err)
		}
	}
	shown := textsIn(t, k.says("", "rejected", "show", "-o", "json", "--", identity).out)
	envelope := textsIn(t, k.says("", "rejected", "show", "--envelope", "--", identity).out)
	if !shown[text] || !envelope[text] || !shown[identity] || !envelope[identity] {
		t.Errorf("not exact: %v, %v; want %q", shown, envelope, text)
	}
	if said := k.says("", "rejected", "replay", "--yes", "--", identity); said.code != exitOK {
		t.Error(said)
	}
	k.wantRejected(0)
}
