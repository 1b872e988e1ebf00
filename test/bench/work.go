package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"

	"snapshot-status-checker/local"
	"snapshot-status-checker/test/bench/instant"
)

// work is what one message costs a function itself: its program is fed through Lambda's runtime interface, over tables
// that answer at once.
type work struct {
	Batch    int
	Messages int // of each measurement
	// CPU is the time of its process in user and system mode, in microseconds a message: the median of all rounds.
	CPU       float64
	Allocated float64 // bytes a message: how much its memory grows while nothing is collected
	Memory    int64   // peak in bytes
}

// workRounds is how often the CPU time is measured, of one function after the other.
const workRounds = 5

// workBatches are the batch sizes, and for how many times WorkMessages.
var workBatches = []struct{ size, times int }{{1, 1}, {100, 5}}

// worker is a function's program to be measured.
type worker struct {
	caller
	program string
	into    *[]work
}

// measureWork measures the baseline's function and the versions' in turn.
func (s *suite) measureWork(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bench-work-")
	if err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	defer os.RemoveAll(dir)
	workers := []worker{{caller: baselineCaller(), into: &s.BaselineWork}}
	projects := []local.Project{s.Project}
	for _, v := range s.versions {
		workers, projects = append(workers, worker{caller: v.caller, into: &v.found.Work}), append(projects, v.project)
	}
	for i := range workers {
		workers[i].program = filepath.Join(dir, fmt.Sprint(i))
		if err := buildFunction(ctx, projects[i], workers[i].folder(), workers[i].program); err != nil {
			return err
		}
	}
	for _, batch := range workBatches {
		messages := batch.times * s.WorkMessages
		cpu, memory := make([][]float64, len(workers)), make([]int64, len(workers))
		for range workRounds {
			for i, worker := range workers {
				used, err := worker.measure(ctx, messages, batch.size, "GOGC=100")
				if err != nil {
					return fmt.Errorf("measuring %s over tables that answer at once: %w", worker.task, err)
				}
				cpu[i] = append(cpu[i], used.cpu)
				memory[i] = max(memory[i], used.peak)
			}
		}
		for i, worker := range workers {
			used, err := worker.measure(ctx, messages/4, batch.size, "GOGC=off")
			if err != nil {
				return fmt.Errorf("measuring %s over tables that answer at once: %w", worker.task, err)
			}
			slices.Sort(cpu[i])
			*worker.into = append(*worker.into, work{Batch: batch.size, Messages: messages, Memory: memory[i],
				CPU:       1e6 * cpu[i][len(cpu[i])/2] / float64(messages),
				Allocated: float64(used.grown) / float64(messages/4)})
		}
		s.say("%d messages in batches of %d through the functions' own processes, %d times", messages, batch.size,
			workRounds)
	}
	return nil
}

// used is what a process used for all messages together, in seconds and bytes.
type used struct {
	cpu         float64
	grown, peak int64
}

// workCollections is how many collections the messages are mixed over.
const workCollections = 10

// measure feeds so many messages to a new process, after a fourth of them that warm it up.
func (w worker) measure(ctx context.Context, messages, batch int, env ...string) (used, error) {
	tables := instant.New(w.keys)
	r := run{ID: "bench-work", shape: shape{
		Collections: workCollections, Files: 2 * messages / workCollections, InFlight: workCollections}}
	for i := range r.Collections {
		if err := tables.Put(w.statusTable, r.openRow(i)); err != nil {
			return used{}, err
		}
	}
	server := httptest.NewServer(tables)
	defer server.Close()
	p, err := startProcess(ctx, w.program, server.URL, slices.Concat(lambdaEnvironment(), w.env, env))
	if err != nil {
		return used{}, err
	}
	defer p.stop()
	sent := messages + messages/4
	var events [][]byte
	for part := range slices.Chunk(r.messages(sent), batch) {
		event, err := w.eventFor(part, len(events)+1)
		if err != nil {
			return used{}, err
		}
		events = append(events, event)
	}
	pid, warm := p.cmd.Process.Pid, len(events)/5
	if err := p.callAll(ctx, events[:warm]); err != nil {
		return used{}, err
	}
	before := used{cpu: threadsCPU(pid), grown: memoryOf(pid, memoryNow)}
	if err := p.callAll(ctx, events[warm:]); err != nil {
		return used{}, err
	}
	return used{cpu: threadsCPU(pid) - before.cpu, grown: memoryOf(pid, memoryNow) - before.grown,
		peak: memoryOf(pid, peakMemory)}, w.counted(tables, r, sent)
}

func (p *process) callAll(ctx context.Context, events [][]byte) error {
	for _, event := range events {
		if err := p.call(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

// openRow is a row of the run that is never complete.
func (r run) openRow(collection int) instant.Item {
	text := func(kind, value string) map[string]any { return map[string]any{kind: value} }
	return instant.Item{"CorrelationId": text("S", r.ID), "CollectionName": text("S", collectionName(collection)),
		"CollectionStatus": text("S", "Sent"), "FilesExported": text("N", "1000000000"),
		"FilesSent": text("N", "1000000000"), "FilesReceived": text("N", "0")}
}

// counted compares the rows with the messages: a function that did not count is an error, not a result.
func (w worker) counted(tables *instant.DB, r run, messages int) error {
	sum := 0
	for i := range r.Collections {
		row := r.openRow(i)
		found, err := tables.Get(w.statusTable, row)
		if err != nil {
			return err
		}
		value, _ := found["FilesReceived"].(map[string]any)
		var files int
		if _, err := fmt.Sscan(fmt.Sprint(value["N"]), &files); err != nil {
			return fmt.Errorf("reading FilesReceived of %v: %w", found, err)
		}
		sum += files
	}
	if sum != messages {
		return fmt.Errorf("%d files counted, want %d", sum, messages)
	}
	return nil
}

// threadsCPU is the time in seconds that the process's living threads have run, finer than the clock ticks of
// processCPU. (Go's runtime keeps its threads.)
func threadsCPU(pid int) float64 {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	sum := 0.0
	for _, file := range files {
		var nanoseconds float64
		if raw, err := os.ReadFile(file); err == nil {
			_, _ = fmt.Sscan(string(raw), &nanoseconds)
		}
		sum += nanoseconds / 1e9
	}
	return sum
}
