package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/internal/telemetry/logging"
)

type widget struct {
	Type        string
	X, Y, Width int
	Properties  struct {
		Title, Markdown string
		Alarms          []string
		Metrics         [][]any
	}
}

func widgets(t *testing.T, made template) []widget {
	t.Helper()
	for id, p := range made.ofType("AWS::CloudWatch::Dashboard") {
		var body struct{ Widgets []widget }
		if err := json.Unmarshal([]byte(p["DashboardBody"].(string)), &body); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		return body.Widgets
	}
	t.Fatal("no dashboard")
	return nil
}

// The dashboard begins with all alarms, and every graph draws something.
func TestDashboardShowsAllAlarms(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]template{"ByDefault": byDefault(), "Express": express(), "Adopting": adopting(),
		"WithoutStream": withoutStream()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var headings []string
			shown, below := 0, -1
			for _, w := range widgets(t, made) {
				if w.Y < below || w.X+w.Width > 24 {
					t.Errorf("%q is at %d, %d", w.Properties.Title, w.X, w.Y)
				}
				below = w.Y
				switch w.Type {
				case "text":
					headings = append(headings, strings.TrimPrefix(w.Properties.Markdown, "## "))
				case "alarm":
					shown += len(w.Properties.Alarms)
				case "metric":
					if len(w.Properties.Metrics) == 0 {
						t.Errorf("%q draws nothing", w.Properties.Title)
					}
				}
			}
			compare(t, []string{"Is anything wrong?", "Which runs are open?", "Where are messages waiting?",
				"How fast is it?", "What does it cost?"}, headings)
			if alarms := len(made.ofType("AWS::CloudWatch::Alarm")); shown != alarms || alarms == 0 {
				t.Errorf("%d of %d alarms are shown", shown, alarms)
			}
		})
	}
}

var term = regexp.MustCompile(`FILL\((\w+),0\)\*([0-9.]+)`)

// Each cost adds up its own metrics, and no price is rounded to zero.
func TestDashboardCostsAddUpTheirMetrics(t *testing.T) {
	t.Parallel()
	for _, w := range widgets(t, byDefault()) {
		if !strings.HasPrefix(w.Properties.Title, "USD") {
			continue
		}
		var ids, priced []string
		for _, row := range w.Properties.Metrics {
			options := row[len(row)-1].(map[string]any)
			if expression, ok := options["expression"].(string); ok {
				for _, found := range term.FindAllStringSubmatch(expression, -1) {
					if strings.Trim(found[2], "0.") == "" {
						t.Errorf("%v: %s costs nothing", options["label"], found[1])
					}
					priced = append(priced, found[1])
				}
			} else {
				ids = append(ids, fmt.Sprint(options["id"]))
				if options["period"] != 3600.0 || options["stat"] != "Sum" {
					t.Errorf("%v is not the sum of an hour", row)
				}
			}
		}
		slices.Sort(ids)
		slices.Sort(priced)
		compare(t, ids, priced)
		if len(ids) == 0 {
			t.Error("no costs")
		}
	}
}

// The queries read keys that the logs have, in the logs of all functions.
func TestQueriesReadKeysOfTheLogs(t *testing.T) {
	t.Parallel()
	known := []string{"@timestamp", "@message", "service", "message", "level", "error", "detail", "outcome", "status",
		"kind", "version", "event_id", "files_received", "files_sent",
		logging.CorrelationID, logging.CollectionName, logging.FileName, logging.Identity, logging.ExecutionID,
		logging.Reason, logging.Messages, logging.From, logging.To, logging.Epoch, "times"}
	word := regexp.MustCompile(`@?[A-Za-z_]+`)
	language := strings.Fields(
		"fields filter sort limit stats count count_distinct as by and or in asc desc like jsonParse unnest into " +
			"line counted")
	made := byDefault().ofType("AWS::Logs::QueryDefinition")
	for _, q := range queries {
		p := made["Queries"+q.id]
		if p == nil || p["Name"] != "snapshot-sender-status-checker-dev/"+q.name {
			t.Errorf("%s is %v", q.id, p)
			continue
		}
		compare(t, any([]any{"${FunctionsIncrementLogs}", "${FunctionsCheckCollectionLogs}", "${FunctionsCheckAllLogs}",
			"${FunctionsNotifyLogs}", "${SweepLogs}"}), p["LogGroupNames"])
		text := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(p["QueryString"].(string), "")
		for _, name := range word.FindAllString(text, -1) {
			if !slices.Contains(known, name) && !slices.Contains(language, name) {
				t.Errorf("%s reads %q, which no line has", q.id, name)
			}
		}
	}
	for id, r := range byDefault().Resources {
		if r.Type == "AWS::Logs::QueryDefinition" && short(r.Condition) != "QueriesWanted" {
			t.Errorf("%s has the condition %q", id, r.Condition)
		}
	}
}
