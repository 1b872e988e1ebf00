package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// names are the configurations, in the order of the tables.
var names = []string{"baseline 1", "baseline 10", "Standard 1", "Standard 10", "Standard 100", "Express 1",
	"Express 10", "Express 100"}

// reading is the report's prose: how to read it, and what binds.
//
//go:embed reading.md
var reading string

type report struct{ table, document string }

// writeReport makes the tables that are printed, and docs/benchmarks.md around them.
func writeReport(r results, micro string) report {
	var table, d strings.Builder
	speedTable(&table, r)
	if r.Base != nil {
		fmt.Fprintf(&table, "\n%s", compared(figures(*r.Base, r), figures(r, r), r.BaseCommit, "now"))
	}
	fmt.Fprintf(&d, "# Benchmarks\n\n`make bench` wrote this file on %s. It took %.0f s on %d cores (%s, %s) with %s "+
		"and %s; the machine's load was %.1f at the beginning.\n\n",
		r.Taken.Format("2006-01-02 15:04 UTC"), r.Seconds, r.Machine.Cores, r.Machine.Processor, r.Machine.System,
		r.Machine.Go, r.Machine.Engine, r.Machine.Load)
	d.WriteString(table.String() + "\n" + reading)
	for _, part := range parts {
		fmt.Fprintf(&d, "\n## %s\n\n", part.title)
		if part.text != "" {
			d.WriteString(part.text + "\n\n")
		}
		part.write(&d, r)
	}
	if micro != "" {
		fmt.Fprintf(&d, "\n## Go benchmarks\n\n```\n%s```\n", micro)
	}
	return report{table: table.String(), document: d.String()}
}

// parts are the sections of docs/benchmarks.md after reading.md.
var parts = []struct {
	title, text string
	write       func(*strings.Builder, results)
}{
	{"Calls for each file", "Of a whole run, to the second notification: the calls by the functions, and by the " +
		"local runner that stands for the pipe. A row update is *repeated after a refusal* if the same call of a " +
		"function had an update of that row refused before.", callTable},
	{"One receipt at a time", fmt.Sprint(receiptMessages, " messages of one collection, each sent after the one ",
		"before it is finished. The DynamoDB calls of one receipt that completes nothing, and the sum of their times ",
		"on this engine (median)."), receiptTable},
	{"The function itself", "The real program of the function that counts, fed through Lambda's runtime interface " +
		"over tables that answer at once, without engine and DynamoDB. Messages of 10 collections, mixed, in a warm " +
		"process. *CPU* is the time of its process in user and system mode, the median of several rounds. " +
		"*Allocated* is how much the process grows for each message without garbage collection (`GOGC=off`). " +
		"*Memory* is the peak of resident memory.", workTable},
	{"Where the time goes", "Cores in use, on average, while the files were counted. The engine is one Python " +
		"process, which can fill one core: that is the ceiling.", coreTable},
	{"The engine's own ceiling", "Bare calls, eight at a time, with no other work.", ceilingTable},
	{"One collection", "All files are of one collection. Speeds are measured without counters, the rest with them. " +
		"*Refused* are all conditional updates that were refused.", hotTable},
	{"Growth with the run", "Express 100 with N, 2N and 4N files, one after the other on one engine.", linearTable},
	{"Mixed collections", "By the number of collections that are mixed: a batch is grouped by collection. The fewer " +
		"files a collection has, the more its completion weighs.", mixedTable},
	{"Price of a million files", "", func(d *strings.Builder, r results) { d.WriteString(priceTable(r)) }},
	{"Functions", "Cold start: from the start of the process to its first poll of the runtime interface, median. " +
		"Memory: the peak of resident memory of any process under the whole load above.", functionTable},
}

// writeTable writes Markdown that is also readable as text.
func writeTable(out *strings.Builder, head []string, lines [][]string) {
	widths := make([]int, len(head))
	for _, line := range append([][]string{head}, lines...) {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	row := func(cells []string, fill string) {
		for i := range head {
			cell := ""
			if i < len(cells) {
				cell = cells[i]
			}
			pad := strings.Repeat(fill, widths[i]-len([]rune(cell)))
			if i == 0 {
				fmt.Fprintf(out, "| %s%s |", cell, pad)
			} else {
				fmt.Fprintf(out, " %s%s |", pad, cell)
			}
		}
		out.WriteString("\n")
	}
	row(head, " ")
	rules := make([]string, len(head))
	for i := range rules {
		rules[i] = ":-"
		if i > 0 {
			rules[i] = strings.Repeat("-", widths[i]-1) + ":"
		}
	}
	row(rules, "-")
	for _, line := range lines {
		row(line, " ")
	}
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

func times(x float64) string   { return fmt.Sprintf("%.2f ×", x) }
func percent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }
func mb(bytes int64) float64   { return float64(bytes) / (1 << 20) }
