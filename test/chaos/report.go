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
	executions  map[string]int // by status
	lines       lines.Counts   // of the functions' logs
	lost        int
	twice       int64
	setUp, took time.Duration

	// Broken lists the broken guarantees.
	Broken []string
}

func (r *Report) broken(format string, args ...any) {
	r.Broken = append(r.Broken, fmt.Sprintf(format, args...))
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
	line("messages sent", "%d, shuffled, and %d duplicates", r.plan.files, r.seen.duplicates.Load())
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
	var executions []string
	for _, status := range slices.Sorted(maps.Keys(r.executions)) {
		executions = append(executions, fmt.Sprintf("%d %s", r.executions[status], strings.ToLower(status)))
	}
	line("executions", "%s", strings.Join(executions, ", "))
	line("replayed", "%d messages whose retries were used up", r.seen.replayed.Load())

	fmt.Fprintln(out, "Results")
	line("messages", "%d lost, %d counted twice", r.lost, r.twice)
	requests, ids := r.seen.requests.count()
	line("requests", "%d, with %d event ids", requests, ids)
	notifications, ids := r.seen.notifications.count()
	line("notifications", "%d, with %d event ids", notifications, ids)
	line("log lines", "%d, which show %d messages as counted", r.lines.Lines, r.lines.Messages)
	errors, _ := r.seen.writeErrors.count()
	line("other writer", "%d errors", errors)
	line("took", "%v, and %v to set up", r.took.Round(time.Second), r.setUp.Round(time.Second))
	if len(r.Broken) == 0 {
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
