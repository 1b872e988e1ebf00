package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/test/scenario"
)

// report shows what came out of the run and returns an error that names everything that is not as it should be.
func report(out io.Writer, run *run, seen *seen, took time.Duration) error {
	showCollections(out, run, seen)
	showResults(out, seen)
	showRejected(out, seen)
	problems := slices.Concat(checkRows(run, seen), checkRequests(run, seen), checkNews(seen), checkRejected(seen))
	fmt.Fprintln(out)
	if len(problems) > 0 {
		return errors.New("not as it should be:\n  " + strings.Join(problems, "\n  "))
	}
	fmt.Fprintf(out, "All as it should be, in %.1f s: every file counted once, one request per collection, "+
		"each piece of news once, every bad message kept.\n", took.Seconds())
	return nil
}

// mostShown is how many rows of a table are shown.
const mostShown = 20

// table shows rows under a heading; of many alike only the first.
func table(out io.Writer, heading string, rows []string) {
	fmt.Fprintln(out)
	writer := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(writer, heading)
	for _, row := range rows[:min(len(rows), mostShown)] {
		fmt.Fprintln(writer, row)
	}
	_ = writer.Flush()
	if more := len(rows) - mostShown; more > 0 {
		fmt.Fprintf(out, "… and %d more\n", more)
	}
}

func showCollections(out io.Writer, run *run, seen *seen) {
	asked := map[any]int{}
	for _, request := range seen.requests {
		asked[request["topic_name"]]++
	}
	var good, bad []string
	for _, row := range seen.rows {
		line := fmt.Sprintf("%s\t%s\t%d/%d\t%d", row.Name, row.Status, row.Received, row.Sent, asked[row.Name])
		if snapshot.Status(row.Status).Is(snapshot.Success) && row.Received == row.Sent && asked[row.Name] == 1 {
			good = append(good, line)
		} else {
			bad = append(bad, line)
		}
	}
	table(out, "COLLECTION\tSTATUS\tRECEIVED/SENT\tREQUESTS", append(bad, good...))
}

func showResults(out io.Writer, seen *seen) {
	var rows []string
	for _, request := range seen.requests {
		rows = append(rows, scenario.Text(request))
	}
	if len(rows) > 1 {
		rows = append(rows[:1], fmt.Sprintf("… and %d more like it", len(rows)-1))
	}
	table(out, "REQUESTS TO THE SENDER", rows)
	table(out, "NEWS", seen.news)
}

func showRejected(out io.Writer, seen *seen) {
	var rows []string
	for _, found := range seen.rejected {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s", found.Reason, found.detail, found.Identity))
	}
	slices.Sort(rows)
	table(out, "REJECTED\tWHY\tIDENTITY", rows)
}

func checkRows(run *run, seen *seen) []string {
	var problems []string
	rows := map[string]scenario.Row{}
	for _, row := range seen.rows {
		rows[row.Name] = row
	}
	for _, c := range run.Collections {
		want := (scenario.Row{Name: c.Name, Status: wantStatus(c), Sent: c.Files, Received: c.Files})
		if got := rows[c.Name]; got != want {
			problems = append(problems, fmt.Sprintf("collection %s is %s with %d/%d files, want %s with %d/%d",
				c.Name, got.Status, got.Received, got.Sent, want.Status, want.Received, want.Sent))
		}
	}
	if len(seen.rows) != len(run.Collections) {
		problems = append(problems, fmt.Sprintf("the run has %d rows, want %d", len(seen.rows), len(run.Collections)))
	}
	return problems
}

func checkRequests(run *run, seen *seen) []string {
	got := map[string]int{}
	for _, request := range seen.requests {
		got[scenario.Text(request)]++
	}
	want := map[string]int{}
	for _, c := range run.Collections {
		want[scenario.Text(scenario.Fields{
			"shutdown_flag": "true", "correlation_id": run.CorrelationID, "topic_name": c.Name,
			"snapshot_type": run.SnapshotType, "reprocess_files": "true", "export_date": run.ExportDate,
			"send_success_indicator": "true",
		})] = 1
	}
	return differences("request", got, want)
}

func checkNews(seen *seen) []string {
	got := map[string]int{}
	for _, title := range seen.news {
		got[title]++
	}
	return differences("news", got, map[string]int{
		"Incremental - All collections received by NiFi": 1,
		"Incremental - All collections successful":       1,
	})
}

func checkRejected(seen *seen) []string {
	got, want := map[string]int{}, map[string]int{}
	for _, found := range seen.rejected {
		got[fmt.Sprintf("%s of %s", found.Reason, found.Identity)]++
		if found.detail == "" {
			got[fmt.Sprintf("%s of %s, without a reason in words", found.Reason, found.Identity)]++
		}
	}
	for _, reject := range seen.expected {
		want[fmt.Sprintf("%s of %s", reject.Reason, reject.Identity)]++
	}
	return differences("rejected message", got, want)
}

// differences names what came too often, too seldom or not at all.
func differences(what string, got, want map[string]int) []string {
	var problems []string
	all := maps.Clone(got)
	maps.Copy(all, want)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if got[key] != want[key] {
			problems = append(problems, fmt.Sprintf("%s came %d times, want %d: %s", what, got[key], want[key], key))
		}
	}
	return problems
}
