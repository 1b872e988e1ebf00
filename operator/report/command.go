package report

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"snapshot-status-checker/operator/show"
)

// Command is how a person calls snapshot-status for the deployment that an answer is about: with the flags that named
// it. Suggested commands begin with it, so that they act on that deployment wherever they are pasted. The zero Command
// has no flags.
type Command string

// Do is a command line for a shell (see Quote). what is the command with its flags (see Flag). The arguments come last,
// so that one that begins with a dash is no flag.
func (c Command) Do(what string, arguments ...string) string {
	words := []string{cmp.Or(string(c), "snapshot-status"), what}
	for _, argument := range arguments {
		if strings.HasPrefix(argument, "-") {
			words = append(words, "--")
			break
		}
	}
	for _, argument := range arguments {
		words = append(words, Quote(argument))
	}
	return strings.Join(words, " ")
}

// Flag is a flag with its value for a command line, in one word, so that the value may begin with a dash.
func Flag(name, value string) string { return "--" + name + "=" + Quote(value) }

func (c Command) reconcile(run Run) string { return c.Do("reconcile --yes", run.Run) }
func (c Command) rejected(run Run) string  { return c.Do("rejected list " + Flag("run", run.Run)) }

// Quote makes a text one word of a command line for bash and zsh. The result has only visible characters: others are
// written in octal, byte by byte, which does not depend on the locale. A NUL, which no command line can hold, becomes
// U+FFFD, so that the command finds nothing instead of something else.
func Quote(word string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' ||
			strings.ContainsRune("-_./:@%+", r)
	}
	switch {
	case word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0:
		return word
	case show.Clean(word) == word:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	word = strings.ReplaceAll(word, "\x00", "\ufffd")
	named := map[rune]string{'\t': `\t`, '\n': `\n`, '\r': `\r`}
	var quoted strings.Builder
	for len(word) > 0 {
		r, size := utf8.DecodeRuneInString(word)
		switch known := r != utf8.RuneError || size > 1; {
		case named[r] != "":
			quoted.WriteString(named[r])
		case known && show.Visible(r) && !strings.ContainsRune(`'\!`, r):
			quoted.WriteRune(r)
		default:
			for _, b := range []byte(word[:size]) {
				fmt.Fprintf(&quoted, `\%03o`, b)
			}
		}
		word = word[size:]
	}
	return "$'" + quoted.String() + "'"
}
