// Package metricstest reads log lines by the published rules of CloudWatch's embedded metric format.
package metricstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Datum is one value of a metric, as CloudWatch would store it.
type Datum struct {
	Namespace, Name, Unit string
	Dimensions            string // "application=app environment=dev", in the order of the dimension set
	Value                 float64
}

// Extract returns CloudWatch's data of a log line, none for an ordinary line. It returns an error if the line breaks a
// rule of
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html,
// where CloudWatch ignores the line silently.
func Extract(line []byte) ([]Datum, error) {
	var root map[string]json.RawMessage
	if err := json.Unmarshal(line, &root); err != nil || root["_aws"] == nil {
		return nil, nil
	}
	var meta struct {
		Timestamp         *json.Number
		CloudWatchMetrics *[]directive
	}
	decoder := json.NewDecoder(bytes.NewReader(root["_aws"]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&meta); err != nil {
		return nil, fmt.Errorf("_aws: %w", err)
	}
	if meta.Timestamp == nil || meta.CloudWatchMetrics == nil {
		return nil, fmt.Errorf("_aws lacks Timestamp or CloudWatchMetrics: %s", root["_aws"])
	}
	// Metrics may be two weeks old and two hours ahead; a time in seconds or nanoseconds is far off.
	if ms, err := meta.Timestamp.Int64(); err != nil || ms < 1e12 || ms > 1e14 {
		return nil, fmt.Errorf("the timestamp %v is not in milliseconds", *meta.Timestamp)
	}
	if len(line) > 1024*1024 {
		return nil, fmt.Errorf("the line has %d bytes, more than 1 MiB", len(line))
	}
	var all []Datum
	for _, d := range *meta.CloudWatchMetrics {
		data, err := d.extract(root)
		if err != nil {
			return nil, err
		}
		all = append(all, data...)
	}
	return all, nil
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []struct {
		Name, Unit        string
		StorageResolution int
	}
}

var (
	printable = regexp.MustCompile(`^[\x20-\x7e]+$`)
	namespace = regexp.MustCompile(`^[A-Za-z0-9._/#: -]{1,255}$`) // PutMetricData's rule, stricter than the format's
	units     = strings.Split(
		"Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits "+
			"Gigabits Terabits Percent Count Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second "+
			"Terabytes/Second Bits/Second Kilobits/Second Megabits/Second Gigabits/Second Terabits/Second "+
			"Count/Second None", " ")
)

func (d directive) extract(root map[string]json.RawMessage) ([]Datum, error) {
	switch {
	case !namespace.MatchString(d.Namespace), strings.HasPrefix(d.Namespace, "AWS/"),
		strings.HasPrefix(d.Namespace, ":"):
		return nil, fmt.Errorf("namespace %q is not allowed", d.Namespace)
	case len(d.Dimensions) == 0:
		return nil, fmt.Errorf("no dimension set")
	case len(d.Metrics) == 0 || len(d.Metrics) > 100:
		return nil, fmt.Errorf("%d metrics in one directive", len(d.Metrics))
	}
	var data []Datum
	for _, set := range d.Dimensions {
		dimensions, err := resolve(set, root)
		if err != nil {
			return nil, err
		}
		for _, metric := range d.Metrics {
			if len(metric.Name) == 0 || len(metric.Name) > 255 || !printable.MatchString(metric.Name) {
				return nil, fmt.Errorf("metric name %q is not allowed", metric.Name)
			}
			if !slices.Contains(units, metric.Unit) {
				return nil, fmt.Errorf("metric %s has no such unit as %q", metric.Name, metric.Unit)
			}
			values, err := numbers(root[metric.Name])
			if err != nil {
				return nil, fmt.Errorf("metric %s: %w", metric.Name, err)
			}
			for _, value := range values {
				data = append(data, Datum{d.Namespace, metric.Name, metric.Unit, dimensions, value})
			}
		}
	}
	return data, nil
}

// resolve finds the values of a dimension set in the root.
func resolve(set []string, root map[string]json.RawMessage) (string, error) {
	if len(set) > 30 {
		return "", fmt.Errorf("%d dimensions in one set", len(set))
	}
	var resolved []string
	for _, name := range set {
		var value string
		if err := json.Unmarshal(root[name], &value); err != nil {
			return "", fmt.Errorf("dimension %s is no string of the root: %w", name, err)
		}
		if len(name) > 250 || strings.HasPrefix(name, ":") || !printable.MatchString(name) {
			return "", fmt.Errorf("dimension name %q is not allowed", name)
		}
		if len(value) > 1024 || !printable.MatchString(value) || strings.TrimSpace(value) == "" {
			return "", fmt.Errorf("dimension %s may not be %q", name, value)
		}
		resolved = append(resolved, name+"="+value)
	}
	return strings.Join(resolved, " "), nil
}

// numbers reads a number or a list of 1 to 100 of them.
func numbers(raw json.RawMessage) ([]float64, error) {
	var one float64
	if err := json.Unmarshal(raw, &one); err == nil && string(raw) != "null" {
		return []float64{one}, nil
	}
	var many []*float64
	if err := json.Unmarshal(raw, &many); err != nil {
		return nil, fmt.Errorf("%q is neither a number nor a list of numbers: %w", raw, err)
	}
	if len(many) == 0 || len(many) > 100 {
		return nil, fmt.Errorf("a list of %d values", len(many))
	}
	var values []float64
	for _, value := range many {
		if value == nil {
			return nil, fmt.Errorf("null in a list of numbers")
		}
		values = append(values, *value)
	}
	return values, nil
}
