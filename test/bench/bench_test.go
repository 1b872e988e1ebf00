package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local"
)

// TestHarness sends small runs through the baseline and the deployed stack, and checks that the counters see exactly
// the necessary calls. It checks no times.
func TestHarness(t *testing.T) {
	// It takes half a minute, and longer on a busy machine.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	s := newSuite(options{
		Project: project, Log: t.Output(), Files: 20, FilesPerCollection: 10, InFlight: 2, CountFiles: 20,
		CeilingFor: 20 * time.Millisecond, WorkMessages: 40, Rounds: 1,
	}, nil, "")
	now := s.versions[0]
	if err := s.inTestbed(ctx, true, s.memory, func(w *testbed) (*system, error) {
		if s.Ceilings, err = w.ceilings(ctx, s.CeilingFor); err != nil {
			return nil, err
		}
		sys, err := w.deployBaseline(ctx)
		if err != nil {
			return nil, err
		}
		for _, byEngine := range []bool{false, true} {
			if _, err := s.speed(ctx, w, sys, "baseline 10", s.shapeOf(20), feeding{Batch: 10, Concurrent: 2,
				ByEngine: byEngine}); err != nil {
				return nil, err
			}
		}
		if err := s.countAll(ctx, w, sys, &s.results, "baseline", []int{10}); err != nil {
			return nil, err
		}
		return sys, s.receipt(ctx, w, sys, &s.results, "baseline")
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.inTestbed(ctx, true, now.memory, func(w *testbed) (*system, error) {
		sys, err := w.deployStack(ctx, project, "STANDARD")
		if err != nil {
			return nil, err
		}
		if err := s.countAll(ctx, w, sys, &s.results, "Standard", []int{100}); err != nil {
			return nil, err
		}
		if err := s.receipt(ctx, w, sys, &s.results, "Standard"); err != nil {
			return nil, err
		}
		now.caller, err = w.callerOf(ctx, sys)
		return sys, err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.measureWork(ctx); err != nil {
		t.Fatal(err)
	}

	baseline, stack := s.Counts[0], s.Counts[1]
	// Of 2 collections: an update for each file, 2 moves to Received and 2 to Success, each with a read of the run.
	want := map[string]int{"DynamoDB.UpdateItem": 24, "DynamoDB.GetItem": 2, "DynamoDB.Query": 4, "SQS.SendMessage": 2}
	// Collections that complete at the same moment each send it.
	if sent := baseline.Functions.Kinds["SNS.Publish"]; sent < 2 || sent > 4 {
		t.Errorf("the baseline sent the two notifications %d times", sent)
	}
	delete(baseline.Functions.Kinds, "SNS.Publish")
	if diff := cmp.Diff(want, baseline.Functions.Kinds); diff != "" {
		t.Errorf("calls of the baseline (-want +got)\n%s", diff)
	}
	if got := baseline.Functions.WriteUnits["DynamoDB.UpdateItem"]; got != 24 {
		t.Errorf("the baseline's updates consumed %g write units, want 24", got)
	}
	increments := stack.Invocations["increment"].Calls
	if increments < 2 || stack.Executions < 2 || stack.States < 2*stack.Executions {
		t.Errorf("%d calls of increment and %d states of %d executions", increments, stack.States, stack.Executions)
	}
	if memory := stack.Invocations["increment"].MemoryMB; memory < 128 || stack.Definition < 1000 {
		t.Errorf("increment has %g MB, the definition %d bytes", memory, stack.Definition)
	}
	if one := receiptOf(s.Receipts, "baseline"); one.tableCalls() != 1 || one.Seconds <= 0 {
		t.Errorf("the baseline makes %g calls for a receipt, in %g s; want its one update", one.tableCalls(),
			one.Seconds)
	}
	if one := receiptOf(s.Receipts, "Standard"); one.tableCalls() < 2 || one.Calls.RepeatedUpdates != 0 {
		t.Errorf("the stack makes %g calls for a receipt, and repeats %d updates without contention",
			one.tableCalls(), one.Calls.RepeatedUpdates)
	}
	for _, all := range [][]work{s.BaselineWork, s.Work} {
		if len(all) != len(workBatches) {
			t.Fatalf("%d measurements of a function's own work, want %d", len(all), len(workBatches))
		}
		for _, w := range all {
			if w.CPU <= 0 || w.Allocated <= 0 || w.Memory < 1<<20 {
				t.Errorf("a function's own work: %+v", w)
			}
		}
	}
	for _, counted := range s.Counts {
		if counted.invocations().Seconds <= 0 || counted.Million <= 0 || counted.Functions.readUnits() <= 0 {
			t.Errorf("%s: took %g s, read %g units, costs %g USD", counted.Name, counted.invocations().Seconds,
				counted.Functions.readUnits(), counted.Million)
		}
		if floor := s.floor(counted); floor <= 0 {
			t.Errorf("%s: the engine's floor is %g ms", counted.Name, floor)
		}
	}
	if now.memory["increment"] < 1<<20 || s.memory[baselineName] < 1<<20 {
		t.Errorf("peak memory of the functions: %v, %v", now.memory, s.memory)
	}
}

// The order of a run's messages has each collection as often as it has files, and mixes no more than InFlight.
func TestOrder(t *testing.T) {
	t.Parallel()
	for _, shape := range []shape{{Collections: 5, Files: 7, InFlight: 2}, {Collections: 5, Files: 7},
		{Collections: 1, Files: 3, InFlight: 4}} {
		order := shape.order()
		counts := make([]int, shape.Collections)
		for i, collection := range order {
			counts[collection]++
			started := 0
			for _, n := range counts {
				if n > 0 && n < shape.Files {
					started++
				}
			}
			if shape.InFlight > 0 && started > shape.InFlight {
				t.Fatalf("%+v: %d collections are mixed after %d messages", shape, started, i+1)
			}
		}
		if want := slices.Repeat([]int{shape.Files}, shape.Collections); !slices.Equal(counts, want) {
			t.Errorf("%+v: %v messages, want %v", shape, counts, want)
		}
	}
}

// The table has a row for each configuration, and no empty cells but those without a meaning.
func TestReport(t *testing.T) {
	t.Parallel()
	r := results{Ceilings: []ceiling{{Call: bareUpdateItem, EngineMS: 100}}}
	for _, name := range names {
		r.Speeds = append(r.Speeds, speed{Name: name, throughput: throughput{Shape: shape{Collections: 1, Files: 10},
			Seconds: 2}})
		r.Counts = append(r.Counts, cost{Name: name, Million: 3,
			counted: counted{Shape: shape{Collections: 1, Files: 10},
				Functions:   calls{Kinds: map[string]int{"DynamoDB.UpdateItem": 10}},
				Invocations: map[string]invocations{"increment": {Calls: 1, Seconds: 1}}}})
	}
	r.Speeds = append(r.Speeds,
		speed{Name: "baseline 1", throughput: throughput{Shape: shape{Collections: 1, Files: 10}, Seconds: 1}})
	report := writeReport(r, "")
	lines := strings.Split(strings.TrimSpace(report.table), "\n")
	if len(lines) != 2+len(names) {
		t.Fatalf("%d lines, want a head, a rule and %d rows\n%s", len(lines), len(names), report.table)
	}
	for i, name := range names {
		cells := strings.Split(strings.Trim(lines[2+i], "|"), "|")
		if got := strings.TrimSpace(cells[0]); got != name {
			t.Errorf("row %d is of %s, want %s", i, got, name)
		}
		for column, cell := range cells[1:] {
			if cell = strings.TrimSpace(cell); cell == "" || cell == "-" && column > 0 {
				t.Errorf("%s has nothing in column %d", name, column+1)
			}
		}
	}
	// 5 files a second, the baseline's best is 10: half its speed, and half of the engine's time.
	if !strings.Contains(lines[4], "0.50 ×") || !strings.Contains(lines[4], "50 %") {
		t.Errorf("got %s", lines[4])
	}
	if !strings.Contains(report.document, report.table) {
		t.Error("the document lacks the table")
	}
	r.Base, r.BaseCommit = &results{Speeds: r.Speeds, Counts: r.Counts}, "abc1234"
	compared := writeReport(r, "").table
	if !strings.Contains(compared, "abc1234") || !strings.Contains(compared, "| Express 100: files/s ") {
		t.Errorf("compared with itself:\n%s", compared)
	}
	for line := range strings.Lines(compared) {
		if strings.HasPrefix(line, "| Express 100: files/s ") && !strings.Contains(line, "1.00 × |") {
			t.Errorf("compared with itself: %s", line)
		}
	}
}
