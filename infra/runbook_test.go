package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

// entries are the runbook's headings of the third level under one of the second, by the anchors that GitHub gives them.
func entries(under string) map[string]string {
	_, part, _ := strings.Cut(string(mustRead("../docs/runbook.md")), "\n## "+under+"\n")
	part, _, _ = strings.Cut(part, "\n## ")
	found := map[string]string{}
	for _, section := range strings.Split(part, "\n### ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		found[anchor(heading)] = text
	}
	return found
}

var notInAnchors = regexp.MustCompile(`[^a-z0-9_ -]`)

func anchor(heading string) string {
	return strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// complete wants what a person needs who is called at night.
func complete(t *testing.T, name, text string) {
	t.Helper()
	for _, part := range []string{"**Means:** ", "**Confirm:** ", "**Fix:** ", "**Do not:** "} {
		if !strings.Contains("\n"+text, "\n- "+part) {
			t.Errorf("the entry of %s lacks %s", name, part)
		}
	}
}

// Every alarm says what is wrong and what to do, and leads to an entry; every entry is led to.
func TestEveryAlarmHasItsEntry(t *testing.T) {
	t.Parallel()
	written, used := entries("Alarms"), map[string]bool{}
	for id, p := range byDefault().ofType("AWS::CloudWatch::Alarm") {
		description, _ := p["AlarmDescription"].(string)
		text, link, _ := strings.Cut(description, " Runbook: docs/runbook.md#")
		if strings.Count(text, ". ") < 1 || len(description) > 1024 {
			t.Errorf("%s does not say what is wrong and what to do: %q", id, description)
		}
		entry, ok := written[link]
		if !ok {
			t.Errorf("%s links to #%s, which is not in the runbook", id, link)
			continue
		}
		used[link] = true
		complete(t, id, entry)
		if name := strings.TrimPrefix(id, "Alarms"); runbookSection(name) != link && !strings.Contains(entry, "`"+name+
			"`") {
			t.Errorf("the entry #%s does not name its alarm %s", link, name)
		}
	}
	compare(t, slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(written)))
}

func TestEveryReasonHasItsEntry(t *testing.T) {
	t.Parallel()
	written, wanted := entries("Reason codes"), []string{}
	for _, reason := range snapshot.Reasons {
		wanted = append(wanted, anchor(string(reason)))
		complete(t, string(reason), written[anchor(string(reason))])
	}
	slices.Sort(wanted)
	compare(t, wanted, slices.Sorted(maps.Keys(written)))
}

// A link inside of the runbook that leads nowhere.
func TestRunbookLinks(t *testing.T) {
	t.Parallel()
	text := string(mustRead("../docs/runbook.md"))
	known := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		known[anchor(heading[1])] = true
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if !known[link[1]] {
			t.Errorf("#%s leads nowhere", link[1])
		}
	}
}
