package command

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// asCommand has the test's binary be the command.
const asCommand = "SNAPSHOT_STATUS_AS_COMMAND"

func TestCompleteWords(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.finished("finished")
	n.later(time.Minute)
	n.row("unfinished", "db.core.one", "Exported", 2)
	n.arrive("unfinished", "db.core.one", "one")
	for name, test := range map[string]struct {
		words []string
		want  []string
	}{
		"Command":           {[]string{"wa"}, []string{"watch"}},
		"CommandAfterFlags": {[]string{"--stack", "show", "-o", "json", "wh"}, []string{"why"}},
		"CommandOfACommand": {[]string{"rejected", "re"}, []string{"replay"}},
		"Run":               {[]string{"watch", ""}, []string{"unfinished", "finished"}},
		"RunBegun":          {[]string{"--color", "never", "show", "--limit", "3", "f"}, []string{"finished"}},
		"NoRunTwice":        {[]string{"watch", "unfinished", ""}, nil},
		"Flag": {[]string{"watch", "unfinished", "--st"}, []string{"--stack", "--state-machine",
			"--stay"}},
		"ValueOfAFlag":        {[]string{"watch", "--output", ""}, []string{"text", "json"}},
		"ValueOfAShortFlag":   {[]string{"-o", "j"}, []string{"json"}},
		"ValueAfterEquals":    {[]string{"--color=a"}, []string{"--color=auto", "--color=always"}},
		"FreeValue":           {[]string{"--profile", ""}, nil},
		"NoValueOfASwitch":    {[]string{"watch", "--stay", "unf"}, []string{"unfinished"}},
		"Argument":            {[]string{"completion", "z"}, []string{"zsh"}},
		"HiddenIsNotShown":    {[]string{"complete"}, nil},
		"NothingLikeThat":     {[]string{"xyz"}, nil},
		"UnknownFlag":         {[]string{"--nonsense", "wat"}, []string{"watch"}},
		"FlagWithTwoHyphens":  {[]string{"show", "--wai"}, []string{"--waits-for"}},
		"LastArgumentRepeats": {[]string{"reconcile", "unfinished", "db.core.one", ""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := n.says("", append([]string{"complete-words", "--"}, test.words...)...)
			got := strings.Fields(said.out)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" || said.code != exitOK {
				t.Errorf("exit code %d, %s (-want +got):\n%s", said.code, said.err, diff)
			}
		})
	}
}

// inBash types into an interactive bash that has the command and its completion, and waits until its screen holds what
// is wanted.
func inBash(t *testing.T, typed, wanted string) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal("bash is needed, as it is for .ci/run: ", err)
	}
	folder, binary := t.TempDir(), os.Args[0]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	binary, err = filepath.Abs(binary)
	must(err)
	script := "#!/bin/sh\n" + asCommand + "=1 exec '" + binary + "' \"$@\"\n"
	must(os.WriteFile(filepath.Join(folder, "snapshot-status"), []byte(script), 0o700))
	rc := "PS1='> '\nbind 'set bell-style none'\nbind 'set enable-bracketed-paste off'\nsource <(snapshot-status " +
		"completion bash)\n"
	must(os.WriteFile(filepath.Join(folder, "bashrc"), []byte(rc), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // for what takes a moment: the machine may be busy
	defer cancel()
	shell := exec.CommandContext(ctx, bash, "--noprofile", "--rcfile", filepath.Join(folder, "bashrc"), "-i")
	shell.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "TERM=xterm", "HOME="+folder, "HISTFILE=")
	keyboard, err := pty.StartWithSize(shell, &pty.Winsize{Rows: 24, Cols: 100})
	must(err)
	screen := vt.NewSafeEmulator(100, 24)
	go func() { _, _ = io.Copy(screen, keyboard) }()
	go func() { _, _ = io.Copy(keyboard, screen) }()
	defer func() {
		cancel()
		_ = shell.Wait()
		_ = keyboard.Close()
		_ = screen.InputPipe().(io.Closer).Close()
	}()
	text := func() string { return ansi.Strip(screen.Render()) }
	until := func(wanted string) {
		t.Helper()
		for !strings.Contains(text(), wanted) {
			select {
			case <-ctx.Done():
				t.Fatalf("no %q on bash's screen:\n%s", wanted, text())
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	until("> ")
	_, err = keyboard.WriteString(typed)
	must(err)
	until(wanted)
}

// A real bash completes what is typed.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ typed, wanted string }{
		"Command":          {"snapshot-status wat\t|", "> snapshot-status watch |"},
		"CommandOfCommand": {"snapshot-status rejected rep\t|", "> snapshot-status rejected replay |"},
		"Flag":             {"snapshot-status watch run-1 --ev\t|", "> snapshot-status watch run-1 --every |"},
		"Value":            {"snapshot-status runs --output j\t|", "> snapshot-status runs --output json |"},
		"ValueAfterEquals": {"snapshot-status runs --output=j\t|", "> snapshot-status runs --output=json |"},
		"OnlyEquals":       {"snapshot-status runs --output=\t\t", "json  text"},
		"InTheMiddle": {"snapshot-status wat run-1\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\t|",
			"> snapshot-status watch| run-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBash(t, test.typed, test.wanted)
		})
	}
}
