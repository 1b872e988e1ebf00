package command

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

type runsCommand struct {
	Limit int  `default:"20" help:"Runs at most: the newest."`
	Open  bool `help:"Only runs that are neither successful nor abandoned by hand."`
}

func (c *runsCommand) Help() string {
	return "Lists the runs in the ledger, the newest first. A run whose first message has not arrived is not " +
		"listed: find it with `show` and its correlation id."
}

func (c *runsCommand) Run(a *app) error {
	if c.Limit < 1 {
		return exit{exitUsage, "--limit is at least 1"}
	}
	found, left, err := c.read(a)
	if err != nil && !report.Malformed(err) {
		return err
	}
	return errors.Join(err, a.answer(found, func(p show.Printer) { c.print(p, found, left) }))
}

func (c *runsCommand) print(p show.Printer, found []report.Summary, left int) {
	if len(found) == 0 && c.Open {
		p.Line("No run is open.")
		return
	}
	if len(found) == 0 {
		p.Line("No runs. A run is added with its first message.")
		return
	}
	var rows [][]string
	for _, run := range found {
		rows = append(rows, []string{
			run.Run, p.Tone(run.Tone(), run.Label()),
			fmt.Sprintf("%d/%d/%d", run.Received, run.Successful, run.Collections),
			fmt.Sprintf("%d/%d", run.FilesReceived, run.FilesSent),
			p.Ago(run.FirstMessage), p.Ago(run.LastProgress),
		})
	}
	p.Table([]string{"RUN", "STATE", "RECEIVED/SUCCESSFUL/ALL", "FILES/SENT", "AGE", "LAST PROGRESS"}, rows)
	if left > 0 {
		p.Line("… and %d older runs (--limit)", left)
	}
}

// read reads the newest runs, and counts the older ones that it left out. It skips malformed ones and
// returns their error beside the others (report.Malformed).
func (c *runsCommand) read(a *app) (found []report.Summary, left int, err error) {
	reader, settings, err := a.reader()
	if err != nil {
		return nil, 0, err
	}
	runs, malformed := reader.Runs(a)
	if malformed != nil && !report.Malformed(malformed) {
		return nil, 0, malformed
	}
	report.NewestFirst(runs)
	left = len(runs)
	found = []report.Summary{} // in JSON a list also if it is empty
	for chunk := range slices.Chunk(runs, concurrent) {
		summaries, unread := make([]report.Summary, len(chunk)), make([]error, len(chunk))
		var group errgroup.Group
		for i, run := range chunk {
			group.Go(func() error {
				state, err := reader.Run(a, run.CorrelationID)
				summaries[i] = report.New(run.CorrelationID, state, settings, a.now()).Summary
				if report.Malformed(err) {
					unread[i], err = err, nil
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, 0, err
		}
		for i, summary := range summaries {
			switch {
			case unread[i] != nil:
				malformed = errors.Join(malformed, unread[i])
				left--
			case !c.Open || summary.State != report.Successful && summary.Abandonment == nil:
				found = append(found, summary)
			}
		}
		if len(found) >= c.Limit {
			break
		}
	}
	if c.Open {
		left = len(found) // it is not known how many of the others are open
	}
	found = found[:min(c.Limit, len(found))]
	return found, left - len(found), malformed
}

func stamp(moment *time.Time) string {
	if moment == nil {
		return "–"
	}
	return moment.UTC().Format(time.DateTime)
}
