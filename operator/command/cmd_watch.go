package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"snapshot-status-checker/operator/live"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

type watchCommand struct {
	Name  string        `arg:"" name:"run" help:"The correlation id."`
	Every time.Duration `default:"2s" help:"Time between readings; longer if reading takes long."`
	Stay  bool          `help:"Stay when the run is done."`
	Wait  bool          `help:"Wait for a run that is in neither table yet."`
	Lines bool          `help:"Write lines, even on a terminal."`
}

func (c *watchCommand) Help() string {
	return "Follows a run until it is done or you quit (q). If the output is no terminal, it writes a line for each " +
		"change; with --output json each line is a JSON object. Exits with 3 if the run is not successful at the end."
}

func (c *watchCommand) Run(a *app) error {
	if c.Every < 100*time.Millisecond {
		return exit{exitUsage, "--every is at least 100ms"}
	}
	reader, settings, err := a.reader()
	if err != nil {
		return err
	}
	source := func(ctx context.Context) (report.Run, error) {
		state, err := reader.Run(ctx, c.Name)
		if err == nil && state.Run == nil && len(state.Collections) == 0 {
			err = live.ErrUnknown
		}
		if err != nil {
			return report.Run{}, err
		}
		return report.New(c.Name, state, settings, a.now()), nil
	}
	last, err := c.watch(a, source)
	switch {
	case err != nil:
		return err
	case !last.Known() && errors.Is(last.Err, live.ErrUnknown):
		return exit{exitNotFound,
			fmt.Sprintf("run %s is in neither table; to wait for it, add --wait; list the runs: %s",
				show.Quote(c.Name), a.command.Do("runs"))}
	}
	return notDone(last.Run.State == report.Successful, nil)
}

// watch shows the run on a screen if the command runs on a terminal, and in lines otherwise.
func (c *watchCommand) watch(a *app, source live.Source) (live.Tracker, error) {
	options := live.Options{Name: c.Name, Every: c.Every, Stay: c.Stay, Wait: c.Wait, Colors: a.colors, Now: a.now}
	if c.Lines || a.json || !a.interactive() {
		return live.Lines(a, options, source, a.writeLine)
	}
	last, err := live.Screen(a, options, source, a.in, a.out)
	if err == nil && last.Known() {
		err = a.print(func(p show.Printer) { headLines(p, last.Run) }) // stays when the screen is gone
	}
	return last, err
}

// interactive reports whether input and output are a terminal that can move its cursor.
func (a *app) interactive() bool {
	in, typed := a.in.(*os.File)
	out, shown := a.out.(*os.File)
	return typed && shown && isTerminal(in) && isTerminal(out) && os.Getenv("TERM") != "dumb"
}

func (a *app) writeLine(line live.Line) error {
	if a.json {
		return a.writeJSON(line, "")
	}
	return a.write([]byte(line.Text(a.printer(nil)) + "\n"))
}

func isTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }
