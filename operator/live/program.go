package live

import (
	"context"
	"fmt"
	"io"

	tea "charm.land/bubbletea/v2"
)

// Screen shows the run on a terminal until the run is done, the user quits or the context ends. Then it restores the
// terminal.
func Screen(ctx context.Context, o Options, source Source, in io.Reader, out io.Writer) (Tracker, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends a reading in progress
	program := tea.NewProgram(newScreen(ctx, o, source), tea.WithInput(in), tea.WithOutput(out),
		tea.WithoutSignalHandler())
	stop := context.AfterFunc(ctx, program.Quit)
	defer stop()
	last, err := program.Run()
	if err != nil {
		return Tracker{}, fmt.Errorf("showing the run: %w", err)
	}
	return last.(screen).tracker, nil
}
