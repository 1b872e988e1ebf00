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

// widget is a part of the dashboard's body
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html).
type widget struct {
	Type        string
	X, Y, Width int
	Properties  struct {
		Title, Markdown string
		Alarms          []string
		Metrics         [][]any // namespace, name, dimensions in pairs, options; or the options of an expression alone
		YAxis           struct{ Left struct{ Label string } }
	}
}

func widgets(made template) []widget {
	var body struct{ Widgets []widget }
	for _, dashboard := range made.ofType("AWS::CloudWatch::Dashboard") {
		must(json.Unmarshal([]byte(dashboard["DashboardBody"].(string)), &body))
	}
	return body.Widgets
}

// metrics are those that the widget draws or calculates with.
func (w widget) metrics() (used []usedMetric) {
	for _, row := range w.Properties.Metrics {
		options, _ := row[len(row)-1].(map[string]any)
		if options["expression"] != nil {
			continue
		}
		metric := usedMetric{namespace: row[0].(string), name: row[1].(string), dimensions: map[string]string{},
			statistic: fmt.Sprint(options["stat"])}
		for pair := range slices.Chunk(row[2:len(row)-1], 2) {
			metric.dimensions[pair[0].(string)] = pair[1].(string)
		}
		used = append(used, metric)
	}
	return used
}

// The dashboard begins with all alarms, and every graph draws something.
func TestDashboardShowsAllAlarms(t *testing.T) {
	t.Parallel()
	for name, made := range stacks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var headings []string
			shown, below := 0, -1
			for _, w := range widgets(made) {
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
			if alarms := len(made.alarms()); shown != alarms || alarms == 0 {
				t.Errorf("%d of %d alarms are shown", shown, alarms)
			}
		})
	}
}

// Each cost adds up its own metrics, and no price is rounded to zero.
func TestDashboardCostsAddUpTheirMetrics(t *testing.T) {
	t.Parallel()
	term := regexp.MustCompile(`FILL\((\w+),0\)\*([0-9.]+)`)
	var ids, priced []string
	for _, w := range widgets(byDefault()) {
		if !strings.HasPrefix(w.Properties.Title, "USD") {
			continue
		}
		for _, row := range w.Properties.Metrics {
			options := row[len(row)-1].(map[string]any)
			if expression, ok := options["expression"].(string); ok {
				for _, found := range term.FindAllStringSubmatch(expression, -1) {
					if strings.Trim(found[2], "0.") == "" {
						t.Errorf("%v: %s costs nothing", options["label"], found[1])
					}
					priced = append(priced, found[1])
				}
			} else if ids = append(ids, fmt.Sprint(options["id"])); options["period"] != 3600.0 {
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

// The saved queries read keys that the logs have.
func TestQueriesReadKeysOfTheLogs(t *testing.T) {
	t.Parallel()
	known := []string{"@timestamp", "@message", "service", "message", "level", "error", "detail", "outcome", "status",
		"kind", "version", "event_id", "files_received", "files_sent",
		logging.CorrelationID, logging.CollectionName, logging.FileName, logging.Identity, logging.ExecutionID,
		logging.Reason, logging.Messages, logging.From, logging.To, logging.Epoch, "times"}
	language := strings.Fields(
		"fields filter sort limit stats count by as and in asc desc like jsonParse unnest into line counted")
	quoted, word := regexp.MustCompile(`"[^"]*"`), regexp.MustCompile(`@?[A-Za-z_]+`)
	made := byDefault().ofType("AWS::Logs::QueryDefinition")
	if len(made) != len(queries) {
		t.Errorf("%d of %d queries are saved", len(made), len(queries))
	}
	for id, p := range made {
		text := quoted.ReplaceAllString(p["QueryString"].(string), "")
		for _, name := range word.FindAllString(text, -1) {
			if !slices.Contains(known, name) && !slices.Contains(language, name) {
				t.Errorf("%s reads %q, which no line has", id, name)
			}
		}
	}
}
