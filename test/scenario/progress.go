package scenario

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Progress shows where the run is: one line that is redrawn on a terminal, else a line a second if it changed.
type Progress struct {
	out      io.Writer
	terminal bool
	last     string
	at       time.Time
	pending  string // not shown yet
}

// NewProgress shows it there.
func NewProgress(out io.Writer) *Progress {
	p := &Progress{out: out}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

func (p *Progress) Show(line string) {
	switch {
	case line == p.last:
		return
	case p.terminal:
		fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	case time.Since(p.at) < time.Second:
		p.pending = line
		return
	default:
		fmt.Fprintln(p.out, line)
	}
	p.last, p.at, p.pending = line, time.Now(), ""
}

func (p *Progress) End() {
	if p.terminal || p.pending != "" {
		fmt.Fprintln(p.out, p.pending)
	}
}
