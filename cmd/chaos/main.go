// The command chaos injects faults around the stack, deployed to a local engine of its own, and checks the guarantees.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/local"
	"snapshot-status-checker/test/chaos"
)

type command struct {
	Collections int              `env:"COLLECTIONS" default:"100" help:"Collections of the run."`
	Messages    int              `env:"MESSAGES" default:"10000" help:"Files of the run; a fifth is sent twice."`
	Seed        uint64           `env:"SEED" help:"Of sizes, order and duplicates (default: the time)."`
	BatchSize   int              `default:"10" help:"Batch size of the deployed pipe."`
	CountBy     snapshot.CountBy `env:"COUNT_BY" default:"message" help:"Or file: a tenth of the files comes twice."`
	KillEvery   int              `default:"100" help:"Mean number of requests of the functions between two kills."`
	LongestHang time.Duration    `default:"40s" help:"Longest time that an answer hangs."`
}

// The second sweep after its lease delivers the message of a dead owner.
const timeout = store.DefaultLease + 5*time.Minute

func main() {
	var c command
	kong.Parse(&c, kong.Name("chaos"), kong.Description(
		"Sends a run through the stack on a local engine of its own, cuts connections, kills processes, writes to the "+
			"same rows, and checks the guarantees."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := c.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if !ok {
		os.Exit(1)
	}
}

func (c *command) run(ctx context.Context) (ok bool, err error) {
	project, err := local.FindProject()
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		return false, fmt.Errorf("making a folder for the engine: %w", err)
	}
	defer os.RemoveAll(dir)
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().Unix())
	}
	report, err := chaos.Run(ctx, project, chaos.Options{
		Collections: c.Collections, Messages: c.Messages, Seed: c.Seed, BatchSize: c.BatchSize,
		CountBy: c.CountBy, KillEvery: c.KillEvery, LongestHang: c.LongestHang, WaitScale: 1, Timeout: timeout,
		Dir: dir, Log: os.Stdout,
	})
	if err != nil {
		return false, err
	}
	report.Print(os.Stdout)
	return len(report.Broken) == 0, nil
}
