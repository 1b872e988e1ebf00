package main

import (
	"fmt"
	"strings"
)

// figure is a number that was measured, and the baseline's, 0 if it has none.
type figure struct {
	name            string
	value, baseline float64
}

// figures are those in which two versions, or two runs of the benchmarks, are compared. The baseline's are those of of.
func figures(r, of results) (all []figure) {
	add := func(name string, value, baseline float64) { all = append(all, figure{name, value, baseline}) }
	for _, name := range names {
		for _, s := range []struct {
			what      string
			now, base []speed
		}{{"", r.Speeds, of.Speeds}, {", one collection", r.HotSpeeds, of.HotSpeeds}} {
			if found, ok := best(s.now, name); ok {
				add(name+s.what+": files/s", found.filesPerSecond(), bestBaseline(s.base))
				add(name+s.what+": engine CPU ms/file", leastCPU(s.now, name),
					leastCPU(s.base, "baseline "+batchOf(name)))
			}
		}
	}
	for _, name := range names {
		if found, ok := r.cost(name); ok {
			base, _ := of.cost("baseline " + batchOf(name))
			all = append(all, costFigures(name, found, base)...)
			add(name+": USD a million files", found.Million, of.cheapestBaseline())
		}
		if found, ok := costOf(r.Hot, name); ok {
			all = append(all, costFigures(name+", one collection", found, cost{})...)
		}
		if found, ok := costOf(r.MixedCounts, name); ok {
			all = append(all, costFigures(fmt.Sprintf("%s, all %d mixed", name, found.Shape.Collections), found,
				cost{})...)
		}
	}
	for _, found := range r.Receipts {
		base := receiptOf(of.Receipts, "baseline")
		add(found.Name+", one receipt at a time: DynamoDB calls", found.tableCalls(), base.tableCalls())
		add(found.Name+", one receipt at a time: ms of them", 1000*found.Seconds, 1000*base.Seconds)
	}
	for i, found := range r.Work {
		var base work
		if i < len(of.BaselineWork) {
			base = of.BaselineWork[i]
		}
		name := fmt.Sprintf("the function that counts, batch %d: ", found.Batch)
		add(name+"CPU µs a message", found.CPU, base.CPU)
		add(name+"KB allocated a message", found.Allocated/1024, base.Allocated/1024)
		add(name+"MB in memory", mb(found.Memory), mb(base.Memory))
	}
	for _, f := range r.Functions {
		add(f.Task+": cold start, ms", f.ColdStart.Seconds()*1000, 0)
		add(f.Task+": MB on disk", mb(f.Size), 0)
		add(f.Task+": MB in memory", mb(f.LoadMemory), 0)
	}
	for _, c := range r.Ceilings {
		add("engine: "+c.Call+", a second", c.PerSecond, 0)
	}
	return all
}

// costFigures are those of a counted run; base is the baseline's run at this batch size, if any.
func costFigures(name string, c, base cost) (all []figure) {
	add := func(what string, of func(cost) float64) {
		f := figure{name: name + ": " + what, value: c.perFile(of(c))}
		if base.Name != "" {
			f.baseline = base.perFile(of(base))
		}
		all = append(all, f)
	}
	add("calls/file", func(c cost) float64 { return float64(c.allCalls()) })
	add("DynamoDB calls/file", func(c cost) float64 { return float64(c.tableCalls()) })
	add("write units/file", func(c cost) float64 { return c.Functions.writeUnits() })
	add("read units/file", func(c cost) float64 { return c.Functions.readUnits() })
	add("row updates repeated after a refusal/file",
		func(c cost) float64 { return float64(c.Functions.RepeatedUpdates) })
	add("states/file", func(c cost) float64 { return float64(c.States) })
	return all
}

func batchOf(name string) string { return name[strings.LastIndexByte(name, ' ')+1:] }

// compared is a table of the figures that both have.
func compared(older, newer []figure, olderName, newerName string) string {
	before := map[string]float64{}
	for _, f := range older {
		before[f.name] = f.value
	}
	ratio := func(x, y float64) string {
		if y == 0 {
			return "-"
		}
		return times(x / y)
	}
	var lines [][]string
	for _, f := range newer {
		if was, ok := before[f.name]; ok {
			lines = append(lines, []string{f.name, number(was), number(f.value), ratio(f.value, was),
				ratio(f.value, f.baseline)})
		}
	}
	var out strings.Builder
	writeTable(&out, []string{"", olderName, newerName, newerName + " / " + olderName, newerName + " / baseline"},
		lines)
	return out.String()
}
