package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"snapshot-status-checker/local"
)

type options struct {
	Project local.Project `kong:"-" json:"-"`
	Log     io.Writer     `kong:"-" json:"-"` // a line for each step

	Files              int           `env:"FILES" default:"1000" help:"Files of a run at batch size 1."`
	FilesPerCollection int           `env:"FILES_PER_COLLECTION" default:"100" help:"Files of a collection, at most."`
	InFlight           int           `env:"IN_FLIGHT" default:"10" help:"Collections whose messages are mixed; 0: all."`
	CountFiles         int           `env:"COUNT_FILES" default:"1000" help:"Files of a run whose calls are counted."`
	Rounds             int           `env:"ROUNDS" default:"1" help:"How often to measure the speeds; the best counts."`
	WorkMessages       int           `env:"WORK_MESSAGES" default:"2000" help:"Messages to a function's process."`
	CeilingFor         time.Duration `env:"CEILING_FOR" default:"1500ms" help:"Time of each kind of bare call."`
	ColdStarts         int           `env:"COLD_STARTS" default:"21" help:"Starts of each function."`
}

// batchSizes begin with the largest, which leaves the fewest processes behind.
var batchSizes = []int{100, 10, 1}

// byBatch says for a batch size how many batches are fed concurrently, to the stack and to the baseline alike, and how
// many times the files of batch size 1 a run has, so that runs of each size take about as long.
var byBatch = map[int]struct{ concurrent, times int }{1: {32, 1}, 10: {16, 2}, 100: {8, 4}}

func (o options) filesAt(batch int) int { return byBatch[batch].times * o.Files }

func feedingOf(batch int) feeding {
	return feeding{Batch: batch, Concurrent: byBatch[batch].concurrent}
}

// suite runs the measurements one after the other and collects the results.
type suite struct {
	options
	results
	versions []*version // in the order of measurement: the present one last
	runs     int
	memory   map[string]int64 // peak of the baseline's processes
}

// newSuite measures the present version, and before it base if that is given.
func newSuite(o options, base *local.Project, label string) *suite {
	s := &suite{options: o, memory: map[string]int64{}}
	if base != nil {
		s.BaseCommit, s.Base = label, new(results)
		s.versions = append(s.versions, &version{label: " of " + label, project: *base, found: s.Base,
			memory: map[string]int64{}})
	}
	s.versions = append(s.versions, &version{project: o.Project, found: &s.results, memory: map[string]int64{}})
	return s
}

// runAll measures everything. An error comes with the results until then.
func (s *suite) runAll(ctx context.Context) (results, error) {
	begun := time.Now()
	s.Taken, s.Options = begun.UTC().Truncate(time.Second), s.options
	s.Machine = describeMachine(s.options)
	parts := []func(context.Context) error{s.measureBaseline}
	for round := range s.Rounds {
		parts = append(parts, s.measureStacks("STANDARD", "Standard", round),
			s.measureStacks("EXPRESS", "Express", round))
	}
	parts = append(parts, s.countBaseline, s.countStandard, s.countExpress, s.measureWork, s.inspectAll)
	for _, part := range parts {
		if err := part(ctx); err != nil {
			return s.results, err
		}
	}
	s.Seconds = time.Since(begun).Seconds()
	return s.results, nil
}

// inTestbed starts a testbed for do, and adds the peak memory of its functions to memory.
func (s *suite) inTestbed(
	ctx context.Context, counts bool, memory map[string]int64, do func(*testbed) (*system, error),
) error {
	w, err := startTestbed(ctx, s.options, counts)
	if err != nil {
		return err
	}
	sys, err := do(w)
	if err == nil {
		peaks := w.peaks()
		for _, function := range sys.functions {
			memory[function.task] = max(memory[function.task], peaks[function.name])
		}
	}
	return errors.Join(err, w.close())
}

func (s *suite) newRun(shape shape) run {
	s.runs++
	return run{shape: shape, ID: fmt.Sprintf("bench-%03d", s.runs)}
}

func (s *suite) say(format string, args ...any) { fmt.Fprintf(s.Log, format+"\n", args...) }

// speed measures one run. The stack must notify monitoring exactly once. The baseline may do it more often, when its
// last collections complete at the same moment.
func (s *suite) speed(
	ctx context.Context, w *testbed, sys *system, name string, shape shape, f feeding,
) (speed, error) {
	measured, err := w.measure(ctx, sys, s.newRun(shape), f)
	if err != nil {
		return speed{}, fmt.Errorf("%s: %w", name, err)
	}
	if measured.Notifications < 1 || sys.machine != "" && measured.Notifications != 1 {
		return speed{}, fmt.Errorf("%s: monitoring was notified %d times", name, measured.Notifications)
	}
	s.say("%-26s %6d files in %6.1f s: %6.1f a second", name, shape.total(), measured.Seconds,
		measured.filesPerSecond())
	return speed{Name: name, throughput: measured}, nil
}

func (s *suite) measureBaseline(ctx context.Context) error {
	return s.inTestbed(ctx, false, s.memory, func(w *testbed) (sys *system, err error) {
		if s.Ceilings, err = w.ceilings(ctx, s.CeilingFor); err != nil {
			return nil, err
		}
		if sys, err = w.deployBaseline(ctx); err != nil {
			return nil, err
		}
		for range s.Rounds {
			if err := s.speedsOfBaseline(ctx, w, sys); err != nil {
				return nil, err
			}
		}
		return sys, nil
	})
}

func (s *suite) speedsOfBaseline(ctx context.Context, w *testbed, sys *system) error {
	for _, batch := range []int{10, 1} {
		most := byBatch[batch].concurrent
		for _, run := range []struct {
			shape shape
			feed  feeding
			into  *[]speed
		}{
			{s.shapeOf(s.filesAt(batch)), feeding{batch, most, false}, &s.Speeds},
			{s.shapeOf(s.filesAt(batch)), feeding{batch, most, true}, &s.Speeds},
			{s.shapeOf(s.filesAt(batch)), feeding{batch, most / 2, true}, &s.Speeds},
			{s.oneCollection(batch), feeding{batch, most, true}, &s.HotSpeeds},
		} {
			measured, err := s.speed(ctx, w, sys, fmt.Sprint("baseline ", batch), run.shape, run.feed)
			if err != nil {
				return err
			}
			*run.into = append(*run.into, measured)
		}
	}
	return nil
}

func (s *suite) oneCollection(batch int) shape {
	return shape{Collections: 1, Files: max(1, s.filesAt(batch)/2)}
}

// job is a run to measure at a batch size, of one version after the other.
type job struct {
	name  string
	shape shape
	batch int
	into  func(*results) *[]speed
}

// measureStacks measures all versions. The first run starts the processes and does not count. Growth is measured next,
// while the engine remembers little.
func (s *suite) measureStacks(workflowType, kind string, round int) func(context.Context) error {
	ignored := func(*results) *[]speed { return new([]speed) }
	jobs := []job{{kind + " 100, warming up", s.shapeOf(max(10, s.Files/2)), 100, ignored}}
	if workflowType == "EXPRESS" && round == 0 {
		for _, times := range []int{1, 2, 4} {
			jobs = append(jobs, job{"Express 100", s.shapeOf(times * s.filesAt(100) / 2), 100,
				func(r *results) *[]speed { return &r.Linear }})
		}
	}
	for _, batch := range batchSizes {
		name := fmt.Sprint(kind, " ", batch)
		jobs = append(jobs,
			job{name, s.shapeOf(s.filesAt(batch)), batch, func(r *results) *[]speed { return &r.Speeds }},
			job{name, s.oneCollection(batch), batch, func(r *results) *[]speed { return &r.HotSpeeds }})
	}
	if workflowType == "STANDARD" && round == 0 {
		for _, mixed := range []int{1, 0} {
			shape := s.shapeOf(s.filesAt(100))
			shape.InFlight = mixed
			jobs = append(jobs, job{"Standard 100", shape, 100, func(r *results) *[]speed { return &r.Mixed }})
		}
	}
	return func(ctx context.Context) error {
		return s.deployed(ctx, false, workflowType, round, func(all []running) error {
			for _, job := range jobs {
				if err := each(all, func(r running) error { return s.measureJob(ctx, r, job) }); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func (s *suite) measureJob(ctx context.Context, r running, j job) error {
	measured, err := s.speed(ctx, r.testbed, r.sys, j.name+r.label, j.shape, feedingOf(j.batch))
	measured.Name, measured.FunctionMemory = j.name, r.testbed.largest()
	*j.into(r.found) = append(*j.into(r.found), measured)
	return err
}
