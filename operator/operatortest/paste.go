// Package operatortest runs suggested commands in a shell, compares answers with golden files, and stands in for AWS.
package operatortest

import (
	"bytes"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"snapshot-status-checker/operator/show"
)

// Hostile are ids that a shell, a command line or a terminal could misinterpret.
var Hostile = map[string]string{
	"Plain": "run-1", "Empty": "", "Dash": "-dash-1", "TwoDashes": "--yes", "OnlyDashes": "--", "OneDash": "-",
	"Tab":     "a\tb",
	"Newline": "a\nb", "TrailingNewline": "a\n", "Return": "a\rb", "Override": "a\u202eb", "Escape": "a\x1b[2Jb",
	"CSI":    "a\u009bb",
	"Delete": "a\x7fb", "Quote": "it's", "Quotes": `"it's"`, "OnlyQuotes": "'\"'", "Command": "$(touch x)",
	"Backticks": "`touch x`",
	"Variable":  "$HOME", "Blanks": " a  b ", "Wide": "café 日本 🎉", "Home": "~", "Glob": "*?[a]", "Braces": "{a,b}",
	"Bang":      "!x!",
	"Backslash": `a\nb\\`, "QuoteAndTab": "a'\tb!\\", "Operators": "a;b&c|d>e<f", "Comment": "#a", "Assignment": "=a=b",
	"Invisible": "a\u3164\ufe0f\u200b", "Octal": "\u202e123", "Tag": "\U000e0041", "LineSeparator": "a\u2028b",
	"Dollar": "$'a'",
	"Said":   "a; list them: b", "DashAndTab": "-a\tb", "Assigned": "--run=x", "Program": "snapshot-status x",
}

// Pasted runs lines in bash and returns the arguments of each call of snapshot-status, or of aws, in them. It fails if
// a line has invisible characters.
func Pasted(t *testing.T, lines ...string) (calls [][]string) {
	t.Helper()
	for _, line := range lines {
		if show.Clean(line) != line {
			t.Errorf("invisible characters: %q", line)
		}
	}
	stub := "snapshot-status() { printf '%s\\0' $# \"$@\" >&3; }\naws() { snapshot-status \"$@\"; }\n"
	bash := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-c",
		"exec 3>&1 >/dev/null\n"+stub+strings.Join(lines, "\n")+"\n")
	bash.Dir, bash.Env = t.TempDir(), []string{"LC_ALL=C"}
	var stderr bytes.Buffer
	bash.Stderr = &stderr
	out, err := bash.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s", lines, err, &stderr)
	}
	for words := strings.Split(string(out), "\x00"); len(words) > 1; {
		n, err := strconv.Atoi(words[0])
		if err != nil || n >= len(words) {
			t.Fatalf("%s: %q", lines, out)
		}
		calls = append(calls, words[1:n+1])
		words = words[n+1:]
	}
	return calls
}

// Names reports whether arguments name something: in a flag or, behind -- if it looks like a flag, by itself.
func Names(arguments []string, id string) bool {
	if slices.Contains(arguments, "--run="+id) {
		return true
	}
	at := slices.Index(arguments, id)
	if !strings.HasPrefix(id, "-") {
		return at >= 0
	}
	end := slices.Index(arguments, "--")
	return end >= 0 && slices.Contains(arguments[end+1:], id)
}
