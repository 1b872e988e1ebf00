package demo

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

// report writes the result and returns an error that lists every difference from the expected result.
func report(out io.Writer, run *run, result *result, took time.Duration) error {
	showResult(out, result)
	problems := slices.Concat(checkRows(run, result), checkMessages(run, result))
	fmt.Fprintln(out)
	if len(problems) > 0 {
		return errors.New("the result differs from the expected one:\n  " + strings.Join(problems, "\n  "))
	}
	fmt.Fprintf(out, "Passed in %.1f s: each file was counted once, each collection has one request,\n"+
		"each notification was sent once, and each malformed message was rejected.\n", took.Seconds())
	return nil
}

func showResult(out io.Writer, result *result) {
	requested := map[any]int{}
	var requests []string
	for _, request := range result.requests {
		requested[request["topic_name"]]++
		requests = append(requests, scenario.Text(request))
	}
	if len(requests) > 1 {
		requests = []string{requests[0], fmt.Sprintf("… and %d more", len(requests)-1)}
	}
	var bad, good, rejected []string
	for _, row := range result.rows {
		line := fmt.Sprintf("%s\t%s\t%d/%d\t%d", row.Name, row.Status, row.Received, row.Sent, requested[row.Name])
		if snapshot.Status(row.Status).Is(snapshot.Success) && row.Received == row.Sent && requested[row.Name] == 1 {
			good = append(good, line)
		} else {
			bad = append(bad, line)
		}
	}
	for _, found := range result.rejected {
		rejected = append(rejected, fmt.Sprintf("%s\t%s\t%s", found.Reason, found.detail, found.Identity))
	}
	slices.Sort(rejected)
	table(out, "COLLECTION\tSTATUS\tRECEIVED/SENT\tREQUESTS", append(bad, good...))
	table(out, "REQUESTS TO THE SENDER", requests)
	table(out, "NOTIFICATIONS", result.notifications)
	table(out, "REJECTED\tREASON\tIDENTITY", rejected)
}

// maxRows is the number of rows of a table that are shown.
const maxRows = 20

func table(out io.Writer, heading string, rows []string) {
	fmt.Fprintln(out)
	writer := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(writer, heading)
	for _, row := range rows[:min(len(rows), maxRows)] {
		fmt.Fprintln(writer, row)
	}
	_ = writer.Flush()
	if more := len(rows) - maxRows; more > 0 {
		fmt.Fprintf(out, "… and %d more\n", more)
	}
}

func checkRows(run *run, result *result) []string {
	var problems []string
	rows := map[string]scenario.Row{}
	for _, row := range result.rows {
		rows[row.Name] = row
	}
	for _, c := range run.Collections {
		want := (scenario.Row{Name: c.Name, Status: wantStatus(c), Sent: c.Files, Received: c.Files})
		if got := rows[c.Name]; got != want {
			problems = append(problems, fmt.Sprintf("collection %s is %s with %d/%d files, want %s with %d/%d",
				c.Name, got.Status, got.Received, got.Sent, want.Status, want.Received, want.Sent))
		}
	}
	if len(result.rows) != len(run.Collections) {
		problems = append(problems, fmt.Sprintf("the run has %d rows, want %d", len(result.rows),
			len(run.Collections)))
	}
	return problems
}

// message is a message that arrives: its kind and its text.
type message struct{ kind, text string }

// checkMessages lists the requests, notifications and rejected messages that arrived too often, too seldom or not at
// all.
func checkMessages(run *run, result *result) []string {
	got, want := map[message]int{}, map[message]int{
		{"notification", "Incremental - All collections received by NiFi"}: 1,
		{"notification", "Incremental - All collections successful"}:       1,
	}
	for _, title := range result.notifications {
		got[message{"notification", title}]++
	}
	for _, request := range result.requests {
		got[message{"request", scenario.Text(request)}]++
	}
	for _, c := range run.Collections {
		want[message{"request", scenario.Text(wantRequest(run, c))}]++
	}
	for _, found := range result.rejected {
		text := fmt.Sprintf("%s of %s", found.Reason, found.Identity)
		got[message{"rejected message", text}]++
		if found.detail == "" {
			got[message{"rejected message", text + ", without a reason text"}]++
		}
	}
	for _, reject := range result.expected {
		want[message{"rejected message", fmt.Sprintf("%s of %s", reject.Reason, reject.Identity)}]++
	}
	all := maps.Clone(got)
	maps.Copy(all, want)
	var problems []string
	for m := range all {
		if got[m] != want[m] {
			problems = append(problems, fmt.Sprintf("%s arrived %d times, want %d: %s", m.kind, got[m], want[m], m.text))
		}
	}
	slices.Sort(problems)
	return problems
}

func wantRequest(run *run, c scenario.Collection) scenario.Fields {
	return scenario.Fields{
		"shutdown_flag": "true", "correlation_id": run.CorrelationID, "topic_name": c.Name,
		"snapshot_type": run.SnapshotType, "reprocess_files": "true", "export_date": run.ExportDate,
		"send_success_indicator": "true",
	}
}
