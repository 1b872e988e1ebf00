package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what was tried and what came of it.
type Report struct {
	*world
	history     *history
	lost, twice int
	setUp, took time.Duration

	// Broken says what is not as it should be; empty if every guarantee held.
	Broken []string
	// Unfinished says what was still missing when the time was over on a busy machine. What may still come is not
	// broken then; what is there twice, or must not be there, is.
	Unfinished string
}

func (r *Report) broken(format string, args ...any) {
	r.Broken = append(r.Broken, fmt.Sprintf(format, args...))
}

// missing notes what is not there, which on a busy machine may still come.
func (r *Report) missing(format string, args ...any) { r.tooFew(true, format, args...) }

// tooFew notes what is not as it should be, and whether more of the same would mend it.
func (r *Report) tooFew(mends bool, format string, args ...any) {
	if !mends || r.Unfinished == "" {
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
	fmt.Fprintln(out, "\nWhat was tried")
	line("collections", "%d", len(r.plan.collections))
	line("messages sent", "%d, shuffled, and %d duplicates (%.0f %%)", r.Messages, r.seen.duplicates.Load(),
		100*float64(r.seen.duplicates.Load())/float64(r.Messages))
	line("success files sent", "%d", r.seen.successFiles.Load())
	line("Sent written", "%d times, %d of them after the last receipt", len(r.plan.collections), r.seen.sentLate.Load())
	line("other writer", "%d plain updates", r.seen.writes.Load())
	line("connections cut", "%d: %d before the request took effect, %d after, %d after up to %v without an answer",
		r.faults.cut(), r.faults.requestsCut.Load(), r.faults.answersCut.Load(), r.faults.answersHung.Load(),
		r.LongestHang)
	line("answers delayed", "%d, by up to %v", r.faults.answersLate.Load(), mostLatency)
	line("processes killed", "%d, in %d requests of functions", r.seen.killed.Load(), r.faults.requests.Load())

	fmt.Fprintln(out, "What it did")
	line("executions", "%s", counted(r.history.executions))
	failed := r.history.failed.counts()
	line("calls of functions", "%d, of which failed and were tried again or given up: %d", r.history.calls.Load(),
		sum(failed))
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		line("", "%d %s", failed[name], name)
	}
	line("put back", "%d messages whose retries were used up", r.seen.putBack.Load())

	fmt.Fprintln(out, "What held")
	lost := "lost"
	if r.Unfinished != "" {
		lost = "not counted yet"
	}
	line("messages", "%d %s, %d counted twice", r.lost, lost, r.twice)
	line("requests", "%d, by %d event ids", total(r.seen.requests.by), distinct(r.seen.requests.by))
	line("news", "%d, by %d event ids", total(r.seen.news.by), distinct(r.seen.news.by))
	line("other writer", "%d errors", sum(r.seen.writeErrors.counts()))
	line("took", "%v, and %v to set up; slowed down %.1f times by the machine",
		r.took.Round(time.Second), r.setUp.Round(time.Second), r.busy.mean())
	if r.Unfinished != "" {
		fmt.Fprintf(out, "BUSY MACHINE: not done in time. Still missing: %s.\n", r.Unfinished)
	}
	switch {
	case len(r.Broken) == 0 && r.Unfinished != "":
		fmt.Fprintln(out, "Nothing was done twice. What is lost shows on a quiet machine only: try again there.")
		return
	case len(r.Broken) == 0:
		fmt.Fprintln(out, "All guarantees held.")
		return
	}
	fmt.Fprintln(out, "NOT AS IT SHOULD BE")
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
