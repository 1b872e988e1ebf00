package main

import (
	"strings"
	"testing"
	"unicode"
)

// Names come from others' messages and rows. Whatever is in them, a terminal shows it and obeys nothing of it, and a line
// stays a line.
func TestTerminalObeysNothing(t *testing.T) {
	t.Parallel()
	const run, collection = "run\x1b]0;title\a", "db.core.\x1b[2Jone\r\nfake  Success\u202e"
	n := newNight(t)
	n.row(run, collection, "Sent\x1b[8m", 5)
	n.arrive(run, collection, "file\x1b[1A\n", "file\x1b[1A\n")
	for _, command := range [][]string{{"runs"}, {"show", run}, {"why", run}, {"why", run, collection}, {"files", run, collection},
		{"owed", run}, {"look", run}, {"verify", run}, {"show", "no" + run}} {
		for _, colours := range []string{"never", "always"} {
			said := n.says("", append(command, "--color", colours)...)
			rest := strings.NewReplacer("\x1b[31m", "", "\x1b[1;31m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[2m", "", "\x1b[m", "", "\x1b[0m", "", "\n", "").
				Replace(said.out + said.err)
			odd := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsPrint(r) })
			if odd >= 0 || strings.Contains(said.out+said.err, "\nfake") {
				t.Errorf("%q, colours %s: %q", command, colours, said.out+said.err)
			}
		}
	}
}
