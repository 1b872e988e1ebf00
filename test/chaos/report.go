package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	lines "snapshot-status-checker/operator/history"
)

// Report is the input, the faults and the results.
type Report struct {
	*system
	history     *history
	lines       lines.Counts // of the functions' logs
	lost, twice int
	setUp, took time.Duration

	// Broken lists the broken guarantees.
	Broken []string
	// Unfinished says what was missing when a busy machine ran out of time. Only what exists twice, or must not exist,
	// is broken then.
	Unfinished string
}

func (r *Report) broken(format string, args ...any) {
	r.Broken = append(r.Broken, fmt.Sprintf(format, args...))
}

// missing adds something that may still come on a busy machine.
func (r *Report) missing(format string, args ...any) { r.problem(true, format, args...) }

// problem adds a broken guarantee, unless it may still come and a busy machine ran out of time.
func (r *Report) problem(mayCome bool, format string, args ...any) {
	if !mayCome || r.Unfinished == "" {
		r.broken(format, args...)
	}
}

func (f *faults) cut() int64 {
	return f.requestsCut.Load() + f.answersCut.Load() + f.answersHung.Load()
}

// Print writes the figures.
func (r *Report) Print(out io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "  %-22s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(out, "\nInput and faults")
	line("collections", "%d", len(r.plan.collections))
	line("messages sent", "%d, shuffled, and %d duplicates (%.0f %%)", r.Messages, r.seen.duplicates.Load(),
		100*float64(r.seen.duplicates.Load())/float64(r.Messages))
	line("files sent again", "%d, in messages that were dead letters and redriven", r.seen.again.Load())
	line("success files sent", "%d", r.seen.successFiles.Load())
	line("Sent written", "%d times, %d of them after the last receipt", len(r.plan.collections), r.seen.sentLate.Load())
	line("other writer", "%d plain updates", r.seen.writes.Load())
	line("connections cut", "%d: %d before the request took effect, %d after it, %d after a hang of up to %v",
		r.faults.cut(), r.faults.requestsCut.Load(), r.faults.answersCut.Load(), r.faults.answersHung.Load(),
		r.LongestHang)
	line("answers delayed", "%d, by up to %v", r.faults.answersLate.Load(), mostLatency)
	line("processes killed", "%d, in %d requests of functions", r.seen.killed.Load(), r.faults.requests.Load())

	fmt.Fprintln(out, "Executions")
	line("executions", "%s", counted(r.history.executions))
	failed := r.history.failed.counts()
	line("calls of functions", "%d, of which %d failed and were retried or given up", r.history.calls.Load(),
		sum(failed))
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		line("", "%d %s", failed[name], name)
	}
	line("replayed", "%d messages whose retries were used up", r.seen.replayed.Load())

	fmt.Fprintln(out, "Results")
	lost := "lost"
	if r.Unfinished != "" {
		lost = "not counted yet"
	}
	line("messages", "%d %s, %d counted twice", r.lost, lost, r.twice)
	line("requests", "%d, with %d event ids", total(r.seen.requests.by), distinct(r.seen.requests.by))
	line("notifications", "%d, with %d event ids", total(r.seen.notifications.by), distinct(r.seen.notifications.by))
	line("log lines", "%d, which show %d messages as counted", r.lines.Lines, r.lines.Messages)
	line("other writer", "%d errors", sum(r.seen.writeErrors.counts()))
	line("took", "%v, and %v to set up; slowed down %.1f times by the machine",
		r.took.Round(time.Second), r.setUp.Round(time.Second), r.busy.mean())
	if r.Unfinished != "" {
		fmt.Fprintf(out, "BUSY MACHINE: not finished in time. Missing: %s.\n", r.Unfinished)
	}
	switch {
	case len(r.Broken) == 0 && r.Unfinished != "":
		fmt.Fprintln(out, "Nothing was done twice. Run again on a quiet machine to see whether anything is lost.")
		return
	case len(r.Broken) == 0:
		fmt.Fprintln(out, "All guarantees held.")
		return
	}
	fmt.Fprintln(out, "BROKEN GUARANTEES")
	for _, broken := range r.Broken[:min(len(r.Broken), mostBroken)] {
		fmt.Fprintln(out, "  -", broken)
	}
	if more := len(r.Broken) - mostBroken; more > 0 {
		fmt.Fprintf(out, "  - and %d more\n", more)
	}
}

const mostBroken = 30

func counted(by map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%d %s", by[name], strings.ToLower(name)))
	}
	return strings.Join(parts, ", ")
}

func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// total is how many messages there were, and distinct how many of them an observer tells apart.
func total(by map[string]map[string]int) (n int) {
	for _, ids := range by {
		n += sum(ids)
	}
	return n
}

func distinct(by map[string]map[string]int) int {
	ids := map[string]bool{}
	for _, under := range by {
		for id := range under {
			ids[id] = true
		}
	}
	return len(ids)
}
