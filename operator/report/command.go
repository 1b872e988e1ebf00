package report

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"snapshot-status-checker/operator/visible"
)

// Command is how a person calls snapshot-status for the deployment that the answer is about: with the flags that named
// it. What is suggested begins with it, so that it acts on that deployment and no other wherever it is pasted. The zero
// Command has no flags, for a deployment that is found by itself.
type Command string

// Do is the command line that does something, for a shell (see Quote). what is the command with its flags, whose values
// are written by Flag. The arguments come last, so that one which begins with a dash is no flag.
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

// look looks at all of a run that waits.
func (c Command) look(run Run) string { return c.Do("look --yes", run.Run) }

// Quote makes a text one word of a command line for bash and zsh. Everything that is written for a shell goes through
// it. The result has only visible characters: others are written in octal, byte by byte, which does not depend on the
// locale. A NUL, which no command line can hold, becomes U+FFFD, so that the command finds nothing instead of something
// else.
func Quote(word string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("-_./:@%+",
			r)
	}
	switch {
	case word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0:
		return word
	case visible.Text(word) == word:
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
		case known && visible.Rune(r) && !strings.ContainsRune(`'\!`, r):
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
