// The command model runs the model of AWS's quotas: the tables of docs/scaling.md, or a run of a shape of your own.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/internal/quota"
)

type command struct {
	Tables tablesCommand `cmd:"" default:"withargs" help:"Print the tables of docs/scaling.md."`
	Run    runCommand    `cmd:"" help:"Model one run."`
}

type tablesCommand struct {
	Write string `help:"Write them between the markers of this document, too." placeholder:"FILE"`
}

type runCommand struct {
	Files       int            `default:"25000" help:"Files of the run."`
	Collections int            `default:"200" help:"Collections of the run."`
	Spread      quota.Spread   `default:"even" enum:"even,skewed,hot" help:"Of the files over the collections: even, skewed or hot."`
	Active      int            `default:"150" help:"Collections that are sent at the same time."`
	Rate        float64        `help:"Files a second; 0: all wait in the queue at the start."`
	Partitions  int            `default:"1" help:"Over which DynamoDB has split the run's rows."`
	Workflow    quota.Workflow `default:"STANDARD" enum:"STANDARD,EXPRESS" help:"workflowType."`
	BatchSize   int            `default:"1" help:"batchSize."`
	Window      float64        `help:"batchWindowSeconds."`
	Reserved    int            `help:"Reserved concurrency of increment."`
	Seed        uint64         `default:"1" help:"Another seed, other coincidences."`
}

func main() {
	var c command
	ctx := kong.Parse(&c, kong.Name("model"),
		kong.Description("A discrete-event model of AWS's quotas on the way of a message: see docs/scaling.md."))
	ctx.FatalIfErrorf(ctx.Run())
}

// Run prints the tables.
func (c *tablesCommand) Run() error {
	tables := quota.All()
	for _, table := range tables {
		fmt.Printf("%s\n%s\n", table.Name, table.Markdown())
	}
	if c.Write == "" {
		return nil
	}
	document, err := os.ReadFile(c.Write)
	if err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	text, err := fill(string(document), tables)
	if err != nil {
		return fmt.Errorf("filling %s: %w", c.Write, err)
	}
	return os.WriteFile(c.Write, []byte(text), 0o644)
}

// fill puts each table between its markers in a document.
func fill(document string, tables []quota.Table) (string, error) {
	for _, table := range tables {
		begin, end := fmt.Sprintf("<!-- model: %s -->\n", table.Name), "<!-- end -->"
		before, rest, found := strings.Cut(document, begin)
		_, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			return "", fmt.Errorf("it has no %q followed by %q", strings.TrimSpace(begin), end)
		}
		document = before + begin + table.Markdown() + end + after
	}
	return document, nil
}

// Run models one run and prints how it went.
func (c *runCommand) Run() error {
	shape := quota.Shape{Files: c.Files, Collections: c.Collections, Spread: c.Spread, Active: c.Active, Rate: c.Rate,
		Partitions: c.Partitions}
	settings := quota.Settings{Workflow: c.Workflow, BatchSize: c.BatchSize, Window: c.Window, Reserved: c.Reserved}
	if c.BatchSize > 10 && c.Window < 1 {
		settings.Window = 1 // as the stack does: AWS asks for it
	}
	if c.Files < c.Collections || c.Collections < 1 || c.BatchSize < 1 || c.BatchSize > 100 {
		return fmt.Errorf("a run has at least a file for each collection, a batch 1 to 100 messages: not %d files, "+
			"%d collections, batchSize %d", c.Files, c.Collections, c.BatchSize)
	}
	r := quota.Run(shape, settings, quota.PublishedLimits(), quota.Assumed, c.Seed)
	fmt.Printf("%s: %.0f s, %.0f s after the last file; complete: %t; %d messages given up, %d returned to the queue\n",
		settings, r.Duration, r.Duration-r.Delivered, r.Complete, r.GivenUp, r.Returned)
	fmt.Printf("%d executions (at most %d open), %d calls of increment (at most %d at a time, %d retries)\n",
		r.Executions, r.MostOpen, r.Calls, r.MostCalls, r.Retries)
	fmt.Printf("%d groups counted, %d updates refused since a page was turned, %d pages read; senders held up for "+
		"%.0f s\n", r.Groups, r.Refused, r.PagesRead, r.SendersHeld)
	if first, ok := r.First(); ok {
		fmt.Printf("first waited for, a second or more: %s, after %.0f s\n", first, r.Waits[first].First)
	}
	fmt.Printf("\n%-32s %12s %12s %12s\n", "waited for", "s in all", "longest, s", "requests")
	for kind, wait := range r.Waits {
		if wait.Throttled > 0 {
			fmt.Printf("%-32s %12.0f %12.2f %12d\n", quota.Kind(kind), wait.Bound, wait.Longest, wait.Throttled)
		}
	}
	bill := r.Bill()
	fmt.Printf("\n%-36s %16s %12s\n", "at list prices", "quantity", "USD")
	for _, line := range bill.Lines {
		fmt.Printf("%-36s %16.2f %12.4f\n", line.Name, line.Quantity, line.USD)
	}
	fmt.Printf("%-36s %16s %12.2f\n", "in all", "", bill.Total())
	return nil
}
