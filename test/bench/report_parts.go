package main

import (
	"fmt"
	"strings"
)

// parts are the sections of docs/benchmarks.md after the one on how to read it: a title, what there is to say, a table.
var parts = []struct {
	title, text string
	write       func(*strings.Builder, results)
}{
	{"What the calls are", "For each file of a whole run, to the second notification: the calls of the functions, and " +
		"of what stands for the pipe or the mapping. A row update is *repeated after a refusal* if the same call of a " +
		"function had an update of that row refused before.", callTable},
	{"One receipt at a time",
		fmt.Sprint(receiptMessages, " messages of one collection, each sent when the one before it is ",
			"done and nothing runs: the DynamoDB calls of one receipt that completes nothing, and the sum of their "+
				"times on this ",
			"engine (median)."), receiptTable},
	{"What the function itself costs", "The real program of the function that counts, fed through Lambda's runtime " +
		"interface over tables that answer at once: no engine and no DynamoDB in it. Messages of 10 collections, " +
		"mixed, in " +
		"a warm process. *CPU* is the time of its process in user and system mode, the median of rounds in turn. " +
		"*Allocated* is how much the process grows for each message while nothing is collected (`GOGC=off`); a program " +
		"does not tell from outside how many objects that are (the Go benchmarks below do). *Memory* is the most " +
		"that was " +
		"resident.", workTable},
	{"Where the time goes", "Cores that were busy on average while the files were counted. The engine is one Python " +
		"process: it can fill one core, and what fills it is the ceiling.", coreTable},
	{"The engine's own ceiling", "Bare calls, eight at a time, with nothing else to do.", ceilingTable},
	{"One collection", "All files are of one collection. Speeds are measured straight on the engine, the rest through " +
		"the counters. *Refused* are all conditional updates that were refused.", hotTable},
	{"Linear, and flat", "Express 100 with N, 2N and 4N files, one after the other on one engine.", linearTable},
	{"Mixed collections", "By how many collections' receipts are mixed: a batch is grouped by collection. The fewer " +
		"files " +
		"a collection has, the more of the cost is its completion.", mixedTable},
	{"Price of a million files", "", func(d *strings.Builder, r results) { d.WriteString(priceTable(r)) }},
	{"Functions", "Cold start: from the start of the process to its first poll of the runtime interface, median. " +
		"Memory: " +
		"the most that was resident, of any process under all of the load above.", functionTable},
}
