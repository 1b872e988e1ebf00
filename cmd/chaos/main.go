// The command chaos breaks what it can around the deployed stack, on an engine of its own, and says what held.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/local"
	"snapshot-status-checker/test/chaos"
)

type command struct {
	Collections int           `env:"COLLECTIONS" default:"100" help:"How many collections the run has."`
	Messages    int           `env:"MESSAGES" default:"10000" help:"How many files it has; a fifth of their messages are sent twice."`
	Seed        uint64        `env:"SEED" help:"Of the plan: sizes, order, duplicates (default: by the clock)."`
	BatchSize   int           `default:"10" help:"The deployed pipe's batchSize."`
	KillEvery   int           `default:"100" help:"Requests of the functions from one killed process to the next, on average."`
	LongestHang time.Duration `default:"40s" help:"Longest time that an answer is held back."`
}

// A message whose owner died for good is delivered by the second sweep after its lease at the latest.
const patience = store.DefaultLease + 3*time.Minute

func main() {
	var c command
	kong.Parse(&c, kong.Name("chaos"), kong.Description(
		"Sends a run through the stack on a local engine of its own while connections, processes and other writers "+
			"do what they can, "+
			"and holds what came of it against the guarantees."))
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
		KillEvery: c.KillEvery, LongestHang: c.LongestHang, WaitScale: 1, Patience: patience, Dir: dir, Log: os.Stdout,
	})
	if err != nil {
		return false, err
	}
	report.Print(os.Stdout)
	return len(report.Broken) == 0, nil
}
