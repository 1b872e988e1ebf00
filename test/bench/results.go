package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"snapshot-status-checker/internal/price"
)

// results are what one run of the benchmarks found.
type results struct {
	Taken   time.Time
	Seconds float64 // that it took
	Machine machine
	Options options
	// Ceilings are the engine's own, with nothing else to do.
	Ceilings []ceiling
	// Speeds are the runs from the queue to the last received row, straight on the engine.
	Speeds []speed
	// Counts are whole runs through the counters.
	Counts []cost
	// Hot are runs of one collection, through the counters; HotSpeeds such runs straight on the engine.
	Hot       []cost
	HotSpeeds []speed
	// Linear are runs of N, 2N and 4N files.
	Linear []speed
	// Mixed are runs whose collections are more or less mixed.
	Mixed []speed
	// MixedCounts are whole runs of manyMixed collections that are all mixed, through the counters.
	MixedCounts []cost
	// Receipts came one at a time.
	Receipts  []receipt
	Functions []function
	// Work is what a message costs the function that counts; BaselineWork what it costs the baseline's.
	Work, BaselineWork []work
	// Base is what the version of BaseCommit did, if it was measured: only what versions differ in.
	BaseCommit string   `json:",omitempty"`
	Base       *results `json:",omitempty"`
}

// speed is a measured throughput under a configuration's name.
type speed struct {
	Name string
	throughput
}

// cost is what was counted of a configuration's run, and its price.
type cost struct {
	Name string
	counted
	// Usage is what AWS would bill for a million files; Million is its price in USD.
	Usage   price.Usage
	Million float64
}

// machine says where it was measured.
type machine struct {
	Cores     int
	Processor string
	Go        string
	Engine    string
	System    string
	// Load is how many others wanted the processor when it began (the load average of one minute).
	Load float64
}

// function is what a function's program is by itself and under load.
type function struct {
	Task       string
	Size       int64         // bytes
	ColdStart  time.Duration // from the process's start to its first poll, median
	ColdCPU    time.Duration
	ColdMemory int64 // bytes
	// LoadMemory is the largest resident memory of any of its processes after all of the load; 0 if it was not called.
	LoadMemory int64
}

// best is the fastest of the measurements under this name.
func best(speeds []speed, name string) (found speed, ok bool) {
	for _, speed := range speeds {
		if speed.Name == name && (!ok || speed.filesPerSecond() > found.filesPerSecond()) {
			found, ok = speed, true
		}
	}
	return found, ok
}

// leastCPU is the least CPU time of the engine in milliseconds a file under this name, 0 if there is none. It is what
// binds on a machine with nothing else to do, and depends less on other work than the speed does.
func leastCPU(speeds []speed, name string) (least float64) {
	for _, s := range speeds {
		used := 1000 * s.EngineCPU / float64(s.Shape.total())
		if s.Name == name && (least == 0 || used < least) {
			least = used
		}
	}
	return least
}

// best is the fastest run from the queue under this name.
func (r results) best(name string) (speed, bool) { return best(r.Speeds, name) }

// bestBaseline is the baseline's fastest, at any batch size.
func bestBaseline(speeds []speed) float64 {
	one, _ := best(speeds, "baseline 1")
	ten, _ := best(speeds, "baseline 10")
	fastest := 0.0
	for _, s := range []speed{one, ten} {
		if s.Seconds > 0 {
			fastest = max(fastest, s.filesPerSecond())
		}
	}
	return fastest
}

func (r results) cost(name string) (cost, bool) { return costOf(r.Counts, name) }

func costOf(costs []cost, name string) (cost, bool) {
	for _, cost := range costs {
		if cost.Name == name {
			return cost, true
		}
	}
	return cost{}, false
}

const resultsFile = "results.json"

// save writes the results into the folder.
func (r results) save(folder string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, resultsFile), append(raw, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("saving the results: %w", err)
	}
	return nil
}

func readResults(folder string) (results, error) {
	var r results
	raw, err := os.ReadFile(filepath.Join(folder, resultsFile))
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		return r, fmt.Errorf("reading the results: %w", err)
	}
	return r, nil
}
