package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"snapshot-status-checker/internal/price"
	"snapshot-status-checker/local"
)

// results are what one run of the benchmarks found.
type results struct {
	Taken     time.Time
	Took      time.Duration
	Size      Size
	Machine   machine
	Base      string // the commit that was measured too, if any
	Runs      []measured
	Functions []function
}

// measured is what a whole run through a system took: all files, all _success files, both notifications.
type measured struct {
	Version string // the commit of Base; empty: the present version, or the baseline
	Kind    string // Standard, Express or baseline
	Batch   int
	Files   int
	// From the first receive until every row is Received and no execution runs: the time, and the CPU time of the
	// engine and of all function processes, in seconds.
	Seconds, EngineCPU, FunctionCPU float64
	Calls                           calls
	States                          int         // entered
	Usage                           price.Usage // for a million files
}

// name is the configuration's, such as Standard 10.
func (m measured) name() string { return fmt.Sprint(m.Kind, " ", m.Batch) }

func (m measured) perFile(n float64) float64 { return n / float64(m.Files) }

// usd is the list price of a million files.
func (m measured) usd() float64 { return price.List.Bill(m.Usage).Total() }

// run is the measured run of a configuration.
func (r results) run(version, kind string, batch int) (found measured, ok bool) {
	for _, m := range r.Runs {
		if m.Version == version && m.Kind == kind && m.Batch == batch {
			return m, true
		}
	}
	return measured{}, false
}

// keep adds the run. Of several of one configuration it keeps the fastest.
func (r *results) keep(m measured) {
	for i, other := range r.Runs {
		if other.Version == m.Version && other.name() == m.name() {
			if m.Seconds < other.Seconds {
				r.Runs[i] = m
			}
			return
		}
	}
	r.Runs = append(r.Runs, m)
}

// function is what a function's program costs.
type function struct {
	Version, Task string // as in measured
	coldStart
	Size   int64 // of the program, in bytes
	Memory int64 // peak of any of its processes in the runs with STANDARD, in bytes; 0 if it was not called
}

type machine struct {
	Cores                         int
	Processor, Go, Engine, System string
	Load                          float64 // average of the minute before
}

// describeMachine reads what Linux, Go and the pinned requirements say. What is unknown is empty.
func describeMachine(project local.Project) machine {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	match := func(file, expression string) string {
		raw, _ := os.ReadFile(file)
		if found := regexp.MustCompile(expression).FindSubmatch(raw); found != nil {
			return string(found[1])
		}
		return ""
	}
	m.Processor = match("/proc/cpuinfo", `(?m)^model name\s*: (.*)$`)
	m.Engine = "ministack " + match(filepath.Join(project.Root, "local", "requirements.txt"),
		`(?m)^ministack\S*==(\S+)`)
	m.Load, _ = strconv.ParseFloat(match("/proc/loadavg", `^(\S+)`), 64)
	return m
}

func resultsFile(project local.Project, name string) string {
	return filepath.Join(project.Root, "build", "bench", strings.TrimSuffix(name, ".json")+".json")
}

func (r results) save(file string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, append(raw, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("saving the results: %w", err)
	}
	return nil
}

// readResults reads a file that save wrote, or the one with this name in build/bench.
func readResults(project local.Project, name string) (r results, err error) {
	raw, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = os.ReadFile(resultsFile(project, name))
	}
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		return r, fmt.Errorf("reading the results: %w", err)
	}
	return r, nil
}
