package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	for _, run := range []string{"-dash", "$(touch x)", "a b", "a\nb", "x\u202e"} { // a shell would misread them
		n.row(run, "db.a", "Sent", 2)
		n.arrive(run, "db.a", "file")
	}
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

// A real bash completes what is typed: it runs the completed command, or lists what may follow.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	folder, binary := t.TempDir(), must(filepath.Abs(os.Args[0]))
	for name, text := range map[string]string{
		"snapshot-status": "#!/bin/sh\ncase $1 in comp*) " + asCommand + "=1 exec '" + binary +
			"' \"$@\";; esac\nprintf '<%s> ' \"$@\"",
		"bashrc": "PS1='> '\nbind 'set bell-style none'\nsource <(snapshot-status completion bash)\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const left = "\x1b[D"
	for typed, wanted := range map[string]string{
		"snapshot-status wat\t|":                           "<watch> <|>",
		"snapshot-status rejected rep\t|":                  "<rejected> <replay> <|>",
		"snapshot-status watch run-1 --ev\t|":              "<watch> <run-1> <--every> <|>",
		"snapshot-status runs --output j\t|":               "<runs> <--output> <json> <|>",
		"snapshot-status runs --output=j\t|":               "<runs> <--output=json> <|>",
		"snapshot-status runs --output=\t\t":               "json  text",
		"snapshot-status wat x" + left + left + "\t" + "-": "<watch-> <x>",
	} {
		t.Run(typed, func(t *testing.T) {
			t.Parallel()
			bash := exec.CommandContext(t.Context(), "bash", "--noprofile", "--rcfile", filepath.Join(folder, "bashrc"),
				"-i")
			bash.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "TERM=xterm", "HISTFILE=")
			bash.Stdin = strings.NewReader(strings.ReplaceAll(typed, "|", "'|'") + "\n")
			out, err := bash.CombinedOutput()
			if err != nil || !strings.Contains(string(out), wanted) {
				t.Errorf("no %q in what bash says (%v):\n%s", wanted, err, out)
			}
		})
	}
}
