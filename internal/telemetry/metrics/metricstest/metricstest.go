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
		Timestamp         int64 // milliseconds, at most two weeks ago
		CloudWatchMetrics []directive
	}
	decoder := json.NewDecoder(bytes.NewReader(root["_aws"]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&meta); err != nil {
		return nil, fmt.Errorf("_aws: %w", err)
	}
	if meta.Timestamp < 1e12 || meta.Timestamp > 1e14 || meta.CloudWatchMetrics == nil || len(line) > 1024*1024 {
		return nil, fmt.Errorf("_aws has no time in milliseconds or no metrics, or the line is too long: %.500s", line)
	}
	var all []Datum
	for _, d := range meta.CloudWatchMetrics {
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
	Metrics    []struct{ Name, Unit string }
}

var (
	printable = regexp.MustCompile(`^[\x21-\x7e][\x20-\x7e]{0,249}$`)
	namespace = regexp.MustCompile(`^[A-Za-z0-9._/#-]{1,255}$`) // PutMetricData's rule, stricter than the format's
	units     = []string{"Count", "Seconds", "Milliseconds"}    // those in use
)

func (d directive) extract(root map[string]json.RawMessage) (data []Datum, err error) {
	if !namespace.MatchString(d.Namespace) || strings.HasPrefix(d.Namespace, "AWS/") || len(d.Dimensions) == 0 ||
		len(d.Metrics) == 0 || len(d.Metrics) > 100 {
		return nil, fmt.Errorf("the namespace %q, %d dimension sets or %d metrics are not allowed", d.Namespace,
			len(d.Dimensions), len(d.Metrics))
	}
	for _, set := range d.Dimensions {
		dimensions, err := resolve(set, root)
		if err != nil {
			return nil, err
		}
		for _, metric := range d.Metrics {
			if !printable.MatchString(metric.Name) || !slices.Contains(units, metric.Unit) {
				return nil, fmt.Errorf("the name of metric %q or its unit %q is not allowed", metric.Name, metric.Unit)
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
	var resolved []string
	for _, name := range set {
		var value string
		if err := json.Unmarshal(root[name], &value); err != nil {
			return "", fmt.Errorf("dimension %s is no string of the root: %w", name, err)
		}
		if !printable.MatchString(name) || strings.HasPrefix(name, ":") || !printable.MatchString(value) {
			return "", fmt.Errorf("dimension %q may not be %q", name, value)
		}
		resolved = append(resolved, name+"="+value)
	}
	if len(set) > 30 {
		return "", fmt.Errorf("%d dimensions in one set", len(set))
	}
	return strings.Join(resolved, " "), nil
}

// numbers reads a number or a list of 1 to 100 of them.
func numbers(raw json.RawMessage) (values []float64, err error) {
	if !bytes.HasPrefix(raw, []byte("[")) {
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	if err := json.Unmarshal(raw, &values); err != nil || len(values) == 0 || len(values) > 100 ||
		bytes.Contains(raw, []byte("null")) {
		return nil, fmt.Errorf("%s is neither a number nor a list of 1 to 100 numbers: %v", raw, err)
	}
	return values, nil
}
