// Package show writes tables, bars and times for people in a terminal, and makes text from other systems safe to show.
package show

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
)

// Printer writes to a terminal or, without colours, to anything else.
type Printer struct {
	Out    io.Writer
	Colors bool
	Now    time.Time // for relative times
}

// Tone is the colour of a text.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Faint      // of no interest now
	Good       // done
	Busy       // on its way
	Bad        // a person has to act
)

var styles = map[Tone]lipgloss.Style{
	Faint: lipgloss.NewStyle().Faint(true),
	Good:  lipgloss.NewStyle().Foreground(lipgloss.Green),
	Busy:  lipgloss.NewStyle().Foreground(lipgloss.Yellow),
	Bad:   lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true),
}

// Tone colours a text, if there are colours.
func (p Printer) Tone(tone Tone, text string) string {
	if !p.Colors || tone == Plain {
		return text
	}
	return styles[tone].Render(text)
}

// Line writes one line. The terminal interprets nothing in it but our own tones.
func (p Printer) Line(format string, args ...any) {
	fmt.Fprintln(p.Out, p.clean(fmt.Sprintf(format, args...)))
}

// Text writes a text of several lines. The terminal interprets nothing in them but our own tones.
func (p Printer) Text(text string) {
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\t", "    "), "\n") {
		p.Line("%s", strings.TrimSuffix(line, "\r"))
	}
}

// sequences are the control sequences of our tones.
var sequences = sync.OnceValue(func() *regexp.Regexp {
	var known []string
	for _, style := range styles {
		before, after, _ := strings.Cut(style.Render("text"), "text")
		known = append(known, regexp.QuoteMeta(before), regexp.QuoteMeta(after))
	}
	return regexp.MustCompile(strings.Join(known, "|"))
})

func (p Printer) clean(line string) string {
	if !p.Colors {
		return Clean(line)
	}
	var safe strings.Builder
	end := 0
	for _, tone := range sequences().FindAllStringIndex(line, -1) {
		safe.WriteString(Clean(line[end:tone[0]]))
		safe.WriteString(line[tone[0]:tone[1]])
		end = tone[1]
	}
	safe.WriteString(Clean(line[end:]))
	return safe.String()
}

// Table writes rows under their headings.
func (p Printer) Table(headings []string, rows [][]string) {
	for _, row := range rows {
		for i := range row {
			row[i] = p.clean(row[i])
		}
	}
	columns := table.New().Headers(headings...).Rows(rows...).Wrap(false).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderHeader(false).BorderColumn(false).
		StyleFunc(func(_, column int) lipgloss.Style {
			if column == len(headings)-1 {
				return lipgloss.NewStyle()
			}
			return lipgloss.NewStyle().PaddingRight(2)
		})
	for line := range strings.SplitSeq(columns.Render(), "\n") {
		p.Line("%s", strings.TrimRight(line, " "))
	}
}

// Bar draws a progress bar.
func Bar(done, all int64, width int) string {
	full := 0
	if all > 0 {
		full = int(min(done, all) * int64(width) / all)
	}
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// Duration rounds: 45s, 12m, 3h05m, 2d04h.
func Duration(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// Ago is how long ago a moment was, "–" if it is unknown.
func (p Printer) Ago(moment *time.Time) string {
	if moment == nil {
		return "–"
	}
	return Duration(p.Now.Sub(*moment))
}

// Since is a moment with how long ago it was, "unknown" if it is.
func (p Printer) Since(moment *time.Time) string {
	if moment == nil {
		return "unknown"
	}
	return fmt.Sprintf("%s UTC, %s ago", moment.UTC().Format(time.DateTime), p.Ago(moment))
}
