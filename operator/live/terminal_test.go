package live

import (
	"context"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	xterm "golang.org/x/term"

	"snapshot-status-checker/operator/report"
)

// terminal is a pseudo terminal with an emulator that shows what is written to it, as a person would see it.
type terminal struct {
	*vt.SafeEmulator
	keyboard, tty *os.File
}

func newTerminal(t *testing.T) terminal {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(keyboard, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	term := terminal{vt.NewSafeEmulator(80, 24), keyboard, tty}
	go func() { _, _ = io.Copy(term, keyboard) }() // until keyboard is closed
	go func() { _, _ = io.Copy(keyboard, term) }() // what the terminal answers, until its pipe is closed
	t.Cleanup(func() {
		_ = tty.Close()
		_ = keyboard.Close()
		_ = term.InputPipe().(io.Closer).Close()
	})
	return term
}

// text is what is on the screen, without colours.
func (term terminal) text() string { return ansi.Strip(term.Render()) }

// modes are those of the terminal, such as whether it echoes.
func (term terminal) modes(t *testing.T) *xterm.State {
	t.Helper()
	modes, err := xterm.GetState(int(term.tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return modes
}

// waitFor waits until a text is on the screen.
func (term terminal) waitFor(t *testing.T, text string) {
	t.Helper()
	ended := time.Now().Add(10 * time.Minute) // for what takes a moment: the machine may be busy
	for !strings.Contains(term.text(), text) {
		if time.Now().After(ended) {
			t.Fatalf("no %q on the screen:\n%s", text, term.text())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// In a real terminal it shows changes, and restores the terminal however it ends.
func TestTerminal(t *testing.T) {
	t.Parallel()
	done := allReceived()
	done.State = report.Successful
	for name, end := range map[string]func(term terminal, read chan<- report.Run, cancel func()){
		"Q":            func(term terminal, _ chan<- report.Run, _ func()) { _, _ = term.keyboard.WriteString("q") },
		"CtrlC":        func(term terminal, _ chan<- report.Run, _ func()) { _, _ = term.keyboard.WriteString("\x03") },
		"Done":         func(_ terminal, read chan<- report.Run, _ func()) { read <- done },
		"ContextEnded": func(_ terminal, _ chan<- report.Run, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term := newTerminal(t)
			before := term.modes(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			read, ended := make(chan report.Run), make(chan error, 1)
			go func() {
				_, err := Screen(ctx, Options{Name: "run-1", Every: 10 * time.Millisecond, Now: time.Now, Colors: true},
					func(ctx context.Context) (report.Run, error) {
						select {
						case run := <-read:
							return run, nil
						case <-ctx.Done():
							return report.Run{}, ctx.Err()
						}
					}, term.tty, term.tty)
				ended <- err
			}()
			term.waitFor(t, "reading …")
			read <- oneCollection()
			term.waitFor(t, "db.core.contract Sent       9/10")
			if !term.IsAltScreen() || reflect.DeepEqual(term.modes(t), before) {
				t.Error("it does not use a screen of its own")
			}
			read <- allReceived()
			term.waitFor(t, "db.core.contract received, 10 of 10 files")
			end(term, read, cancel)
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("err = %v", err)
				}
			case <-time.After(10 * time.Minute):
				t.Fatal("it does not end")
			}
			if after := term.modes(t); !reflect.DeepEqual(before, after) {
				t.Errorf("the terminal's modes: %+v, before %+v", after, before)
			}
			if _, err := term.tty.WriteString("back at the prompt"); err != nil {
				t.Fatal(err)
			}
			term.waitFor(t, "back at the prompt")
			if term.IsAltScreen() || strings.Contains(term.text(), "run-1") {
				t.Errorf("its screen stays:\n%s", term.text())
			}
		})
	}
}
