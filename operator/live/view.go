package live

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// Lines that every screen has: head, the table's heading, the list's place, the events' heading, keys.
const (
	headLines  = 6
	fixedLines = headLines + 4
)

// layout is how many lines the collections and the events get.
func (s screen) layout() (rows, events int) {
	free := max(1, s.height-fixedLines)
	events = min(free/3, 12)
	return free - events, events
}

// filled is a list of lines with empty ones up to its length.
func filled(lines []string, length int) []string {
	return append(lines, make([]string, length-len(lines))...)
}

// text draws the screen: exactly height lines, none wider than width.
func (s screen) text() string {
	lines := append(s.head(), s.table()...)
	lines = append(lines, s.happened()...)
	lines = append(lines, s.keys())
	lines = lines[:max(1, s.height)]
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, s.width, "…")
	}
	return strings.Join(lines, "\n")
}

const waitsFor = "waiting for "

// head is headLines lines: the run, its progress, what it waits for.
func (s screen) head() []string {
	p, run := s.printer(), s.run()
	title := show.Clean(s.Name)
	if of := strings.TrimSpace(run.SnapshotType + " " + run.ExportDate); of != "" {
		title += " (" + show.Clean(of) + ")"
	}
	if !s.tracker.Known() {
		return []string{spread(title, s.freshness(), s.width), "", s.failure(), "", "", ""}
	}
	title += "  " + p.Tone(run.Tone(), label(run.Summary, s.now))
	width := max(10, min(s.width/4, 40))
	waits := append(s.waits(max(20, s.width-len(waitsFor))), "")
	files := fmt.Sprintf("%d of %d", run.FilesReceived, run.FilesSent)
	if speed := speed(s.tracker); speed != "" {
		files += ", " + speed
	}
	return []string{
		spread(title, s.freshness(), s.width),
		fmt.Sprintf("collections %s %d of %d received, %d successful", show.Bar(int64(run.Received),
			int64(run.Summary.Collections), width), run.Received, run.Summary.Collections, run.Successful),
		"files       " + show.Bar(run.FilesReceived, run.FilesSent, width) + " " + files,
		s.notificationsOrFailure(),
		waitsFor + waits[0],
		strings.TrimRight(strings.Repeat(" ", len(waitsFor))+waits[1], " "),
	}
}

// freshness says how old the data on the screen is.
func (s screen) freshness() string {
	var parts []string
	if s.tracker.Known() {
		parts = append(parts, "as of "+show.Duration(s.now.Sub(s.tracker.At))+" ago")
	}
	if s.reading {
		parts = append(parts, "reading …")
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing read yet")
}

// failure is the last reading's error, and when it is tried again.
func (s screen) failure() string {
	if s.tracker.Err == nil {
		return ""
	}
	return s.printer().Tone(show.Bad, failure(s.tracker.Err, s.tracker.Next.Sub(s.now)))
}

func (s screen) notificationsOrFailure() string {
	if s.tracker.Err != nil {
		return s.failure()
	}
	var all []string
	for _, n := range s.run().Notifications {
		all = append(all, report.NotificationName(n.Kind)+": "+string(n.Delivery.State))
	}
	return "monitoring  " + strings.Join(all, ", ")
}

// speed says how fast files arrive, and when all will have arrived.
func speed(t Tracker) string {
	rate, over, known := t.Rate()
	switch in, all := t.AllFilesIn(); {
	case !known:
		return ""
	case all:
		return fmt.Sprintf("%s a second, all arrived in about %s%s", decimal(rate), show.Duration(in),
			t.ByDeadline(in))
	case rate > 0:
		return decimal(rate) + " a second"
	}
	return "none for " + show.Duration(max(over, t.Quiet()))
}

// decimal writes a rate with as many digits as a person reads.
func decimal(rate float64) string {
	if rate < 10 {
		return fmt.Sprintf("%.1f", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}

// waits counts what the collections wait for, in lines that break between two counts.
func (s screen) waits(width int) []string {
	const together = "\u00a0" // a blank at which no line breaks
	p := s.printer()
	var parts []string
	kinds, counts := waiting(s.run().Collections)
	for _, kind := range kinds {
		count := strings.ReplaceAll(fmt.Sprintf("%s %d", kind, counts[kind]), " ", together)
		parts = append(parts, p.Tone(kind.Tone(), count))
	}
	if len(parts) == 0 {
		return []string{"nothing"}
	}
	wrapped := ansi.Wordwrap(strings.Join(parts, ", "), width, "")
	return strings.Split(strings.ReplaceAll(wrapped, together, " "), "\n")
}

// happened is the list of events, the newest last.
func (s screen) happened() []string {
	_, n := s.layout()
	lines := []string{s.printer().Tone(show.Faint, rule("events", s.width))}
	for _, e := range s.events[max(0, len(s.events)-n):] {
		lines = append(lines, e.at.UTC().Format(time.TimeOnly)+" "+s.printer().Tone(e.Kind.tone(), e.Text))
	}
	return filled(lines, 1+n)
}

func (s screen) keys() string {
	keys := "q quit  ↑↓ PgUp PgDn g G scroll  f filter  / name  Esc all  r read now"
	if s.list.typing {
		keys = "type a part of the name, Enter to accept, Esc to cancel"
	}
	return s.printer().Tone(show.Faint, keys)
}

// rule is a line across the screen with a word in it.
func rule(word string, width int) string {
	return "── " + word + " " + strings.Repeat("─", max(0, width-4-ansi.StringWidth(word)))
}

// spread puts one text to the left and one to the right; the left one gives way.
func spread(left, right string, width int) string {
	space := width - ansi.StringWidth(right) - 2
	left = ansi.Truncate(left, max(0, space), "…")
	return left + strings.Repeat(" ", max(2, width-ansi.StringWidth(left)-ansi.StringWidth(right))) + right
}

// table is the list of collections, with its heading and place.
func (s screen) table() []string {
	rows, _ := s.layout()
	top := max(0, min(s.list.top, len(s.list.shown)-rows))
	shown := s.list.shown[top:min(top+rows, len(s.list.shown))]
	columns := s.columns(shown)
	lines := []string{s.printer().Tone(show.Faint, columns.line("COLLECTION", "STATUS", "FILES/SENT", "", "WAITING FOR",
		"AGE"))}
	for _, c := range shown {
		lines = append(lines, columns.line(show.Clean(c.Collection), report.StatusName(c.Status), counts(c),
			show.Bar(c.FilesReceived, c.FilesSent, columns.bar),
			s.printer().Tone(c.WaitsFor.Tone(), cell(string(c.WaitsFor), columns.wait)), s.printer().Ago(c.Since)))
	}
	switch {
	case len(shown) > 0 || !s.tracker.Known():
	case len(s.run().Collections) == 0:
		lines = append(lines, "The export status table has no row for this run yet.")
	default:
		lines = append(lines, "No collection matches (Esc shows all).")
	}
	return append(filled(lines, 1+rows), s.printer().Tone(show.Faint, s.place(top, len(shown))))
}

// place says which part of the list is shown.
func (s screen) place(top, shown int) string {
	if shown == 0 && s.list.filter() == "" {
		return ""
	}
	text := fmt.Sprintf("%d–%d of %d", min(top+1, len(s.list.shown)), top+shown, len(s.list.shown))
	if filter := s.list.filter(); filter != "" {
		text += " " + show.Clean(filter)
	}
	return text
}

// columns are the widths of the list's columns.
type columns struct{ name, status, files, bar, wait, since int }

// columns gives each column what it needs, and the name and the bar the rest. A narrow screen has no age.
func (s screen) columns(shown []report.Collection) columns {
	c := columns{name: 10, status: 10, files: len("FILES/SENT"), bar: 8, wait: len("the success file"), since: 6}
	longest := c.name
	for _, one := range shown {
		c.files = max(c.files, len(counts(one)))
		c.status = max(c.status, ansi.StringWidth(report.StatusName(one.Status)))
		longest = max(longest, ansi.StringWidth(show.Clean(one.Collection)))
	}
	if s.width < 100 {
		c.since, c.status = 0, min(c.status, 11)
	}
	c.status = min(c.status, len("Table_Unavailable"))
	taken := c.status + c.files + c.bar + c.wait + c.since + 5
	c.name = max(c.name, min(longest, s.width-taken))
	c.bar = max(c.bar, min(40, s.width-taken-c.name+c.bar))
	return c
}

func (c columns) line(name, status, files, bar, wait, since string) string {
	return strings.TrimRight(strings.Join([]string{
		cellEnd(name, c.name), cell(status, c.status), cell(files, c.files), cell(bar, c.bar), cell(wait, c.wait),
		cell(since, c.since),
	}, " "), " ")
}

func counts(c report.Collection) string { return fmt.Sprintf("%d/%d", c.FilesReceived, c.FilesSent) }

// cell makes a text exactly so wide.
func cell(text string, width int) string {
	text = ansi.Truncate(text, width, "…")
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}

// cellEnd is a cell that keeps the end of its text, which tells the collections of a database apart.
func cellEnd(text string, width int) string {
	if over := ansi.StringWidth(text) - width; over > 0 {
		text = ansi.TruncateLeft(text, over+1, "…")
	}
	return cell(text, width)
}
