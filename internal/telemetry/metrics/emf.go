package metrics

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
)

// maxValues is how many values of one metric a line may hold.
const maxValues = 100

// metadata, directive and definition are the format's objects of these names.
type metadata struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []Metric
}

// Write writes what the context's call counted with the logger, whatever the logger's level: one line, nothing if the
// call counted nothing. Only a batch with several reasons for rejecting, or with more than 100 values of one metric,
// has more lines, since the format has place for one of them. The logger must be one of logging.New, whose
// lines hold the dimensions.
func Write(ctx context.Context, log *slog.Logger) {
	in(ctx, func(c *call) {
		for _, line := range c.lines() {
			record := slog.NewRecord(c.now(), slog.LevelInfo, "metrics", 0)
			line.addTo(&record, c.about)
			_ = log.Handler().Handle(ctx, record) // a log that cannot be written has nobody to tell
		}
	})
}

// line is what one line says.
type line struct {
	timestamp int64
	reason    string // why as many messages as rejected were rejected
	rejected  int64
	values    map[Metric]any // a number or a list of them
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
	for i := range lines {
		lines[i].timestamp = c.now().UnixMilli()
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

func (l line) addTo(record *slog.Record, about map[string]string) {
	byName := func(a, b Metric) int { return cmp.Compare(a.Name, b.Name) }
	meta := metadata{Timestamp: l.timestamp}
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
	for _, key := range slices.Sorted(maps.Keys(about)) {
		record.AddAttrs(slog.String(key, about[key]))
	}
}
