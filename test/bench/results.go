package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"snapshot-status-checker/internal/price"
)

// results are what one run of the benchmarks found.
type results struct {
	Taken     time.Time
	Seconds   float64 // that it took
	Machine   machine
	Options   options
	Ceilings  []ceiling // the engine's own
	Speeds    []speed   // from the queue to the last received row, without counters
	HotSpeeds []speed   // the same of one collection
	Linear    []speed   // N, 2N and 4N files
	Mixed     []speed   // few and many collections mixed
	// Whole runs through the counters: the usual ones, of one collection, of manyMixed collections that are all mixed.
	Counts, Hot, MixedCounts []cost
	Receipts                 []receipt // one at a time
	Functions                []function
	Work, BaselineWork       []work // of the function that counts; of the baseline's
	// Base has the figures of the version of BaseCommit, if it was measured: only those in which versions differ.
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
	Usage   price.Usage // for a million files
	Million float64     // its price in USD
}

type machine struct {
	Cores                         int
	Processor, Go, Engine, System string
	Load                          float64 // average of the minute before the benchmarks
}

// describeMachine reads what Linux, Go and the pinned requirements say. What is unknown is empty.
func describeMachine(o options) machine {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	match := func(file, expression string) string {
		raw, _ := os.ReadFile(file)
		if found := regexp.MustCompile(expression).FindSubmatch(raw); found != nil {
			return string(found[1])
		}
		return ""
	}
	m.Processor = match("/proc/cpuinfo", `(?m)^model name\s*: (.*)$`)
	m.Engine = "ministack " + match(filepath.Join(o.Project.Root, "local", "requirements.txt"),
		`(?m)^ministack\S*==(\S+)`)
	m.Load, _ = strconv.ParseFloat(match("/proc/loadavg", `^(\S+)`), 64)
	return m
}

// function is what a function's program is by itself and under load.
type function struct {
	Task       string
	Size       int64 // bytes
	ColdStart  time.Duration
	ColdCPU    time.Duration
	ColdMemory int64 // bytes
	LoadMemory int64 // peak of any of its processes under the whole load; 0 if it was not called
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

// leastCPU is the least CPU time of the engine in milliseconds a file under this name, 0 if there is none. It binds on
// an idle machine, and depends less on other work than the speed does.
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
	fastest := 0.0
	for _, name := range []string{"baseline 1", "baseline 10"} {
		if found, ok := best(speeds, name); ok {
			fastest = max(fastest, found.filesPerSecond())
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
