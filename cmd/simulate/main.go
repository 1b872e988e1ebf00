// The command simulate runs schedules of the simulation and checks the guarantees.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/test/simulation"
)

type command struct {
	Seeds     uint64  `help:"Number of schedules." default:"20000"`
	From      uint64  `help:"First seed."`
	Seed      *uint64 `help:"Print the history of this seed only."`
	Mutation  string  `help:"Run without the guard of this name." placeholder:"GUARD"`
	Mutations bool    `help:"List the guards that a mutation can remove."`

	out, err io.Writer
}

func main() {
	c := command{out: os.Stdout, err: os.Stderr}
	kong.Parse(&c, kong.Name("simulate"), kong.Description(
		"Runs the real tasks over simulated tables, executions and failures. Checks the guarantees after every "+
			"step and at the end of each phase."))
	os.Exit(c.run())
}

func (c *command) run() int {
	plan, ok := c.plan()
	switch {
	case !ok:
		fmt.Fprintf(c.err, "no mutation removes the guard %q: --mutations lists the guards\n", c.Mutation)
		return 2
	case c.Mutations:
		for _, mutation := range simulation.Mutations {
			fmt.Fprintln(c.out, mutation.Name)
		}
		return 0
	case c.Seed != nil:
		return c.history(*c.Seed, plan(*c.Seed))
	}
	return c.schedules(plan)
}

// plan returns the plan for each seed.
func (c *command) plan() (func(seed uint64) simulation.Plan, bool) {
	if c.Mutation == "" {
		return simulation.Seeded, true
	}
	for _, mutation := range simulation.Mutations {
		if mutation.Name == c.Mutation {
			return func(uint64) simulation.Plan { return mutation.Plan() }, true
		}
	}
	return nil, false
}

func (c *command) schedules(plan func(uint64) simulation.Plan) int {
	var next, finished, steps atomic.Uint64
	var failed atomic.Pointer[uint64]
	var workers sync.WaitGroup
	begun := time.Now()
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for failed.Load() == nil {
				seed := next.Add(1) - 1
				if seed >= c.Seeds {
					return
				}
				seed += c.From
				result := simulation.Run(seed, plan(seed), nil)
				finished.Add(1)
				steps.Add(uint64(result.Steps))
				if result.Violation != "" {
					failed.CompareAndSwap(nil, &seed)
				}
			}
		})
	}
	workers.Wait()
	seconds := time.Since(begun).Seconds()
	fmt.Fprintf(c.out, "%d schedules, %d calls, %.0f schedules per second\n", finished.Load(), steps.Load(),
		float64(finished.Load())/seconds)
	if seed := failed.Load(); seed != nil {
		return c.history(*seed, plan(*seed))
	}
	fmt.Fprintln(c.out, "all guarantees held: counted once, nothing lost, moved when it may, messages delivered once, "+
		"all means all, nothing stuck")
	return 0
}

// history prints the history of one seed.
func (c *command) history(seed uint64, plan simulation.Plan) int {
	result := simulation.Run(seed, plan, c.out)
	if result.Violation != "" {
		fmt.Fprintf(c.out, "\nseed %d broke a guarantee: %s\n", seed, result.Violation)
		return 1
	}
	fmt.Fprintf(c.out, "\nseed %d: all guarantees held over %d calls\n", seed, result.Steps)
	return 0
}
