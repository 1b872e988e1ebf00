package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// Options say how a run is watched.
type Options struct {
	Name   string        // the run's correlation id
	Every  time.Duration // between two readings that are quick
	Stay   bool          // go on when the run is done
	Wait   bool          // for a run that neither table knows yet
	Colors bool
	Now    func() time.Time
}

// over reports whether a tracker's last reading ends the watching.
func (o Options) over(t Tracker) bool {
	return t.Ended() && !o.Stay || !t.Known() && !o.Wait && errors.Is(t.Err, ErrUnknown)
}

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

// screen is the state of the view.
type screen struct {
	Options
	read          func() Reading // runs concurrently
	tracker       Tracker
	reading       bool
	now           time.Time
	width, height int
	events        []moment // the newest last
	list          list
}

// moment is a sentence with its time.
type moment struct {
	at time.Time
	Sentence
}

// tick says that time has passed.
type tick time.Time

// maxEvents is how many sentences the screen remembers.
const maxEvents = 200

func newScreen(ctx context.Context, o Options, source Source) screen {
	return screen{
		Options: o, read: func() Reading { return source.read(ctx, o.Now) }, tracker: NewTracker(o.Every), now: o.Now(),
		width: 80, height: 24,
	}
}

// Init implements tea.Model.
func (s screen) Init() tea.Cmd { return s.wait(0) }

// wait sends a tick, for the ages on the screen and the next reading.
func (s screen) wait(d time.Duration) tea.Cmd {
	return tea.Tick(d, func(time.Time) tea.Msg { return tick(s.Now()) })
}

// Update implements tea.Model.
func (s screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case tick:
		s.now = time.Time(msg)
		next := s.wait(min(time.Second, s.Every))
		if s.now.Before(s.tracker.Next) {
			return s, next
		}
		s, read := s.startReading()
		return s, tea.Batch(next, read)
	case Reading:
		return s.take(msg)
	case tea.KeyPressMsg:
		return s.key(msg)
	}
	return s, nil
}

// startReading starts a reading, if none is in progress.
func (s screen) startReading() (screen, tea.Cmd) {
	if s.reading {
		return s, nil
	}
	s.reading = true
	read := s.read
	return s, func() tea.Msg { return read() }
}

func (s screen) take(r Reading) (tea.Model, tea.Cmd) {
	var events []Event
	s.reading = false
	s.now = r.Ended
	s.tracker, events = s.tracker.Take(r)
	for _, sentence := range Sentences(events) {
		s.events = append(s.events[max(0, len(s.events)-maxEvents):], moment{r.Ended, sentence})
	}
	if r.Err == nil {
		s.list = s.list.renew(s.tracker.Run.Collections)
	}
	if s.over(s.tracker) {
		return s, tea.Quit
	}
	return s, nil
}

func (s screen) key(key tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	pressed := key.String()
	if pressed == "ctrl+c" {
		return s, tea.Quit
	}
	if s.list.typing {
		s.list = s.list.typed(pressed, key.Text, s.tracker.Run.Collections)
		return s, nil
	}
	switch pressed {
	case "q":
		return s, tea.Quit
	case "r":
		return s.startReading()
	}
	rows, _ := s.layout()
	s.list = s.list.key(pressed, s.tracker.Run.Collections, rows)
	return s, nil
}

// View implements tea.Model.
func (s screen) View() tea.View {
	view := tea.NewView(s.text())
	view.AltScreen = true
	view.WindowTitle = show.Clean(s.Name) + " – snapshot-status"
	return view
}

func (s screen) printer() show.Printer { return show.Printer{Colors: s.Colors, Now: s.now} }

func (s screen) run() report.Run { return s.tracker.Run }
