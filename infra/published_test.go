package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// published are the metrics that exist: by "namespace name", the sets of dimensions that each has, a set as its sorted
// names, or name=value where only that value exists.
type published map[string][]string

func (p published) add(namespace, name string, dimensions ...string) {
	slices.Sort(dimensions)
	key := namespace + " " + name
	p[key] = append(p[key], strings.Join(dimensions, " "))
}

// everything is what AWS and our functions publish.
var everything = sync.OnceValue(func() published {
	all := published{}
	all.addServices("../node_modules/@aws-cdk/aws-service-spec/db.json.gz")
	all.addPipes()
	for _, metric := range metrics.All {
		all.add(metrics.Namespace, metric.Name, metrics.Dimensions...)
	}
	for _, reason := range snapshot.Reasons {
		if reason == snapshot.ReasonNotCounted {
			continue // the state machine rejects these, without a metric
		}
		all.add(metrics.Namespace, metrics.MessagesRejected.Name, append([]string{"reason_code=" + string(reason)},
			metrics.Dimensions...)...)
	}
	return all
})

// addServices reads CDK's own database, which follows AWS's lists. Its entities and relations are described in
// https://github.com/cdklabs/awscdk-service-spec.
func (p published) addServices(path string) {
	file, err := os.Open(path)
	if err != nil {
		panic(fmt.Sprintf("%v: run npm ci", err))
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	must(err)
	type id struct {
		ID string `json:"$id"`
	}
	var db struct {
		Schema struct {
			Metric struct {
				Entities []struct {
					id
					Namespace, Name string
				}
			}
			DimensionSet struct {
				Entities []struct {
					id
					Dimensions []struct{ Name, Value string }
				}
			}
			UsesDimensionSet struct{ Forward map[string][]id }
		}
	}
	must(json.NewDecoder(text).Decode(&db))
	sets := map[string][]string{}
	for _, set := range db.Schema.DimensionSet.Entities {
		for _, d := range set.Dimensions {
			if d.Value != "" {
				d.Name += "=" + d.Value
			}
			sets[set.ID] = append(sets[set.ID], d.Name)
		}
	}
	for _, metric := range db.Schema.Metric.Entities {
		for _, set := range db.Schema.UsesDimensionSet.Forward[metric.ID] {
			p.add(metric.Namespace, metric.Name, slices.Clone(sets[set.ID])...)
		}
	}
}

// addPipes adds what that database lacks:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html, read on 2026-11-23. The namespace
// is the one in CloudWatch's own list of enriched metrics.
func (p published) addPipes() {
	for _, name := range []string{"Duration", "EventCount", "EventSize", "ExecutionThrottled", "ExecutionTimeout",
		"ExecutionFailed", "ExecutionPartiallyFailed", "EnrichmentStageDuration", "EnrichmentStageFailed",
		"Invocations", "TargetStageDuration", "TargetStageFailed", "TargetStagePartiallyFailed",
		"TargetStageSkipped"} {
		p.add("AWS/EventBridge/Pipes", name, "PipeName")
	}
}

// has reports whether the metric exists with exactly these dimensions.
func (p published) has(used usedMetric) bool {
	return slices.ContainsFunc(p[used.namespace+" "+used.name], func(set string) bool {
		wanted := strings.Fields(set)
		if len(wanted) != len(used.dimensions) {
			return false
		}
		return !slices.ContainsFunc(wanted, func(d string) bool {
			name, value, fixed := strings.Cut(d, "=")
			given, ok := used.dimensions[name]
			return !ok || given == "" || fixed && given != value
		})
	})
}

// usedMetric is a metric that an alarm or the dashboard reads.
type usedMetric struct {
	namespace, name string
	dimensions      map[string]string
	statistic       string
}

func (u usedMetric) String() string {
	return fmt.Sprintf("%s %s %v %s", u.namespace, u.name, u.dimensions, u.statistic)
}

// usedMetrics finds every metric of the template, by its reader.
func (made template) usedMetrics(t *testing.T) map[string][]usedMetric {
	t.Helper()
	found := map[string][]usedMetric{}
	for id, p := range made.ofType("AWS::CloudWatch::Alarm") {
		found[id] = []usedMetric{readMetric(p, p["Statistic"])}
	}
	found["Dashboard"] = dashboardMetrics(widgets(t, made))
	return found
}

func readMetric(from map[string]any, statistic any) usedMetric {
	used := usedMetric{namespace: fmt.Sprint(from["Namespace"]), name: fmt.Sprint(from["MetricName"]),
		dimensions: map[string]string{}, statistic: fmt.Sprint(statistic)}
	dimensions, _ := from["Dimensions"].([]any)
	for _, dimension := range dimensions {
		d := dimension.(map[string]any)
		used.dimensions[fmt.Sprint(d["Name"])] = fmt.Sprint(d["Value"])
	}
	return used
}

// dashboardMetrics reads the rows of "metrics" of all widgets: namespace, name, dimensions in pairs, options.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
func dashboardMetrics(widgets []widget) (used []usedMetric) {
	for _, widget := range widgets {
		for _, row := range widget.Properties.Metrics {
			options, _ := row[len(row)-1].(map[string]any)
			if options["expression"] != nil {
				continue
			}
			if options != nil {
				row = row[:len(row)-1]
			}
			metric := usedMetric{namespace: row[0].(string), name: row[1].(string), dimensions: map[string]string{},
				statistic: fmt.Sprint(options["stat"])}
			for pair := range slices.Chunk(row[2:], 2) {
				metric.dimensions[pair[0].(string)] = pair[1].(string)
			}
			used = append(used, metric)
		}
	}
	return used
}

// An alarm on a metric that does not exist never goes off.
func TestMetricsExist(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]template{"ByDefault": byDefault(), "Express": express(), "Adopting": adopting(),
		"WithoutStream": withoutStream()} {
		read := 0
		used := made.usedMetrics(t)
		for _, id := range slices.Sorted(maps.Keys(used)) {
			for _, metric := range used[id] {
				read++
				if !everything().has(metric) {
					t.Errorf("%s: %s reads %v, which does not exist; published with %q", name, id, metric,
						everything()[metric.namespace+" "+metric.name])
				}
				if !slices.Contains([]string{"Sum", "Maximum", "Average", "p50", "p99", "SampleCount"},
					metric.statistic) {
					t.Errorf("%s: %s reads %v, an unknown statistic", name, id, metric)
				}
			}
			if len(used[id]) == 0 {
				t.Errorf("%s: %s reads no metric", name, id)
			}
		}
		if read < 20 {
			t.Errorf("%s: only %d metrics found", name, read)
		}
	}
}

// The check behind TestMetricsExist finds a single wrong word.
func TestWrongMetricsDoNotExist(t *testing.T) {
	t.Parallel()
	of := func(name, value string) map[string]string { return map[string]string{name: value} }
	ours := map[string]string{"application": "a", "environment": "e"}
	operation := func(name string) map[string]string {
		return map[string]string{"TableName": "t", "Operation": name}
	}
	reason := func(code string) map[string]string {
		return map[string]string{"application": "a", "environment": "e", "reason_code": code}
	}
	for _, right := range []usedMetric{
		{namespace: "AWS/States", name: "ExecutionsFailed", dimensions: of("StateMachineArn", "arn")},
		{namespace: "AWS/DynamoDB", name: "ThrottledRequests", dimensions: operation("UpdateItem")},
		{namespace: metrics.Namespace, name: "StalledRuns", dimensions: ours},
		{namespace: metrics.Namespace, name: "MessagesRejected", dimensions: reason("NOT_JSON")},
	} {
		if !everything().has(right) {
			t.Errorf("%v exists and is not found", right)
		}
	}
	for _, wrong := range []usedMetric{
		{namespace: "AWS/States", name: "ExecutionsFailedCount", dimensions: of("StateMachineArn", "arn")},
		{namespace: "AWS/State", name: "ExecutionsFailed", dimensions: of("StateMachineArn", "arn")},
		{namespace: "AWS/States", name: "ExecutionsFailed", dimensions: of("StateMachineName", "name")},
		{namespace: "AWS/States", name: "ExecutionsFailed", dimensions: of("StateMachineArn", "")},
		{namespace: "AWS/States", name: "ExecutionsFailed"},
		{namespace: "AWS/DynamoDB", name: "ThrottledRequests", dimensions: of("TableName", "t")},
		{namespace: "AWS/DynamoDB", name: "ThrottledRequests", dimensions: operation("Update")},
		{namespace: "AWS/EventBridge/Pipes", name: "ExecutionsFailed", dimensions: of("PipeName", "p")},
		{namespace: metrics.Namespace, name: "RunsStalled", dimensions: ours},
		{namespace: metrics.Namespace, name: "StalledRuns", dimensions: of("application", "a")},
		{namespace: metrics.Namespace, name: "MessagesRejected", dimensions: reason("NO_JSON")},
	} {
		if everything().has(wrong) {
			t.Errorf("%v does not exist and is found", wrong)
		}
	}
}

// Alarms and dashboard read the metrics of their own stack.
func TestOurMetricsAreThoseOfTheStack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		made template
		want map[string]string
	}{
		{byDefault(), map[string]string{"application": "snapshot-sender-status-checker", "environment": "dev"}},
		{express(), map[string]string{"application": "checker", "environment": "prod"}},
	} {
		for id, used := range test.made.usedMetrics(t) {
			for _, metric := range used {
				delete(metric.dimensions, "reason_code")
				if metric.namespace == metrics.Namespace && !maps.Equal(test.want, metric.dimensions) {
					t.Errorf("%s reads those of %v, want %v", id, metric.dimensions, test.want)
				}
			}
		}
	}
}
