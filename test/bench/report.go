package main

import (
	"cmp"
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
	fmt.Fprintf(&d, "# Benchmarks\n\nMeasured by `make bench` on %s in %.0f s, on %d cores (%s, %s), %s, %s; load "+
		"of the machine when it began: %.1f. "+
		"This file is written anew by each `make bench`.\n\n",
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

// speedTable is the one table: ratios first.
func speedTable(out *strings.Builder, r results) {
	var lines [][]string
	fastest := bestBaseline(r.Speeds)
	cheapest := r.cheapestBaseline()
	for _, name := range names {
		speed, ok := r.best(name)
		if !ok {
			continue
		}
		line := []string{name}
		if same, ok := r.best("baseline " + batchOf(name)); ok {
			line = append(line, times(speed.filesPerSecond()/same.filesPerSecond()))
		} else {
			line = append(line, "-")
		}
		line = append(line, times(speed.filesPerSecond()/fastest))
		counted, ok := r.cost(name)
		if !ok {
			lines = append(lines, append(line, "-", "-", number(speed.filesPerSecond())))
			continue
		}
		invoked := counted.invocations()
		lines = append(lines, append(line,
			percent(speed.filesPerSecond()*r.floor(counted)/1000), times(counted.Million/cheapest),
			number(speed.filesPerSecond()),
			number(counted.perFile(float64(counted.allCalls()))),
			number(counted.perFile(float64(counted.tableCalls()))),
			number(counted.perFile(float64(counted.Functions.RepeatedUpdates))),
			number(counted.perFile(counted.Functions.writeUnits())),
			number(counted.perFile(counted.Functions.readUnits())),
			number(counted.perFile(float64(counted.Executions))),
			number(counted.perFile(float64(counted.States))), number(counted.perFile(float64(invoked.Calls))),
			number(counted.perFile(invoked.Seconds*1000)), fmt.Sprintf("%.2f", counted.Million)))
	}
	writeTable(out, []string{"configuration", "speed, × baseline at this batch size", "speed, × baseline's best",
		"of the engine's ceiling",
		"price, × baseline's cheapest", "files/s", "calls/file", "DynamoDB calls/file", "repeated row updates/file",
		"write units/file", "read units/file", "executions/file", "states/file",
		"function calls/file", "function ms/file", "USD/million"}, lines)
}

func (r results) cheapestBaseline() float64 {
	one, _ := r.cost("baseline 1")
	ten, _ := r.cost("baseline 10")
	if ten.Million > 0 && ten.Million < one.Million {
		return ten.Million
	}
	return one.Million
}

func callTable(out *strings.Builder, r results) {
	kinds := []string{"SQS.ReceiveMessage", "SQS.DeleteMessageBatch", "States.StartExecution",
		"States.StartSyncExecution", "Lambda.Invoke"}
	for _, kind := range tableKinds {
		kinds = append(kinds, "DynamoDB."+kind)
	}
	head := []string{"calls/file"}
	var lines [][]string
	for _, kind := range append(kinds, "SQS.SendMessage", "SNS.Publish") {
		line, all := []string{kind}, 0
		for _, counted := range r.Counts {
			calls := counted.Functions.Kinds[kind] + counted.Runner.Kinds[kind]
			all += calls
			line = append(line, number(counted.perFile(float64(calls))))
		}
		if all > 0 {
			lines = append(lines, line)
		}
	}
	refused, repeated, reads := []string{"conditional updates refused"},
		[]string{"row updates repeated after a refusal"},
		[]string{"read units of queries and single reads, each collection"}
	for _, counted := range r.Counts {
		head = append(head, counted.Name)
		refused = append(refused, number(counted.perFile(float64(counted.refusedUpdates()))))
		repeated = append(repeated, number(counted.perFile(float64(counted.Functions.RepeatedUpdates))))
		reads = append(reads, number((counted.Functions.ReadUnits["DynamoDB.Query"]+
			counted.Functions.ReadUnits["DynamoDB.GetItem"])/float64(counted.Shape.Collections)))
	}
	writeTable(out, head, append(lines, refused, repeated, reads))
}

func receiptTable(out *strings.Builder, r results) {
	head := []string{"a receipt"}
	calls, sum := []string{"DynamoDB calls"}, []string{"ms of them"}
	for _, receipt := range r.Receipts {
		head = append(head, receipt.Name)
		calls, sum = append(calls, number(receipt.tableCalls())), append(sum, number(1000*receipt.Seconds))
	}
	var lines [][]string
	for _, kind := range tableKinds {
		line, all := []string{kind}, 0.0
		for _, receipt := range r.Receipts {
			all += receipt.perReceipt(kind)
			line = append(line, number(receipt.perReceipt(kind)))
		}
		if all > 0 {
			lines = append(lines, line)
		}
	}
	writeTable(out, head, append(lines, calls, sum))
}

func workTable(out *strings.Builder, r results) {
	var lines [][]string
	add := func(name string, all []work) {
		for _, w := range all {
			lines = append(lines, []string{name, fmt.Sprint(w.Batch), fmt.Sprint(w.Messages), number(w.CPU),
				number(w.Allocated / 1024), number(mb(w.Memory))})
		}
	}
	add("baseline", r.BaselineWork)
	if r.Base != nil {
		add(r.BaseCommit, r.Base.Work)
	}
	add("now", r.Work)
	writeTable(out, []string{"function of", "batch", "messages", "CPU µs a message", "KB allocated a message",
		"memory MB"}, lines)
}

func coreTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, s := range r.Speeds {
		fed := "runner"
		if s.Feeding.ByEngine {
			fed = "engine"
		}
		lines = append(lines, []string{s.Name, fed, fmt.Sprint(s.Feeding.SideBySide), number(s.filesPerSecond()),
			number(s.EngineCPU / s.Seconds),
			number(s.FunctionCPU / s.Seconds), number(s.OwnCPU / s.Seconds),
			number(1000 * s.EngineCPU / float64(s.Shape.total()))})
	}
	writeTable(out, []string{"configuration", "fed by the", "batches side by side", "files/s", "engine, cores",
		"functions, cores", "runner, cores", "engine CPU ms/file"}, lines)
}

func ceilingTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, c := range r.Ceilings {
		lines = append(lines, []string{c.Call, number(c.PerSecond), number(c.EngineMS)})
	}
	writeTable(out, []string{"call", "a second", "engine CPU ms"}, lines)
}

func hotTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, name := range names {
		speed, ok := best(r.HotSpeeds, name)
		if !ok {
			continue
		}
		line := []string{name, number(speed.filesPerSecond())}
		if c, ok := costOf(r.Hot, name); ok {
			line = append(line, number(float64(c.Executions)), number(c.perFile(float64(c.tableCalls()))),
				number(c.perFile(c.Functions.writeUnits())),
				number(c.perFile(float64(c.refusedUpdates()))), number(c.perFile(float64(c.Functions.RepeatedUpdates))),
				"exact")
		}
		lines = append(lines, line)
	}
	writeTable(out, []string{"configuration", "files/s", "executions", "DynamoDB calls/file", "write units/file",
		"refused/file",
		"row updates repeated after a refusal/file", "counters"}, lines)
}

func linearTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, s := range r.Linear {
		lines = append(lines, []string{fmt.Sprint(s.Shape.total()), number(1000 / s.filesPerSecond()),
			number(s.filesPerSecond()), number(mb(s.FunctionMemory))})
	}
	writeTable(out, []string{"files", "ms/file", "files/s", "largest function, MB"}, lines)
}

func mixedTable(out *strings.Builder, r results) {
	var lines [][]string
	all := r.Mixed
	if usual, ok := r.best("Standard 100"); ok {
		all = append(all[:len(all):len(all)], usual)
	}
	for _, s := range all {
		mixed := fmt.Sprint(s.Shape.InFlight)
		if s.Shape.InFlight == 0 {
			mixed = fmt.Sprintf("all %d", s.Shape.Collections)
		}
		lines = append(lines, []string{mixed, number(s.filesPerSecond())})
	}
	writeTable(out, []string{"Standard 100, collections mixed", "files/s"}, lines)
	var counts [][]string
	for _, many := range r.MixedCounts {
		few, _ := r.cost(many.Name)
		for _, c := range []cost{few, many} {
			mixed := min(cmp.Or(c.Shape.InFlight, c.Shape.Collections), c.Shape.Collections)
			counts = append(counts, []string{c.Name, fmt.Sprint(mixed), fmt.Sprint(c.Shape.Files),
				number(c.perFile(c.Functions.writeUnits())),
				number(c.perFile(c.Functions.readUnits())), number(c.perFile(float64(c.tableCalls()))),
				number(c.perFile(float64(c.Functions.RepeatedUpdates)))})
		}
	}
	out.WriteString("\n")
	writeTable(out, []string{"configuration", "collections mixed", "files of each", "write units/file",
		"read units/file", "DynamoDB calls/file",
		"row updates repeated after a refusal/file"}, counts)
}

func functionTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, f := range r.Functions {
		lines = append(lines, []string{f.Task, number(f.ColdStart.Seconds() * 1000), number(f.ColdCPU.Seconds() * 1000),
			number(mb(f.Size)), number(mb(f.ColdMemory)), number(mb(f.LoadMemory))})
	}
	writeTable(out, []string{"function", "cold start ms", "of CPU ms", "binary MB", "memory at start MB",
		"memory at most MB"}, lines)
}

// writeTable writes Markdown that reads well as text too.
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
