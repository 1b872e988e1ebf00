package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// names are the configurations, in the order of the tables.
var names = []string{"baseline 1", "baseline 10", "Standard 1", "Standard 10", "Standard 100", "Express 1", "Express 10", "Express 100"}

// reading is the report's prose: how to read it, and what binds.
//
//go:embed reading.md
var reading string

type report struct{ table, document string }

// writeReport makes the one table that is printed, and docs/benchmarks.md around it.
func writeReport(r results, micro string) report {
	var table, d strings.Builder
	speedTable(&table, r)
	fmt.Fprintf(&d, "# Benchmarks\n\nMeasured by `make bench` on %s in %.0f s, on %d cores (%s, %s), %s, %s; load of the machine when it began: %.1f. "+
		"This file is written anew by each `make bench`.\n\n",
		r.Taken.Format("2006-01-02 15:04 UTC"), r.Seconds, r.Machine.Cores, r.Machine.Processor, r.Machine.System, r.Machine.Go, r.Machine.Engine, r.Machine.Load)
	d.WriteString(table.String())
	d.WriteString("\n" + reading + "\n## What the calls are\n\nFor each file of a whole run, to the second news; the calls of the functions, and of what stands for the pipe or the mapping.\n\n")
	callTable(&d, r)
	d.WriteString("\n## Where the time goes\n\nCores that were busy on average while the files were counted. The engine is one Python process: it can fill one core, and what fills it is the ceiling.\n\n")
	coreTable(&d, r)
	d.WriteString("\n## The engine's own ceiling\n\nBare calls, eight at a time, with nothing else to do.\n\n")
	ceilingTable(&d, r)
	d.WriteString("\n## Hot collection\n\nAll files are of one collection, Standard, through the counters. A late update is a conditional update of the row that came too late and was refused; what had still to be brought up to date was then read again. More executions than updates means that the others found the row up to date and did not write.\n\n")
	hotTable(&d, r)
	d.WriteString("\n## Linear, and flat\n\nExpress 100 with N, 2N and 4N files, one after the other on one engine.\n\n")
	linearTable(&d, r)
	d.WriteString("\n## Mixed collections\n\nStandard 100, by how many collections' receipts are mixed: a batch is grouped by collection, and each group is a transaction and an update.\n\n")
	mixedTable(&d, r)
	d.WriteString("\n## Price of a million files\n\n")
	d.WriteString(priceTable(r))
	d.WriteString("\n## Functions\n\nCold start: from the start of the process to its first poll of the runtime interface, median. Memory: the most that was resident, of any process under all of the load above.\n\n")
	functionTable(&d, r)
	if micro != "" {
		fmt.Fprintf(&d, "\n## Go benchmarks\n\n```\n%s```\n", micro)
	}
	return report{table: table.String(), document: d.String()}
}

// speedTable is the one table: ratios first.
func speedTable(out *strings.Builder, r results) {
	var lines [][]string
	fastest, _ := r.best("baseline 10")
	if one, _ := r.best("baseline 1"); fastest.Seconds == 0 || one.Seconds > 0 && one.filesPerSecond() > fastest.filesPerSecond() {
		fastest = one
	}
	cheapest := r.cheapestBaseline()
	for _, name := range names {
		speed, ok := r.best(name)
		if !ok {
			continue
		}
		line := []string{name}
		if same, ok := r.best("baseline " + name[strings.LastIndexByte(name, ' ')+1:]); ok {
			line = append(line, times(speed.filesPerSecond()/same.filesPerSecond()))
		} else {
			line = append(line, "-")
		}
		line = append(line, times(speed.filesPerSecond()/fastest.filesPerSecond()))
		counted, ok := r.cost(name)
		if !ok {
			lines = append(lines, append(line, "-", "-", number(speed.filesPerSecond())))
			continue
		}
		invoked := counted.invocations()
		lines = append(lines, append(line,
			percent(speed.filesPerSecond()*r.floor(counted)/1000), times(counted.Million/cheapest), number(speed.filesPerSecond()),
			number(counted.perFile(float64(counted.allCalls()))), number(counted.perFile(counted.Functions.writeUnits())),
			number(counted.perFile(counted.Functions.readUnits())), number(counted.perFile(float64(counted.Executions))),
			number(counted.perFile(float64(counted.States))), number(counted.perFile(float64(invoked.Calls))),
			number(counted.perFile(invoked.Seconds*1000)), fmt.Sprintf("%.2f", counted.Million)))
	}
	writeTable(out, []string{"configuration", "speed, × baseline at this batch size", "speed, × baseline's best", "of the engine's ceiling",
		"price, × baseline's cheapest", "files/s", "calls/file", "write units/file", "read units/file", "executions/file", "states/file",
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
	kinds := []string{"SQS.ReceiveMessage", "SQS.DeleteMessageBatch", "States.StartExecution", "States.StartSyncExecution", "Lambda.Invoke",
		"DynamoDB.BatchGetItem", "DynamoDB.GetItem", "DynamoDB.Query", "DynamoDB.TransactWriteItems", "DynamoDB.UpdateItem", "SQS.SendMessage", "SNS.Publish"}
	head := []string{"calls/file"}
	var lines [][]string
	for _, kind := range kinds {
		line := []string{kind}
		for _, counted := range r.Counts {
			line = append(line, number(counted.perFile(float64(counted.Functions.Kinds[kind]+counted.Runner.Kinds[kind]))))
		}
		lines = append(lines, line)
	}
	late, reads := []string{"late updates of rows"}, []string{"read units of queries and single reads, each collection"}
	for _, counted := range r.Counts {
		head = append(head, counted.Name)
		late = append(late, number(counted.perFile(float64(counted.lateUpdates()))))
		reads = append(reads, number((counted.Functions.ReadUnits["DynamoDB.Query"]+counted.Functions.ReadUnits["DynamoDB.GetItem"])/float64(counted.Shape.Collections)))
	}
	writeTable(out, head, append(lines, late, reads))
}

func coreTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, s := range r.Speeds {
		fed := "runner"
		if s.Feeding.ByEngine {
			fed = "engine"
		}
		lines = append(lines, []string{s.Name, fed, fmt.Sprint(s.Feeding.SideBySide), number(s.filesPerSecond()), number(s.EngineCPU / s.Seconds),
			number(s.FunctionCPU / s.Seconds), number(s.OwnCPU / s.Seconds), number(1000 * s.EngineCPU / float64(s.Shape.total()))})
	}
	writeTable(out, []string{"configuration", "fed by the", "batches side by side", "files/s", "engine, cores", "functions, cores", "runner, cores", "engine CPU ms/file"}, lines)
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
	for _, c := range r.Hot {
		lines = append(lines, []string{c.Name, number(c.files() / c.Seconds), number(float64(c.Executions)), number(float64(c.Functions.Kinds["DynamoDB.TransactWriteItems"])),
			number(float64(c.Functions.Kinds["DynamoDB.UpdateItem"])), number(float64(c.lateUpdates())), "exact"})
	}
	writeTable(out, []string{"configuration", "files/s", "executions", "transactions", "updates", "of them late", "counters"}, lines)
}

func linearTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, s := range r.Linear {
		lines = append(lines, []string{fmt.Sprint(s.Shape.total()), number(1000 / s.filesPerSecond()), number(s.filesPerSecond()), number(mb(s.FunctionMemory))})
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
	writeTable(out, []string{"collections mixed", "files/s"}, lines)
}

func functionTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, f := range r.Functions {
		lines = append(lines, []string{f.Task, number(f.ColdStart.Seconds() * 1000), number(f.ColdCPU.Seconds() * 1000), number(mb(f.Size)), number(mb(f.ColdMemory)), number(mb(f.LoadMemory))})
	}
	writeTable(out, []string{"function", "cold start ms", "of CPU ms", "binary MB", "memory at start MB", "memory at most MB"}, lines)
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
