package metrics

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
)

// maxValues bounds the values of one metric in a line.
const maxValues = 100

// metadata and directive are the format's objects of these names.
type metadata struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []Metric
}

// Write writes the metrics of the context's call with the logger, at any level: one line, or none without metrics. A
// call with several rejection reasons, or with more than 100 values of one metric, has more lines, because a line has
// room for one reason and 100 values. The logger must be from logging.New, whose lines have the dimensions.
func Write(ctx context.Context, log *slog.Logger) {
	in(ctx, func(c *call) {
		for _, line := range c.lines() {
			record := slog.NewRecord(c.now(), slog.LevelInfo, "metrics", 0)
			line.addTo(&record, c)
			_ = log.Handler().Handle(ctx, record) // an error could only be logged
		}
	})
}

// line is one line.
type line struct {
	reason   string         // a reason code
	rejected int64          // messages with this reason
	values   map[Metric]any // a number or a list of them
}

func (c *call) lines() []line {
	lines := []line{{values: map[Metric]any{}}}
	at := func(i int) *line {
		if i == len(lines) {
			lines = append(lines, line{values: map[Metric]any{}})
		}
		return &lines[i]
	}
	for metric, sum := range c.sums {
		if sum != 0 {
			lines[0].values[metric] = sum
		}
	}
	for metric, values := range c.values {
		i := 0
		for chunk := range slices.Chunk(values, maxValues) {
			at(i).values[metric] = numberOrList(chunk)
			i++
		}
	}
	for i, reason := range slices.Sorted(maps.Keys(c.rejected)) {
		at(i).reason, at(i).rejected = reason, c.rejected[reason]
	}
	if len(lines) == 1 && len(lines[0].values) == 0 && lines[0].reason == "" {
		return nil
	}
	return lines
}

func numberOrList(values []float64) any {
	if len(values) == 1 {
		return values[0]
	}
	return values
}

func (l line) addTo(record *slog.Record, c *call) {
	byName := func(a, b Metric) int { return cmp.Compare(a.Name, b.Name) }
	meta := metadata{Timestamp: c.now().UnixMilli()}
	var attributes []slog.Attr
	if len(l.values) > 0 {
		listed := slices.SortedFunc(maps.Keys(l.values), byName)
		meta.CloudWatchMetrics = append(meta.CloudWatchMetrics, directive{Namespace, [][]string{Dimensions}, listed})
		for _, metric := range listed {
			attributes = append(attributes, slog.Any(metric.Name, l.values[metric]))
		}
	}
	if l.reason != "" {
		meta.CloudWatchMetrics = append(meta.CloudWatchMetrics, directive{Namespace, [][]string{Dimensions, ByReason},
			[]Metric{MessagesRejected}})
		attributes = append(attributes, slog.String(ByReason[len(ByReason)-1], l.reason),
			slog.Int64(MessagesRejected.Name, l.rejected))
	}
	record.AddAttrs(slog.Any("_aws", meta))
	record.AddAttrs(attributes...)
	for _, key := range slices.Sorted(maps.Keys(c.about)) {
		record.AddAttrs(slog.String(key, c.about[key]))
	}
}
