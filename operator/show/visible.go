package show

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible reports whether a character is visible and a terminal only shows it. The only such white space is the blank.
// The invisible ones are Unicode's default ignorable code points
// (https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point).
func Visible(r rune) bool {
	return unicode.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Clean makes text from other systems safe to show: control characters, marks that change the direction of text, line
// separators and invisible characters are escaped as in Go and JSON. A byte that is not UTF-8 is \xff. The result is
// one line.
func Clean(text string) string {
	return escape(text, func(r rune, raw string) string {
		if r == utf8.RuneError && len(raw) == 1 {
			return fmt.Sprintf(`\x%02x`, raw[0])
		}
		if short, ok := map[rune]string{'\t': `\t`, '\n': `\n`, '\r': `\r`}[r]; ok {
			return short
		}
		if r > 0xFFFF {
			return fmt.Sprintf(`\U%08x`, r)
		}
		return fmt.Sprintf(`\u%04x`, r)
	})
}

// Quote is Clean in double quotes, in which quotes and backslashes are escaped too.
func Quote(text string) string { return Clean(strconv.Quote(text)) }

// JSON escapes what is not visible in a JSON document, which stays a document of the same values. Its line ends stay.
func JSON(document []byte) []byte {
	if bytes.IndexFunc(document, hidden) < 0 {
		return document
	}
	return []byte(escape(string(document), func(r rune, raw string) string {
		switch high, low := utf16.EncodeRune(r); {
		case r == '\n':
			return raw
		case r > 0xFFFF:
			return fmt.Sprintf(`\u%04x\u%04x`, high, low)
		}
		return fmt.Sprintf(`\u%04x`, r)
	}))
}

func hidden(r rune) bool { return !Visible(r) || r == utf8.RuneError }

// escape replaces what is not visible. raw is the character's own bytes.
func escape(text string, as func(r rune, raw string) string) string {
	if strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var escaped strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if Visible(r) && !(r == utf8.RuneError && size == 1) {
			escaped.WriteString(text[:size])
		} else {
			escaped.WriteString(as(r, text[:size]))
		}
		text = text[size:]
	}
	return escaped.String()
}

// Writer writes lines with what is not visible escaped. Each call of Write must write whole lines.
func Writer(to io.Writer) io.Writer { return writer{to} }

type writer struct{ to io.Writer }

func (w writer) Write(lines []byte) (int, error) {
	safe := strings.Split(string(lines), "\n")
	for i, line := range safe {
		safe[i] = Clean(line)
	}
	if _, err := io.WriteString(w.to, strings.Join(safe, "\n")); err != nil {
		return 0, err
	}
	return len(lines), nil
}
