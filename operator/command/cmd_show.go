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
	WaitsFor []report.WaitsFor `help:"Only collections that wait for this (files, 'a look', export, …); any number of them."`
	Status   []string          `help:"Only collections in this status, in any case, also as it is shown; any number of them."`
	Match    string            `help:"Only collections whose name contains this."`
	Limit    int               `default:"40" help:"Collections at most, those that hold the run first; 0 for all. JSON has all of them."`
}

func (c *showCommand) Help() string {
	return "Shows a run with its collections, those that hold it first. Exits with 3 if it is not successful."
}

func (c *showCommand) Run(a *app) error {
	run, err := a.run(c.Name)
	if err != nil {
		return err
	}
	all := run.Collections
	run.Collections = slices.DeleteFunc(slices.Clone(all), func(one report.Collection) bool { return !c.wanted(one) })
	if a.json {
		if err := a.printJSON(run); err != nil {
			return err
		}
		return notDone(run.State == report.Successful)
	}
	p := a.printer()
	headLines(p, run)
	p.Line("")
	shown := run.Collections
	if c.Limit > 0 {
		shown = shown[:min(c.Limit, len(shown))]
	}
	if len(all) == 0 {
		p.Line("The export status table has no row for it.")
	} else if len(shown) == 0 {
		p.Line("None of its %d collections is like that.", len(all))
	} else {
		p.Table([]string{"COLLECTION", "STATUS", "FILES/SENT", "", "WAITS FOR", "SINCE"}, collectionRows(p, shown))
	}
	if more := len(run.Collections) - len(shown); more > 0 {
		p.Line("… and %d more (--limit 0 shows all)", more)
	}
	return notDone(run.State == report.Successful)
}

func (c *showCommand) wanted(one report.Collection) bool {
	is := func(status string) bool {
		wanted := snapshot.Status(status)
		return wanted.Is(snapshot.Status(one.Status)) || wanted.Is(snapshot.Status(report.StatusName(one.Status)))
	}
	return (len(c.WaitsFor) == 0 || slices.Contains(c.WaitsFor, one.WaitsFor)) &&
		(len(c.Status) == 0 || slices.ContainsFunc(c.Status, is)) && strings.Contains(one.Collection, c.Match)
}

// headLines says how far a run is.
func headLines(p show.Printer, run report.Run) {
	of := strings.TrimSpace(run.SnapshotType + " " + run.ExportDate)
	if of != "" {
		of = " (" + of + ")"
	}
	p.Line("%s%s: %s", run.Run, of, p.Tone(show.StateTone(run.State), string(run.State)))
	p.Line("%d of %d collections received, %d successful; %d of %d files", run.Received, run.Summary.Collections,
		run.Successful, run.FilesReceived, run.FilesSent)
	p.Line("first message %s; last progress %s", p.Since(run.FirstMessage), p.Since(run.LastProgress))
	for _, news := range run.Notifications {
		p.Line("news of %s: %s", report.NotificationName(news.Kind), p.Tone(debtTone(news.Delivery.State), debt(p, news.Delivery)))
	}
}

// debt says how it stands with a debt.
func debt(p show.Printer, debt report.Delivery) string {
	switch {
	case debt.Since == nil:
		return string(debt.State)
	case debt.State == report.Delivered:
		return fmt.Sprintf("%s (%s)", debt.State, p.Since(debt.Since))
	}
	return fmt.Sprintf("%s (owed since %s)", debt.State, p.Since(debt.Since))
}

func debtTone(state report.DeliveryState) show.Tone {
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
			show.Bar(c.FilesReceived, c.FilesSent, barWidth), p.Tone(show.WaitTone(c.WaitsFor), string(c.WaitsFor)),
			p.Ago(c.Since),
		})
	}
	return rows
}
