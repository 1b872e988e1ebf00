package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// An alarm on a metric that does not exist never goes off. CloudWatch accepts any name, so all that alarms and the
// dashboard read is compared with what AWS and our functions publish.
func TestMetricsExist(t *testing.T) {
	t.Parallel()
	published := everything(t)
	for name, made := range stacks() {
		used := made.usedMetrics()
		if len(used) < 60 {
			t.Errorf("%s: only %d metrics found", name, len(used))
		}
		for _, metric := range used {
			if !published.has(metric) {
				t.Errorf("%s: %v does not exist; published with %q", name, metric,
					published[metric.namespace+" "+metric.name])
			}
			if !slices.Contains([]string{"Sum", "Maximum", "p50", "p99"}, metric.statistic) {
				t.Errorf("%s: %v has an unknown statistic", name, metric)
			}
			if own := made.settings; metric.namespace == metrics.Namespace &&
				(metric.dimensions["application"] != own.Application ||
					metric.dimensions["environment"] != own.Environment) {
				t.Errorf("%s: %v is another stack's", name, metric)
			}
			wrong := metric // the check finds a single wrong word
			wrong.dimensions = map[string]string{}
			for dimension, value := range metric.dimensions {
				wrong.dimensions["Other"+dimension] = value
			}
			if published.has(wrong) {
				t.Errorf("%v does not exist and is found", wrong)
			}
		}
	}
}

// published are the metrics that exist: by "namespace name", the sets of dimensions that each has, a set as its sorted
// names, or name=value where only that value exists.
type published map[string][]string

func (p published) add(namespace, name string, dimensions ...string) {
	slices.Sort(dimensions)
	key := namespace + " " + name
	p[key] = append(p[key], strings.Join(dimensions, " "))
}

// has reports whether the metric exists with exactly these dimensions, each with a value.
func (p published) has(used usedMetric) bool {
	return slices.ContainsFunc(p[used.namespace+" "+used.name], func(set string) bool {
		wanted := strings.Fields(set)
		return len(wanted) == len(used.dimensions) && !slices.ContainsFunc(wanted, func(d string) bool {
			name, value, fixed := strings.Cut(d, "=")
			given := used.dimensions[name]
			return given == "" || fixed && given != value
		})
	})
}

// everything is what AWS and our functions publish.
func everything(t *testing.T) published {
	all := published{}
	all.addServices(t, "../node_modules/@aws-cdk/aws-service-spec/db.json.gz")
	// The database lacks Pipes. The namespace is the one in CloudWatch's own list of enriched metrics, the names are
	// from https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html, read on 2026-11-23.
	for _, name := range []string{"Invocations", "ExecutionFailed", "ExecutionThrottled"} {
		all.add("AWS/EventBridge/Pipes", name, "PipeName")
	}
	for _, metric := range metrics.All {
		all.add(metrics.Namespace, metric.Name, metrics.Dimensions...)
	}
	for _, reason := range snapshot.Reasons {
		if reason != snapshot.ReasonNotCounted { // the state machine rejects these, without a metric
			all.add(metrics.Namespace, metrics.MessagesRejected.Name,
				append([]string{"reason_code=" + string(reason)}, metrics.Dimensions...)...)
		}
	}
	return all
}

// addServices reads CDK's own database, which follows AWS's lists. Its entities and relations are described in
// https://github.com/cdklabs/awscdk-service-spec.
func (p published) addServices(t *testing.T, path string) {
	file, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v: run npm ci", err)
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

// usedMetric is a metric that an alarm or the dashboard reads.
type usedMetric struct {
	namespace, name string
	dimensions      map[string]string
	statistic       string
}

func (u usedMetric) String() string {
	return fmt.Sprintf("%s %s %s %s", u.namespace, u.name, strings.TrimPrefix(fmt.Sprint(u.dimensions), "map"),
		u.statistic)
}

// metricOf is the metric of an alarm.
func metricOf(alarm map[string]any) usedMetric {
	used := usedMetric{namespace: fmt.Sprint(alarm["Namespace"]), name: fmt.Sprint(alarm["MetricName"]),
		dimensions: map[string]string{}, statistic: fmt.Sprint(alarm["Statistic"])}
	dimensions, _ := alarm["Dimensions"].([]any)
	for _, dimension := range dimensions {
		d := dimension.(map[string]any)
		used.dimensions[fmt.Sprint(d["Name"])] = fmt.Sprint(d["Value"])
	}
	return used
}

// usedMetrics are all metrics that the stack's alarms and its dashboard read.
func (made template) usedMetrics() (used []usedMetric) {
	for alarm := range maps.Values(made.ofType("AWS::CloudWatch::Alarm")) {
		used = append(used, metricOf(alarm))
	}
	for _, w := range widgets(made) {
		used = append(used, w.metrics()...)
	}
	return used
}
