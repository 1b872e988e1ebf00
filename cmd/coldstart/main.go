// The command coldstart measures the cold starts of built functions and prints a table.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/test/bench/coldstart"
)

type command struct {
	Binaries []string `arg:"" help:"The functions' binaries, built for this machine: several builds of one are measured turn by turn."`
	Starts   int      `help:"How often to start each." default:"50"`
}

func main() {
	var c command
	kong.Parse(&c, kong.Name("coldstart"), kong.Description(
		"Measures functions from the start of their process to their first poll of Lambda's runtime interface "+
			"(medians, user CPU: the mean)."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := c.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run starts the binaries turn by turn, so that what else the machine does meets them alike.
func (c *command) run(ctx context.Context) error {
	results := make([]coldstart.Result, len(c.Binaries))
	for range c.Starts {
		for i, binary := range c.Binaries {
			result, err := coldstart.Measure(ctx, binary, coldstart.Environment(), 1)
			if err != nil {
				return err
			}
			result.Starts = append(results[i].Starts, result.Starts...)
			results[i] = result
		}
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "binary\tMB\tfirst poll ms\tCPU ms\tof it user ms\tpeak memory MB")
	for _, result := range results {
		m := result.Typical()
		fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\n", result.Binary, float64(result.Size)/1e6,
			milliseconds(m.Wall), milliseconds(m.CPU), milliseconds(m.UserCPU), float64(m.PeakMemory)/1e6)
	}
	return table.Flush()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
