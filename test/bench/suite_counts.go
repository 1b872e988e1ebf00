package main

import (
	"context"
	"fmt"
)

// cost counts the calls of a whole run and prices them.
func (s *suite) cost(ctx context.Context, w *testbed, sys *system, name string, shape shape, batch int) (cost, error) {
	counted, err := w.count(ctx, sys, s.newRun(shape), feedingOf(batch))
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w", name, err)
	}
	if counted.Notifications < 2 || sys.machine != "" && counted.Notifications != 2 {
		return cost{}, fmt.Errorf("%s: monitoring got %d notifications, not one of each kind", name,
			counted.Notifications)
	}
	usage := usageOf(counted).Times(1e6 / counted.files())
	s.say("%-26s %6d files counted", name, shape.total())
	return cost{Name: name, counted: counted, Usage: usage, Million: priceOf(usage)}, nil
}

func (s *suite) countBaseline(ctx context.Context) error {
	return s.inTestbed(ctx, true, s.memory, func(w *testbed) (*system, error) {
		sys, err := w.deployBaseline(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.countAll(ctx, w, sys, &s.results, "baseline", []int{10, 1}); err != nil {
			return nil, err
		}
		return sys, s.receipt(ctx, w, sys, &s.results, "baseline")
	})
}

func (s *suite) countStandard(ctx context.Context) error {
	return s.deployed(ctx, true, "STANDARD", 0, func(all []running) error {
		return each(all, func(r running) error {
			s.say("STANDARD%s", r.label)
			if err := s.countAll(ctx, r.testbed, r.sys, r.found, "Standard", batchSizes); err != nil {
				return err
			}
			for _, batch := range batchSizes {
				one := shape{Collections: 1, Files: s.CountFiles * byBatch[batch].times}
				counted, err := s.cost(ctx, r.testbed, r.sys, fmt.Sprint("Standard ", batch), one, batch)
				if err != nil {
					return err
				}
				r.found.Hot = append(r.found.Hot, counted)
			}
			if err := s.countMixed(ctx, r, "Standard", 1); err != nil {
				return err
			}
			return s.receipt(ctx, r.testbed, r.sys, r.found, "Standard")
		})
	})
}

func (s *suite) countExpress(ctx context.Context) error {
	return s.deployed(ctx, true, "EXPRESS", 0, func(all []running) error {
		return each(all, func(r running) error {
			s.say("EXPRESS%s", r.label)
			if err := s.countAll(ctx, r.testbed, r.sys, r.found, "Express", batchSizes); err != nil {
				return err
			}
			return s.countMixed(ctx, r, "Express", 100)
		})
	})
}

func (s *suite) countAll(
	ctx context.Context, w *testbed, sys *system, into *results, kind string, batches []int,
) error {
	for _, batch := range batches {
		counted, err := s.cost(ctx, w, sys, fmt.Sprint(kind, " ", batch), s.shapeOf(s.CountFiles), batch)
		if err != nil {
			return err
		}
		into.Counts = append(into.Counts, counted)
	}
	return nil
}

// manyMixed is how many collections countMixed mixes.
const manyMixed = 40

func (s *suite) countMixed(ctx context.Context, r running, kind string, batch int) error {
	many := shape{Collections: manyMixed, Files: max(1, s.CountFiles*byBatch[batch].times/manyMixed)}
	counted, err := s.cost(ctx, r.testbed, r.sys, fmt.Sprint(kind, " ", batch), many, batch)
	r.found.MixedCounts = append(r.found.MixedCounts, counted)
	return err
}

// receipt counts the calls of receipts that come one at a time.
func (s *suite) receipt(ctx context.Context, w *testbed, sys *system, into *results, kind string) error {
	found, err := w.receipts(ctx, sys, s.newRun(shape{}))
	found.Name = kind
	into.Receipts = append(into.Receipts, found)
	if err != nil {
		return fmt.Errorf("receipts one at a time, %s: %w", kind, err)
	}
	return nil
}
