package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// figure is a column of the tables.
type figure struct {
	head, meaning string
	of            func(measured) float64
}

var figures = []figure{
	{"files/s", "Files counted a second, from the first receive until every row is Received and nothing runs.",
		func(m measured) float64 { return float64(m.Files) / m.Seconds }},
	{"engine CPU ms/file", "Processor time of the engine meanwhile. On a busy machine it is steadier than the speed.",
		func(m measured) float64 { return m.perFile(1000 * m.EngineCPU) }},
	{"functions CPU ms/file", "Processor time of all processes of the functions meanwhile.",
		func(m measured) float64 { return m.perFile(1000 * m.FunctionCPU) }},
	{"calls/file", "Calls of the functions to AWS, the pipe's (without receives of nothing), and calls of the functions.",
		func(m measured) float64 {
			sum := 0
			for _, n := range m.Calls.Services {
				sum += n
			}
			return m.perFile(float64(sum))
		}},
	{"DynamoDB calls/file", "Those to DynamoDB.",
		func(m measured) float64 { return m.perFile(float64(m.Calls.Services[dynamoService])) }},
	{"write units/file", "DynamoDB's units of writing, those of refused writes included.",
		func(m measured) float64 { return m.perFile(m.Calls.WriteUnits) }},
	{"read units/file", "DynamoDB's units of reading.",
		func(m measured) float64 { return m.perFile(m.Calls.ReadUnits) }},
	{"states/file", "States that the executions entered, by their histories.",
		func(m measured) float64 { return m.perFile(float64(m.States)) }},
	{"USD/million", "The bill of a million files at the list prices of `internal/price`, with the durations of the " +
		"functions on this engine, which are longer than AWS's.", measured.usd},
}

// present are the runs of the present version and the baseline, in the order of the tables.
func (r results) present() (runs []measured) {
	for _, kind := range kinds {
		for _, batch := range slices.Backward(batches) {
			if m, ok := r.run("", kind, batch.size); ok {
				runs = append(runs, m)
			}
		}
	}
	return runs
}

// runTable has a row for each configuration.
func (r results) runTable() string {
	head := []string{"configuration"}
	for _, f := range figures {
		head = append(head, f.head)
	}
	var lines [][]string
	for _, m := range r.present() {
		line := []string{m.name()}
		for _, f := range figures {
			line = append(line, number(f.of(m)))
		}
		lines = append(lines, line)
	}
	return table(head, lines)
}

// ratios is a table that divides each figure of a run by that of the one beside it.
func ratios(pairs []pair) string {
	head := []string{"configuration", "divided by"}
	for _, f := range figures {
		head = append(head, strings.TrimSuffix(f.head, "/file"))
	}
	var lines [][]string
	for _, p := range pairs {
		line := []string{p.now.name(), p.label}
		for _, f := range figures {
			line = append(line, times(f.of(p.now), f.of(p.before)))
		}
		lines = append(lines, line)
	}
	return table(head, lines)
}

type pair struct {
	now, before measured
	label       string // of before
}

// comparison compares each configuration with the baseline at its batch size, and with the other version.
func (r results) comparison() string {
	var pairs []pair
	for _, now := range r.present() {
		if now.Kind == baseline {
			continue
		}
		if before, ok := r.run("", baseline, now.Batch); ok {
			pairs = append(pairs, pair{now, before, before.name()})
		}
		if before, ok := r.run(r.Base, now.Kind, now.Batch); ok && r.Base != "" {
			pairs = append(pairs, pair{now, before, r.Base})
		}
	}
	return ratios(pairs)
}

// compareResults compares the present version of one run of the benchmarks with that of an older one.
func compareResults(older, newer results) string {
	var pairs []pair
	for _, now := range newer.present() {
		if before, ok := older.run("", now.Kind, now.Batch); ok {
			pairs = append(pairs, pair{now, before, older.Taken.Format("2006-01-02 15:04")})
		}
	}
	return ratios(pairs)
}

func (r results) functionTable() string {
	ms := func(seconds float64) string { return number(1000 * seconds) }
	mb := func(bytes int64) string { return number(float64(bytes) / (1 << 20)) }
	var lines [][]string
	for _, f := range r.Functions {
		name := f.Task
		if f.Version != "" {
			name += " of " + f.Version
		}
		memory := "-" // it was not called
		if f.Memory > 0 {
			memory = mb(f.Memory)
		}
		lines = append(lines, []string{name, ms(f.Start.Seconds()), ms(f.StartCPU.Seconds()), mb(f.Size), memory})
	}
	return table([]string{"function", "cold start ms", "its CPU ms", "program MB", "memory MB"}, lines)
}

// tables are what a run of the benchmarks prints.
func (r results) tables() string {
	return r.runTable() + "\n" + r.comparison() + "\n" + r.functionTable()
}

// reading is the page's prose.
//
//go:embed reading.md
var reading string

// page is docs/benchmarks.md.
func (r results) page() string {
	var page strings.Builder
	fmt.Fprintf(&page, "# Benchmarks\n\n`make bench` wrote this page on %s, with `FILES=%d`. It took %.0f s on %d cores "+
		"(%s, %s) with %s and %s. The machine's load was %.1f at the beginning.\n\n%s\n", r.Taken.Format(
		"2006-01-02 15:04 UTC"), r.Size.Files, r.Took.Seconds(), r.Machine.Cores, r.Machine.Processor, r.Machine.System,
		r.Machine.Go, r.Machine.Engine, r.Machine.Load, r.runTable())
	for _, f := range figures {
		fmt.Fprintf(&page, "- *%s*: %s\n", f.head, f.meaning)
	}
	parts := strings.NewReplacer("{{comparison}}\n", r.comparison(), "{{functions}}\n", r.functionTable())
	_, _ = parts.WriteString(&page, "\n"+reading)
	return page.String()
}

// table is a table of Markdown that is also readable as text.
func table(head []string, lines [][]string) string {
	widths := make([]int, len(head))
	for _, line := range append([][]string{head}, lines...) {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var out strings.Builder
	write := func(cells []string) {
		for i, cell := range cells {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i == 0 {
				fmt.Fprintf(&out, "| %s%s |", cell, pad)
			} else {
				fmt.Fprintf(&out, " %s%s |", pad, cell)
			}
		}
		out.WriteString("\n")
	}
	write(head)
	rules := make([]string, len(head))
	for i := range rules {
		rules[i] = strings.Repeat("-", widths[i]-1) + ":"
	}
	rules[0] = ":" + strings.Repeat("-", widths[0]-1)
	write(rules)
	for _, line := range lines {
		write(line)
	}
	return out.String()
}

// number shows about three digits.
func number(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 0.1:
		return fmt.Sprintf("%.3f", x)
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// times is how many times y x is; a dash if y is 0.
func times(x, y float64) string {
	if y == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f ×", x/y)
}
