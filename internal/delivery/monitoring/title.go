package monitoring

import (
	"strings"
	"unicode"
)

// titleCase writes the first letter of each word large and the others small, as Python's str.title does
// (https://docs.python.org/3/library/stdtypes.html#str.title), with which the predecessor made its titles. A word is a
// run of letters that have case: whatever else stands between two letters begins another one, an apostrophe or a digit
// as well as a blank, hyphen or underscore. Only letters with a capital of several, such as ß, stay as they are.
func titleCase(text string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		titled := unicode.ToTitle(r)
		if inWord {
			titled = unicode.ToLower(r)
		}
		inWord = unicode.In(r, cased...)
		return titled
	}, text)
}

// cased are Unicode's letters that have case (https://www.unicode.org/versions/latest/core-spec/chapter-3/, D135).
var cased = []*unicode.RangeTable{
	unicode.Upper, unicode.Lower, unicode.Title, unicode.Other_Uppercase, unicode.Other_Lowercase,
}
