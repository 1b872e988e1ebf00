package command

import (
	"fmt"
	"slices"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

type showCommand struct {
	Name     string            `arg:"" name:"run" help:"The correlation id."`
	WaitsFor []report.WaitsFor `help:"Only collections that wait for this, such as files; can be repeated."`
	Status   []string          `help:"Only collections in this status, upper or lower case; can be repeated."`
	Match    string            `help:"Only collections whose name contains this."`
	Limit    int               `default:"40" help:"Collections at most; 0 for all. JSON has all of them."`
}

func (c *showCommand) Help() string {
	return "Shows a run with its collections, blocking ones first. Exits with 3 if the run is not successful."
}

func (c *showCommand) Run(a *app) error {
	run, err := a.run(c.Name)
	if err != nil {
		return err
	}
	all := run.Collections
	run.Collections = slices.DeleteFunc(slices.Clone(all), func(one report.Collection) bool { return !c.wanted(one) })
	err = a.answer(run, func(p show.Printer) { c.print(p, run, len(all)) })
	return notDone(run.State == report.Successful, err)
}

func (c *showCommand) print(p show.Printer, run report.Run, all int) {
	headLines(p, run)
	p.Line("")
	shown := run.Collections
	if c.Limit > 0 {
		shown = shown[:min(c.Limit, len(shown))]
	}
	if all == 0 {
		p.Line("The export status table has no row for this run.")
	} else if len(shown) == 0 {
		p.Line("None of its %d collections matches.", all)
	} else {
		p.Table([]string{"COLLECTION", "STATUS", "FILES/SENT", "", "WAITING FOR", "AGE"}, collectionRows(p, shown))
	}
	if more := len(run.Collections) - len(shown); more > 0 {
		p.Line("… and %d more (--limit 0 shows all)", more)
	}
}

func (c *showCommand) wanted(one report.Collection) bool {
	is := func(status string) bool {
		wanted := snapshot.Status(status)
		return wanted.Is(snapshot.Status(one.Status)) || wanted.Is(snapshot.Status(report.StatusName(one.Status)))
	}
	return (len(c.WaitsFor) == 0 || slices.Contains(c.WaitsFor, one.WaitsFor)) &&
		(len(c.Status) == 0 || slices.ContainsFunc(c.Status, is)) && strings.Contains(one.Collection, c.Match)
}

// headLines shows the progress of a run.
func headLines(p show.Printer, run report.Run) {
	of := strings.TrimSpace(run.SnapshotType + " " + run.ExportDate)
	if of != "" {
		of = " (" + of + ")"
	}
	p.Line("%s%s: %s", run.Run, of, p.Tone(run.Tone(), run.Label()))
	p.Line("%d of %d collections received, %d successful; %d of %d files", run.Received, run.Summary.Collections,
		run.Successful, run.FilesReceived, run.FilesSent)
	p.Line("first message %s; last progress %s", p.Since(run.FirstMessage), p.Since(run.LastProgress))
	if run.Abandonment != nil {
		p.Line("abandoned by hand %s: %s", p.Since(&run.Abandonment.At), run.Abandonment.Reason)
	}
	if line := deadlineLine(p, run.Summary); line != "" {
		p.Line("%s", line)
	}
	for _, n := range run.Notifications {
		p.Line("notification of %s: %s", report.NotificationName(n.Kind),
			p.Tone(deliveryTone(n.Delivery.State), deliveryText(p, n.Delivery)))
	}
}

// deadlineLine says when the run is late or since when it is, "" if it is never late.
func deadlineLine(p show.Printer, run report.Summary) string {
	switch {
	case run.Late:
		return p.Tone(show.Bad, "late since "+p.Since(run.Deadline))
	case run.Deadline != nil:
		return fmt.Sprintf("deadline %s UTC, in %s", stamp(run.Deadline), show.Duration(run.Deadline.Sub(p.Now)))
	}
	return ""
}

func deliveryText(p show.Printer, d report.Delivery) string {
	switch {
	case d.Since == nil:
		return string(d.State)
	case d.State == report.Delivered:
		return fmt.Sprintf("%s (%s)", d.State, p.Since(d.Since))
	}
	return fmt.Sprintf("%s (since %s)", d.State, p.Since(d.Since))
}

func deliveryTone(state report.DeliveryState) show.Tone {
	switch state {
	case report.Delivered:
		return show.Good
	case report.Pending:
		return show.Bad
	case report.Leased:
		return show.Busy
	}
	return show.Faint
}

const barWidth = 12

func collectionRows(p show.Printer, collections []report.Collection) [][]string {
	var rows [][]string
	for _, c := range collections {
		rows = append(rows, []string{
			c.Collection, report.StatusName(c.Status), fmt.Sprintf("%d/%d", c.FilesReceived, c.FilesSent),
			show.Bar(c.FilesReceived, c.FilesSent, barWidth), p.Tone(c.WaitsFor.Tone(), string(c.WaitsFor)),
			p.Ago(c.Since),
		})
	}
	return rows
}
