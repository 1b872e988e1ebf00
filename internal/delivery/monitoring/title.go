package monitoring

import (
	"strings"
	"unicode"
)

// titleCase capitalises each word like Python's str.title (https://docs.python.org/3/library/stdtypes.html#str.title),
// which made the predecessor's titles. A word is a sequence of letters that have case; any other character ends it, an
// apostrophe or a digit too. Unlike in Python, a letter whose capital has several letters, such as ß, is unchanged.
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

// cased are the letters that have case (https://www.unicode.org/versions/latest/core-spec/chapter-3/, D135).
var cased = []*unicode.RangeTable{
	unicode.Upper, unicode.Lower, unicode.Title, unicode.Other_Uppercase, unicode.Other_Lowercase,
}
