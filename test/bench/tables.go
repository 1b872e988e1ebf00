package main

import (
	"cmp"
	"fmt"
	"strings"
)

// row is a line of a table.
func row(name string, figures ...float64) []string {
	line := []string{name}
	for _, figure := range figures {
		line = append(line, number(figure))
	}
	return line
}

// speedTable compares all configurations, ratios first.
func speedTable(out *strings.Builder, r results) {
	var lines [][]string
	fastest, cheapest := bestBaseline(r.Speeds), r.cheapestBaseline()
	for _, name := range names {
		speed, ok := r.best(name)
		if !ok {
			continue
		}
		files, sameBatch := speed.filesPerSecond(), "-"
		if same, ok := r.best("baseline " + batchOf(name)); ok {
			sameBatch = times(files / same.filesPerSecond())
		}
		line := []string{name, sameBatch, times(files / fastest)}
		c, ok := r.cost(name)
		if !ok {
			lines = append(lines, append(line, "-", "-", number(files)))
			continue
		}
		invoked := c.invocations()
		line = append(line, percent(files*r.floor(c)/1000), times(c.Million/cheapest), number(files))
		for _, n := range []float64{float64(c.allCalls()), float64(c.tableCalls()),
			float64(c.Functions.RepeatedUpdates), c.Functions.writeUnits(), c.Functions.readUnits(),
			float64(c.Executions), float64(c.States), float64(invoked.Calls), invoked.Seconds * 1000} {
			line = append(line, number(c.perFile(n)))
		}
		lines = append(lines, append(line, fmt.Sprintf("%.2f", c.Million)))
	}
	writeTable(out, []string{"configuration", "speed, × baseline at this batch size", "speed, × baseline's best",
		"of the engine's ceiling", "price, × baseline's cheapest", "files/s", "calls/file", "DynamoDB calls/file",
		"repeated row updates/file", "write units/file", "read units/file", "executions/file", "states/file",
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
	head, lines := []string{"calls/file"}, [][]string{}
	for _, counted := range r.Counts {
		head = append(head, counted.Name)
	}
	add := func(name string, of func(cost) float64) {
		line, sum := []string{name}, 0.0
		for _, counted := range r.Counts {
			sum += of(counted)
			line = append(line, number(of(counted)))
		}
		if sum > 0 || !strings.Contains(name, ".") {
			lines = append(lines, line)
		}
	}
	for _, kind := range append(kinds, "SQS.SendMessage", "SNS.Publish") {
		add(kind, func(c cost) float64 { return c.perFile(float64(c.Functions.Kinds[kind] + c.Runner.Kinds[kind])) })
	}
	add("conditional updates refused", func(c cost) float64 { return c.perFile(float64(c.refusedUpdates())) })
	add("row updates repeated after a refusal",
		func(c cost) float64 { return c.perFile(float64(c.Functions.RepeatedUpdates)) })
	add("read units of queries and single reads, each collection", func(c cost) float64 {
		return (c.Functions.ReadUnits["DynamoDB.Query"] + c.Functions.ReadUnits["DynamoDB.GetItem"]) /
			float64(c.Shape.Collections)
	})
	writeTable(out, head, lines)
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
			lines = append(lines, append([]string{name, fmt.Sprint(w.Batch)},
				row(fmt.Sprint(w.Messages), w.CPU, w.Allocated/1024, mb(w.Memory))...))
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
		lines = append(lines, append([]string{s.Name, fed}, row(fmt.Sprint(s.Feeding.Concurrent), s.filesPerSecond(),
			s.EngineCPU/s.Seconds, s.FunctionCPU/s.Seconds, s.OwnCPU/s.Seconds,
			1000*s.EngineCPU/float64(s.Shape.total()))...))
	}
	writeTable(out, []string{"configuration", "fed by the", "concurrent batches", "files/s", "engine, cores",
		"functions, cores", "runner, cores", "engine CPU ms/file"}, lines)
}

func ceilingTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, c := range r.Ceilings {
		lines = append(lines, row(c.Call, c.PerSecond, c.EngineMS))
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
		line := row(name, speed.filesPerSecond())
		if c, ok := costOf(r.Hot, name); ok {
			line = append(row(name, speed.filesPerSecond(), float64(c.Executions), c.perFile(float64(c.tableCalls())),
				c.perFile(c.Functions.writeUnits()), c.perFile(float64(c.refusedUpdates())),
				c.perFile(float64(c.Functions.RepeatedUpdates))), "exact")
		}
		lines = append(lines, line)
	}
	writeTable(out, []string{"configuration", "files/s", "executions", "DynamoDB calls/file", "write units/file",
		"refused/file", "row updates repeated after a refusal/file", "counters"}, lines)
}

func linearTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, s := range r.Linear {
		lines = append(lines, row(fmt.Sprint(s.Shape.total()), 1000/s.filesPerSecond(), s.filesPerSecond(),
			mb(s.FunctionMemory)))
	}
	writeTable(out, []string{"files", "ms/file", "files/s", "largest function, MB"}, lines)
}

func mixedTable(out *strings.Builder, r results) {
	var lines, counts [][]string
	all := r.Mixed
	if usual, ok := r.best("Standard 100"); ok {
		all = append(all[:len(all):len(all)], usual)
	}
	for _, s := range all {
		mixed := fmt.Sprint(s.Shape.InFlight)
		if s.Shape.InFlight == 0 {
			mixed = fmt.Sprintf("all %d", s.Shape.Collections)
		}
		lines = append(lines, row(mixed, s.filesPerSecond()))
	}
	writeTable(out, []string{"Standard 100, collections mixed", "files/s"}, lines)
	for _, many := range r.MixedCounts {
		few, _ := r.cost(many.Name)
		for _, c := range []cost{few, many} {
			mixed := min(cmp.Or(c.Shape.InFlight, c.Shape.Collections), c.Shape.Collections)
			counts = append(counts, append([]string{c.Name, fmt.Sprint(mixed)}, row(fmt.Sprint(c.Shape.Files),
				c.perFile(c.Functions.writeUnits()), c.perFile(c.Functions.readUnits()),
				c.perFile(float64(c.tableCalls())), c.perFile(float64(c.Functions.RepeatedUpdates)))...))
		}
	}
	out.WriteString("\n")
	writeTable(out, []string{"configuration", "collections mixed", "files of each", "write units/file",
		"read units/file", "DynamoDB calls/file", "row updates repeated after a refusal/file"}, counts)
}

func functionTable(out *strings.Builder, r results) {
	var lines [][]string
	for _, f := range r.Functions {
		lines = append(lines, row(f.Task, f.ColdStart.Seconds()*1000, f.ColdCPU.Seconds()*1000, mb(f.Size),
			mb(f.ColdMemory), mb(f.LoadMemory)))
	}
	writeTable(out, []string{"function", "cold start ms", "of CPU ms", "binary MB", "memory at start MB",
		"memory at most MB"}, lines)
}
