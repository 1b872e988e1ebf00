package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"snapshot-status-checker/internal/local"
)

// options are what the measurements can be told.
type options struct {
	Project local.Project `json:"-"`
	Log     io.Writer     `json:"-"` // a line for each step

	Files              int           // of a run at batch size 1; twice as many at 10, four times at 100
	FilesPerCollection int           // at most
	InFlight           int           // collections whose receipts are mixed
	CountFiles         int           // of a run that is counted; of a hot collection more in larger batches, in the same way
	Concurrency        int           // function calls side by side that the engine allows
	CeilingFor         time.Duration // for each kind of bare call
	ColdStarts         int           // of each function
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
	runs   int
	memory map[string]int64 // peak of each task's processes
}

// runAll measures everything. What it has found by then comes with an error too.
func runAll(ctx context.Context, o options) (results, error) {
	s := &suite{options: o, memory: map[string]int64{}}
	begun := time.Now()
	s.Taken, s.Options = begun.UTC().Truncate(time.Second), o
	s.Machine = describeMachine(o)
	for _, part := range []func(context.Context) error{
		s.measureBaseline, s.measureStandard, s.measureExpress, s.countBaseline, s.countStandard, s.countExpress, s.inspectFunctions,
	} {
		if err := part(ctx); err != nil {
			return s.results, err
		}
	}
	s.Seconds = time.Since(begun).Seconds()
	return s.results, nil
}

// in does something in a world of its own.
func (s *suite) in(ctx context.Context, counts bool, do func(*world) error) error {
	w, err := startWorld(ctx, s.options, counts)
	if err != nil {
		return err
	}
	err = do(w)
	if err == nil {
		for name, peak := range w.peakMemory() {
			task := taskOf(name)
			s.memory[task] = max(s.memory[task], peak)
		}
	}
	return errors.Join(err, w.close())
}

func (s *suite) newRun(shape shape) run {
	s.runs++
	return run{shape: shape, ID: fmt.Sprintf("bench-%03d", s.runs)}
}

func (s *suite) say(format string, args ...any) { fmt.Fprintf(s.Log, format+"\n", args...) }

// speed measures one run. The system must tell the news exactly once; the baseline may tell it more often, when its
// last collections complete at the same moment.
func (s *suite) speed(ctx context.Context, w *world, sub *subject, name string, shape shape, f feeding) (speed, error) {
	measured, err := w.measure(ctx, sub, s.newRun(shape), f)
	if err != nil {
		return speed{}, fmt.Errorf("%s: %w", name, err)
	}
	if measured.News < 1 || sub.machine != "" && measured.News != 1 {
		return speed{}, fmt.Errorf("%s: the news was told %d times", name, measured.News)
	}
	s.say("%-26s %6d files in %6.1f s: %6.1f a second", name, shape.total(), measured.Seconds, measured.filesPerSecond())
	return speed{Name: name, throughput: measured}, nil
}

func (s *suite) measureBaseline(ctx context.Context) error {
	return s.in(ctx, false, func(w *world) (err error) {
		if s.Ceilings, err = w.ceilings(ctx, s.CeilingFor); err != nil {
			return err
		}
		sub, err := w.deployBaseline(ctx)
		if err != nil {
			return err
		}
		for _, batch := range []int{10, 1} {
			for _, feed := range []feeding{
				{batch, sideBySide(batch), false}, {batch, sideBySide(batch), true}, {batch, sideBySide(batch) / 2, true},
			} {
				measured, err := s.speed(ctx, w, sub, fmt.Sprint("baseline ", batch), s.shapeOf(s.filesAt(batch)), feed)
				if err != nil {
					return err
				}
				s.Speeds = append(s.Speeds, measured)
			}
		}
		return nil
	})
}

func (s *suite) measureStandard(ctx context.Context) error {
	return s.in(ctx, false, func(w *world) error {
		sub, err := w.deployStack(ctx, "STANDARD")
		if err != nil {
			return err
		}
		if err := s.warmUp(ctx, w, sub); err != nil {
			return err
		}
		if err := s.measureStack(ctx, w, sub, "Standard"); err != nil {
			return err
		}
		for _, mixed := range []int{1, 0} {
			shape := s.shapeOf(s.filesAt(100))
			shape.InFlight = mixed
			measured, err := s.speed(ctx, w, sub, "Standard 100", shape, feeding{Batch: 100, SideBySide: sideBySide(100)})
			if err != nil {
				return err
			}
			s.Mixed = append(s.Mixed, measured)
		}
		return nil
	})
}

// warmUp sends a run that is not kept, so that processes are there.
func (s *suite) warmUp(ctx context.Context, w *world, sub *subject) error {
	_, err := s.speed(ctx, w, sub, "warming up", s.shapeOf(max(10, s.Files/2)), feeding{Batch: 100, SideBySide: sideBySide(100)})
	return err
}

func (s *suite) measureStack(ctx context.Context, w *world, sub *subject, kind string) error {
	for _, batch := range batchSizes {
		measured, err := s.speed(ctx, w, sub, fmt.Sprint(kind, " ", batch), s.shapeOf(s.filesAt(batch)),
			feeding{Batch: batch, SideBySide: sideBySide(batch)})
		if err != nil {
			return err
		}
		s.Speeds = append(s.Speeds, measured)
	}
	return nil
}

func (s *suite) measureExpress(ctx context.Context) error {
	return s.in(ctx, false, func(w *world) error {
		sub, err := w.deployStack(ctx, "EXPRESS")
		if err != nil {
			return err
		}
		if err := s.warmUp(ctx, w, sub); err != nil {
			return err
		}
		for times := 1; times <= 4; times *= 2 { // first, while the engine remembers little
			measured, err := s.speed(ctx, w, sub, "Express 100", s.shapeOf(times*s.filesAt(100)/2),
				feeding{Batch: 100, SideBySide: sideBySide(100)})
			if err != nil {
				return err
			}
			measured.FunctionMemory = w.largest()
			s.Linear = append(s.Linear, measured)
		}
		return s.measureStack(ctx, w, sub, "Express")
	})
}

// cost counts a whole run and prices it.
func (s *suite) cost(ctx context.Context, w *world, sub *subject, name string, shape shape, batch int) (cost, error) {
	f := feeding{Batch: batch, SideBySide: sideBySide(batch)}
	counted, err := w.count(ctx, sub, s.newRun(shape), f)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w", name, err)
	}
	if counted.News < 2 || sub.machine != "" && counted.News != 2 {
		return cost{}, fmt.Errorf("%s: the two news were told %d times", name, counted.News)
	}
	usage := usageOf(counted).Times(1e6 / counted.files())
	s.say("%-26s %6d files counted", name, shape.total())
	return cost{Name: name, counted: counted, Usage: usage, Million: priceOf(usage)}, nil
}

func (s *suite) countBaseline(ctx context.Context) error {
	return s.in(ctx, true, func(w *world) error {
		sub, err := w.deployBaseline(ctx)
		if err != nil {
			return err
		}
		return s.countAll(ctx, w, sub, "baseline", []int{10, 1})
	})
}

func (s *suite) countAll(ctx context.Context, w *world, sub *subject, kind string, batches []int) error {
	for _, batch := range batches {
		counted, err := s.cost(ctx, w, sub, fmt.Sprint(kind, " ", batch), s.shapeOf(s.CountFiles), batch)
		if err != nil {
			return err
		}
		s.Counts = append(s.Counts, counted)
	}
	return nil
}

func (s *suite) countStandard(ctx context.Context) error {
	return s.in(ctx, true, func(w *world) error {
		sub, err := w.deployStack(ctx, "STANDARD")
		if err != nil {
			return err
		}
		if err := s.countAll(ctx, w, sub, "Standard", batchSizes); err != nil {
			return err
		}
		for _, batch := range batchSizes {
			counted, err := s.cost(ctx, w, sub, fmt.Sprint("Standard ", batch), shape{Collections: 1, Files: s.CountFiles * s.filesAt(batch) / s.Files}, batch)
			if err != nil {
				return err
			}
			s.Hot = append(s.Hot, counted)
		}
		return nil
	})
}

func (s *suite) countExpress(ctx context.Context) error {
	return s.in(ctx, true, func(w *world) error {
		sub, err := w.deployStack(ctx, "EXPRESS")
		if err != nil {
			return err
		}
		return s.countAll(ctx, w, sub, "Express", batchSizes)
	})
}

// largest is the peak memory of the largest function process.
func (w *world) largest() int64 {
	largest := int64(0)
	for peak := range maps.Values(w.peakMemory()) {
		largest = max(largest, peak)
	}
	return largest
}
