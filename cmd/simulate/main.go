// The command simulate tries schedules of the simulation and says what held.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/test/simulation"
)

type command struct {
	Seeds   uint64  `help:"How many schedules to try." default:"20000"`
	From    uint64  `help:"The first seed."`
	Seed    *uint64 `help:"Print the history of this one seed in words, and nothing else." xor:"one"`
	Without string  `help:"Take the guard of this name away, to see what breaks." placeholder:"GUARD"`
	Guards  bool    `help:"List the guards that can be taken away."`
}

func main() {
	var c command
	kong.Parse(&c, kong.Name("simulate"), kong.Description(
		"Runs the real tasks over simulated tables, executions and failures, and checks the guarantees after every "+
			"step and at rest."))
	os.Exit(c.run())
}

func (c *command) run() int {
	plan, ok := c.plan()
	switch {
	case !ok:
		fmt.Fprintf(os.Stderr, "there is no guard %q; --guards lists them\n", c.Without)
		return 2
	case c.Guards:
		for _, guard := range simulation.Guards {
			fmt.Println(guard.Name)
		}
		return 0
	case c.Seed != nil:
		return tell(*c.Seed, plan(*c.Seed))
	}
	return c.try(plan)
}

// plan returns what a seed's schedule may contain.
func (c *command) plan() (func(seed uint64) simulation.Plan, bool) {
	if c.Without == "" {
		return simulation.Seeded, true
	}
	for _, guard := range simulation.Guards {
		if guard.Name == c.Without {
			return func(uint64) simulation.Plan { return guard.Without() }, true
		}
	}
	return nil, false
}

func (c *command) try(plan func(uint64) simulation.Plan) int {
	var next, tried, steps atomic.Uint64
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
				tried.Add(1)
				steps.Add(uint64(result.Steps))
				if result.Violation != "" {
					failed.CompareAndSwap(nil, &seed)
				}
			}
		})
	}
	workers.Wait()
	seconds := time.Since(begun).Seconds()
	fmt.Printf("%d schedules, %d calls ordered, %.0f schedules per second\n", tried.Load(), steps.Load(),
		float64(tried.Load())/seconds)
	if seed := failed.Load(); seed != nil {
		return tell(*seed, plan(*seed))
	}
	fmt.Println("all guarantees held: counted once, nothing lost, moved when it may, messages delivered once, all " +
		"means all, nothing stuck")
	return 0
}

// tell prints the history of one seed.
func tell(seed uint64, plan simulation.Plan) int {
	result := simulation.Run(seed, plan, os.Stdout)
	if result.Violation != "" {
		fmt.Printf("\nseed %d broke a guarantee: %s\n", seed, result.Violation)
		return 1
	}
	fmt.Printf("\nseed %d: all guarantees held over %d calls\n", seed, result.Steps)
	return 0
}
