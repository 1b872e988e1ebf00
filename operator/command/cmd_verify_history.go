package command

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/history"
	"snapshot-status-checker/operator/logs"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// checkedHistory is the answer of verify --history.
type checkedHistory struct {
	Run         string    `json:"run"`
	Since       time.Time `json:"since"`       // the lines from then on were read
	Collections int       `json:"collections"` // of the rows and the lines
	history.Report
}

// lineSource passes the log lines that may be about a run to visit, one at a time. The notes say what cannot be among
// them.
type lineSource func(run string, from time.Time, visit func(line []byte)) (notes []string, err error)

func (c *verifyCommand) verifyHistory(a *app, reader *store.Store, settings report.Settings,
	state store.RunState,
) error {
	if state.Run == nil {
		return exit{exitNotFound, fmt.Sprintf("run %s is not in the ledger: nothing was counted for it, so it has "+
			"no history", show.Quote(c.Name))}
	}
	found := checkedHistory{Run: c.Name, Since: state.Run.RegisteredAt.Add(-clockDifference).UTC()}
	checker := history.New(c.Name, history.Knowledge{Exempt: settings.Exempt, Collections: namesOf(state)})
	notes, err := a.readHistory(checker, c.Name, found.Since)
	if err != nil {
		return err
	}
	var visits []func(store.Receipt) error
	names := checker.Collections()
	for _, name := range names {
		visits = append(visits, checker.Receipts(name))
	}
	var one sync.Mutex // of the checker
	if err := a.receipts(reader, c.Name, names, func(i int, receipt store.Receipt) error {
		one.Lock()
		defer one.Unlock()
		return visits[i](receipt)
	}); err != nil {
		return err
	}
	found.Collections, found.Report = len(checker.Collections()), checker.Report()
	for _, note := range notes {
		found.Notes = append(found.Notes, history.Remark{Sentence: note})
	}
	return notDone(len(found.Violations) == 0, a.answer(found, found.print))
}

// clockDifference is more than the clocks of two processes differ.
const clockDifference = time.Minute

// readHistory passes the lines of a run to the checker. Without any line nothing can be checked: that is an error.
func (a *app) readHistory(checker *history.Checker, run string, since time.Time) ([]string, error) {
	lines := a.lines
	if lines == nil {
		lines = a.deployedLines
	}
	read, unreadable, first := 0, 0, error(nil)
	notes, err := lines(run, since, func(line []byte) {
		event, err := history.Parse(run, line)
		switch {
		case err != nil:
			if unreadable++; first == nil {
				first = err
			}
		case event != nil:
			read++
			checker.Line(event)
		}
	})
	if err != nil {
		return nil, err
	}
	if unreadable > 0 {
		notes = append(notes, fmt.Sprintf(
			"Lines that could not be read: %d. Another version of the functions wrote them (%v).",
			unreadable, first))
	}
	if a.now().Sub(since) > logs.Retention {
		notes = append(notes, fmt.Sprintf(
			"The run began more than %d days ago, and the logs keep their lines for %[1]d days.",
			int(logs.Retention.Hours()/24)))
	}
	if read == 0 {
		why := append(notes, "Lines arrive some seconds after they were written.")
		return nil, fmt.Errorf("the logs have no line about run %s since %s, so nothing was checked. %s",
			show.Quote(run),
			since.Format(time.RFC3339), strings.Join(why, " "))
	}
	return notes, nil
}

// deployedLines is the lineSource of the deployment.
func (a *app) deployedLines(run string, from time.Time, visit func([]byte)) (notes []string, err error) {
	found, err := a.deployment()
	if err == nil && found.Stack == "" {
		err = found.Missing("StateMachineArn") // the names of the log groups follow from its name
	}
	if err != nil {
		return nil, err
	}
	var one sync.Mutex // of visit and the notes
	if found.Settings.LogLevel > slog.LevelInfo {
		notes = append(notes, fmt.Sprintf("The functions' log level is %s, which leaves out most lines.",
			found.Settings.LogLevel))
	}
	client := logs.New(found.Config)
	group, ctx := errgroup.WithContext(a)
	for _, task := range history.Tasks {
		group.Go(func() error {
			err := logs.OfRun(ctx, client, "/aws/lambda/"+found.FunctionName(task), run, from, func(line []byte) {
				one.Lock()
				defer one.Unlock()
				visit(line)
			})
			if errors.Is(err, logs.ErrNoGroup) {
				one.Lock()
				defer one.Unlock()
				notes, err = append(notes, fmt.Sprintf("The log group of %s does not exist: it was never called, or "+
					"the group was deleted.", found.FunctionName(task))), nil
			}
			return err
		})
	}
	err = group.Wait()
	return notes, err
}

func (h checkedHistory) print(p show.Printer) {
	n := h.Examined
	p.Line("%s: %d log lines since %s about %d collections: %d messages counted, %d moves, %d requests, "+
		"%d notifications, %d alerts", h.Run, n.Lines, h.Since.Format(time.DateTime), h.Collections, n.Messages,
		n.Moves, n.Requests, n.Notifications, n.Alerts)
	if len(h.Violations) == 0 {
		p.Line("%s", p.Tone(show.Good, "The lines contradict no guarantee."))
	} else {
		p.Line("%s", p.Tone(show.Bad, "The lines contradict a guarantee:"))
	}
	printHistory(p, show.Bad, h.Violations)
	if len(h.Notes) > 0 {
		p.Line("Allowed, or not shown by the lines:")
	}
	printHistory(p, show.Busy, h.Notes)
	p.Line("%s", p.Tone(show.Faint, "Lines do not show what other systems wrote, nor what a process did that died "+
		"before its line."))
}

func printHistory(p show.Printer, tone show.Tone, remarks []history.Remark) {
	for _, remark := range remarks {
		p.Line("%s %s", p.Tone(tone, "●"), remark)
	}
}
