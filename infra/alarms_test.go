package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// alarms writes each alarm as one line: its name, its metric, when it goes off, and how it treats missing data.
func (made template) alarms() (lines []string) {
	operators := map[any]string{"GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<"}
	for _, p := range made.ofType("AWS::CloudWatch::Alarm") {
		lines = append(lines, fmt.Sprintf("%s: %v %s %v, %v x %v s, %v", p["AlarmName"], metricOf(p),
			operators[p["ComparisonOperator"]], p["Threshold"], p["EvaluationPeriods"], p["Period"],
			p["TreatMissingData"]))
	}
	return lines
}

func TestEveryAlarmNotifiesTheTopic(t *testing.T) {
	t.Parallel()
	for id, p := range express().ofType("AWS::CloudWatch::Alarm") {
		if actions := p["AlarmActions"]; fmt.Sprint(actions) != "["+testAlarmTopic+"]" {
			t.Errorf("%s notifies %v", id, actions)
		}
	}
	if strings.Contains(byDefault().json, "AlarmActions") {
		t.Error("an alarm notifies a topic that the context does not name")
	}
}

// Every alarm says what is wrong and what to do, and links to its section of the runbook; every section belongs to an
// alarm.
func TestEveryAlarmHasItsSection(t *testing.T) {
	t.Parallel()
	written, used := sections("Alarms"), map[string]bool{}
	alarms := byDefault().ofType("AWS::CloudWatch::Alarm")
	maps.Copy(alarms, express().ofType("AWS::CloudWatch::Alarm")) // with those that a setting adds
	for id, p := range alarms {
		description, _ := p["AlarmDescription"].(string)
		text, link, _ := strings.Cut(description, " Runbook: docs/runbook.md#")
		if strings.Count(text, ". ") < 1 || len(description) > 1024 {
			t.Errorf("%s does not say what is wrong and what to do: %q", id, description)
		}
		section, ok := written[link]
		if !ok {
			t.Errorf("%s links to #%s, which is not in the runbook", id, link)
			continue
		}
		used[link] = true
		name := strings.TrimPrefix(id, "Alarms")
		if runbookSection(name) != link && !strings.Contains(section, "`"+name+"`") {
			t.Errorf("the section #%s does not name its alarm %s", link, name)
		}
	}
	compare(t, slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(written)))
}

func TestEveryReasonHasItsSection(t *testing.T) {
	t.Parallel()
	var wanted []string
	for _, reason := range snapshot.Reasons {
		wanted = append(wanted, anchor(string(reason)))
	}
	slices.Sort(wanted)
	compare(t, wanted, slices.Sorted(maps.Keys(sections("Reason codes"))))
}

// sections are the runbook's headings of the third level under one of the second, by their anchors on GitHub.
func sections(under string) map[string]string {
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

// Every section has the same four headings, each with a text.
func TestEverySectionHasFourHeadings(t *testing.T) {
	t.Parallel()
	bold := regexp.MustCompile(`(?m)^\*\*([^*\n]*)\*\*( \S)?`)
	for _, under := range []string{"Alarms", "Reason codes"} {
		for name, text := range sections(under) {
			var got []string
			for _, found := range bold.FindAllStringSubmatch(text, -1) {
				got = append(got, found[1])
				if found[2] == "" {
					t.Errorf("%s: %s has no text", name, found[1])
				}
			}
			if want := []string{"What it means:", "Check:", "Fix:", "Don't:"}; !slices.Equal(want, got) {
				t.Errorf("%s has the headings %q, want %q", name, got, want)
			}
		}
	}
}

func TestRunbookLinksResolve(t *testing.T) {
	t.Parallel()
	text := string(mustRead("../docs/runbook.md"))
	known := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		known[anchor(heading[1])] = true
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if !known[link[1]] {
			t.Errorf("the link #%s has no heading", link[1])
		}
	}
}

// docs/operations.md says how many alarms and metrics the bill has.
func TestOperationsCountAlarmsAndMetrics(t *testing.T) {
	t.Parallel()
	want := fmt.Sprintf("has %d alarms, %d with `lateAfterMinutes`, and publishes %d metrics",
		len(byDefault().alarms()), len(express().alarms()), len(metrics.All))
	if !strings.Contains(string(mustRead("../docs/operations.md")), want) {
		t.Errorf("docs/operations.md does not say: %s", want)
	}
}
