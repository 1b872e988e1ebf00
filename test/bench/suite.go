package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"snapshot-status-checker/local"
)

// options are what the measurements can be told.
type options struct {
	Project local.Project `json:"-"`
	Log     io.Writer     `json:"-"` // a line for each step

	Files              int // of a run at batch size 1; twice as many at 10, four times at 100
	FilesPerCollection int // at most
	InFlight           int // collections whose receipts are mixed
	// of a run that is counted; of a hot collection more in larger batches, in the same way
	CountFiles   int
	Concurrency  int           // concurrent function calls that the engine allows
	CeilingFor   time.Duration // for each kind of bare call
	ColdStarts   int           // of each function
	WorkMessages int           // through a function's process at batch size 1; five times as many at 100
	Rounds       int           // how often speeds are measured; the best counts
}

// sideBySide is how many batches of a size are fed side by side, to the stack and to the baseline alike.
func sideBySide(batch int) int {
	switch {
	case batch < 10:
		return 32
	case batch < 100:
		return 16
	}
	return 8
}

// filesAt is how many files a run at this batch size has, so that runs take about as long at each.
func (o options) filesAt(batch int) int {
	switch {
	case batch < 10:
		return o.Files
	case batch < 100:
		return 2 * o.Files
	}
	return 4 * o.Files
}

var batchSizes = []int{100, 10, 1} // the largest first: it leaves the fewest processes behind

// suite runs the measurements one after the other and gathers what they find.
type suite struct {
	options
	results
	versions []*version // in the order in which they are measured: the present one last
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

// runAll measures everything. What it has found by then comes with an error too.
func (s *suite) runAll(ctx context.Context) (results, error) {
	begun := time.Now()
	s.Taken, s.Options = begun.UTC().Truncate(time.Second), s.options
	s.Machine = describeMachine(s.options)
	parts := []func(context.Context) error{s.measureBaseline}
	for round := range s.Rounds {
		parts = append(parts, s.measureStandard(round), s.measureExpress(round))
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

// in does something in a world of its own. The peak memory of its functions is kept.
func (s *suite) in(ctx context.Context, counts bool, memory map[string]int64, do func(*world) (*subject, error)) error {
	w, err := startWorld(ctx, s.options, counts)
	if err != nil {
		return err
	}
	sub, err := do(w)
	if err == nil {
		peaks := w.peaks()
		for _, function := range sub.functions {
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

// speed measures one run. The system must notify monitoring exactly once; the baseline may do it more often, when its
// last collections complete at the same moment.
func (s *suite) speed(ctx context.Context, w *world, sub *subject, name string, shape shape, f feeding) (speed, error) {
	measured, err := w.measure(ctx, sub, s.newRun(shape), f)
	if err != nil {
		return speed{}, fmt.Errorf("%s: %w", name, err)
	}
	if measured.Notifications < 1 || sub.machine != "" && measured.Notifications != 1 {
		return speed{}, fmt.Errorf("%s: monitoring was notified %d times", name, measured.Notifications)
	}
	s.say("%-26s %6d files in %6.1f s: %6.1f a second", name, shape.total(), measured.Seconds,
		measured.filesPerSecond())
	return speed{Name: name, throughput: measured}, nil
}

func (s *suite) measureBaseline(ctx context.Context) error {
	return s.in(ctx, false, s.memory, func(w *world) (sub *subject, err error) {
		if s.Ceilings, err = w.ceilings(ctx, s.CeilingFor); err != nil {
			return nil, err
		}
		if sub, err = w.deployBaseline(ctx); err != nil {
			return nil, err
		}
		for range s.Rounds {
			if err := s.speedsOfBaseline(ctx, w, sub); err != nil {
				return nil, err
			}
		}
		return sub, nil
	})
}

func (s *suite) speedsOfBaseline(ctx context.Context, w *world, sub *subject) error {
	for _, batch := range []int{10, 1} {
		name := fmt.Sprint("baseline ", batch)
		for _, feed := range []feeding{
			{batch, sideBySide(batch), false}, {batch, sideBySide(batch), true}, {batch, sideBySide(batch) / 2, true},
		} {
			measured, err := s.speed(ctx, w, sub, name, s.shapeOf(s.filesAt(batch)), feed)
			if err != nil {
				return err
			}
			s.Speeds = append(s.Speeds, measured)
		}
		measured, err := s.speed(ctx, w, sub, name, s.hotShape(batch), feeding{batch, sideBySide(batch), true})
		if err != nil {
			return err
		}
		s.HotSpeeds = append(s.HotSpeeds, measured)
	}
	return nil
}

// hotShape is a run of one collection.
func (s *suite) hotShape(batch int) shape {
	return shape{Collections: 1, Files: max(1, s.filesAt(batch)/2)}
}

func (s *suite) measureStandard(round int) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.deployed(ctx, false, "STANDARD", round, func(all []running) error {
			if err := s.warmUp(ctx, all, "Standard"); err != nil {
				return err
			}
			if err := s.measureStacks(ctx, all, "Standard"); err != nil || round > 0 {
				return err
			}
			for _, mixed := range []int{1, 0} {
				shape := s.shapeOf(s.filesAt(100))
				shape.InFlight = mixed
				into := func(r *results) *[]speed { return &r.Mixed }
				if err := s.measureEach(ctx, all, "Standard 100", shape, 100, into); err != nil {
					return err
				}
			}
			return each(all, func(r running) (err error) {
				r.version.caller, err = r.world.discoverCaller(ctx, r.sub)
				return err
			})
		})
	}
}

// warmUp sends a run that is not kept, so that processes are there.
func (s *suite) warmUp(ctx context.Context, all []running, kind string) error {
	return s.measureEach(ctx, all, kind+" 100, warming up", s.shapeOf(max(10, s.Files/2)), 100,
		func(*results) *[]speed { return new([]speed) })
}

func (s *suite) measureStacks(ctx context.Context, all []running, kind string) error {
	for _, batch := range batchSizes {
		name := fmt.Sprint(kind, " ", batch)
		mixed := func(r *results) *[]speed { return &r.Speeds }
		if err := s.measureEach(ctx, all, name, s.shapeOf(s.filesAt(batch)), batch, mixed); err != nil {
			return err
		}
		hot := func(r *results) *[]speed { return &r.HotSpeeds }
		if err := s.measureEach(ctx, all, name, s.hotShape(batch), batch, hot); err != nil {
			return err
		}
	}
	return nil
}

// measureEach measures one version after the other.
func (s *suite) measureEach(
	ctx context.Context, all []running, name string, shape shape, batch int, into func(*results) *[]speed,
) error {
	return each(all, func(r running) error {
		measured, err := s.speed(ctx, r.world, r.sub, name+r.label, shape,
			feeding{Batch: batch, SideBySide: sideBySide(batch)})
		measured.Name, measured.FunctionMemory = name, r.world.largest()
		*into(r.found) = append(*into(r.found), measured)
		return err
	})
}

func (s *suite) measureExpress(round int) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.deployed(ctx, false, "EXPRESS", round, func(all []running) error {
			if err := s.warmUp(ctx, all, "Express"); err != nil {
				return err
			}
			for times := 1; times <= 4 && round == 0; times *= 2 { // first, while the engine remembers little
				shape := s.shapeOf(times * s.filesAt(100) / 2)
				into := func(r *results) *[]speed { return &r.Linear }
				if err := s.measureEach(ctx, all, "Express 100", shape, 100, into); err != nil {
					return err
				}
			}
			return s.measureStacks(ctx, all, "Express")
		})
	}
}

// cost counts a whole run and prices it.
func (s *suite) cost(ctx context.Context, w *world, sub *subject, name string, shape shape, batch int) (cost, error) {
	f := feeding{Batch: batch, SideBySide: sideBySide(batch)}
	counted, err := w.count(ctx, sub, s.newRun(shape), f)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w", name, err)
	}
	if counted.Notifications < 2 || sub.machine != "" && counted.Notifications != 2 {
		return cost{}, fmt.Errorf("%s: monitoring got the two notifications %d times", name, counted.Notifications)
	}
	usage := usageOf(counted).Times(1e6 / counted.files())
	s.say("%-26s %6d files counted", name, shape.total())
	return cost{Name: name, counted: counted, Usage: usage, Million: priceOf(usage)}, nil
}

func (s *suite) countBaseline(ctx context.Context) error {
	return s.in(ctx, true, s.memory, func(w *world) (*subject, error) {
		sub, err := w.deployBaseline(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.countAll(ctx, w, sub, &s.results, "baseline", []int{10, 1}); err != nil {
			return nil, err
		}
		return sub, s.receipt(ctx, w, sub, &s.results, "baseline")
	})
}

func (s *suite) countAll(ctx context.Context, w *world, sub *subject, into *results, kind string, batches []int) error {
	for _, batch := range batches {
		counted, err := s.cost(ctx, w, sub, fmt.Sprint(kind, " ", batch), s.shapeOf(s.CountFiles), batch)
		if err != nil {
			return err
		}
		into.Counts = append(into.Counts, counted)
	}
	return nil
}

// receipt counts receipts that come one at a time.
func (s *suite) receipt(ctx context.Context, w *world, sub *subject, into *results, kind string) error {
	found, err := w.receipts(ctx, sub, s.newRun(shape{}))
	found.Name = kind
	into.Receipts = append(into.Receipts, found)
	if err != nil {
		return fmt.Errorf("receipts one at a time, %s: %w", kind, err)
	}
	return nil
}

func (s *suite) countStandard(ctx context.Context) error {
	return s.deployed(ctx, true, "STANDARD", 0, func(all []running) error {
		return each(all, func(r running) error {
			s.say("STANDARD%s", r.label)
			if err := s.countAll(ctx, r.world, r.sub, r.found, "Standard", batchSizes); err != nil {
				return err
			}
			for _, batch := range batchSizes {
				hot := shape{Collections: 1, Files: s.CountFiles * s.filesAt(batch) / s.Files}
				counted, err := s.cost(ctx, r.world, r.sub, fmt.Sprint("Standard ", batch), hot, batch)
				if err != nil {
					return err
				}
				r.found.Hot = append(r.found.Hot, counted)
			}
			if err := s.countMixed(ctx, r, "Standard", 1); err != nil {
				return err
			}
			return s.receipt(ctx, r.world, r.sub, r.found, "Standard")
		})
	})
}

// manyMixed is how many collections are mixed where many are.
const manyMixed = 40

// countMixed counts a run of many collections that are all mixed.
func (s *suite) countMixed(ctx context.Context, r running, kind string, batch int) error {
	files := max(1, s.CountFiles*s.filesAt(batch)/s.Files/manyMixed)
	counted, err := s.cost(ctx, r.world, r.sub, fmt.Sprint(kind, " ", batch), shape{Collections: manyMixed,
		Files: files}, batch)
	r.found.MixedCounts = append(r.found.MixedCounts, counted)
	return err
}

func (s *suite) countExpress(ctx context.Context) error {
	return s.deployed(ctx, true, "EXPRESS", 0, func(all []running) error {
		return each(all, func(r running) error {
			s.say("EXPRESS%s", r.label)
			if err := s.countAll(ctx, r.world, r.sub, r.found, "Express", batchSizes); err != nil {
				return err
			}
			return s.countMixed(ctx, r, "Express", 100)
		})
	})
}

// largest is the peak memory of the largest function process.
func (w *world) largest() int64 {
	largest := int64(0)
	for peak := range maps.Values(w.peaks()) {
		largest = max(largest, peak)
	}
	return largest
}
