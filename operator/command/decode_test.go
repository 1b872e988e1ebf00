package command

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

func utf16(t testing.TB, order unicode.Endianness, mark unicode.BOMPolicy, text string) string {
	t.Helper()
	encoded, err := unicode.UTF16(order, mark).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// What other tools write is read as the same text; what cannot be read is an error that names the line.
func TestDecode(t *testing.T) {
	t.Parallel()
	const text = "db/één.gz\r\nb\n🎉\n"
	for name, c := range map[string]struct{ raw, want, wrong string }{
		"Empty":                {"", "", ""},
		"UTF8":                 {text, text, ""},
		"UTF8Mark":             {"\ufeff" + text, text, ""},
		"OnlyAMark":            {"\ufeff", "", ""},
		"LittleEndian":         {utf16(t, unicode.LittleEndian, unicode.UseBOM, text), text, ""},
		"BigEndian":            {utf16(t, unicode.BigEndian, unicode.UseBOM, text), text, ""},
		"LittleEndianNoMark":   {utf16(t, unicode.LittleEndian, unicode.IgnoreBOM, text), text, ""},
		"BigEndianNoMark":      {utf16(t, unicode.BigEndian, unicode.IgnoreBOM, text), text, ""},
		"OneCharacter":         {"{\x00", "{", ""},
		"ReplacementIsAText":   {"\xff\xfe\xfd\xffa\x00", "\ufffda", ""},
		"Latin1":               {"a\nb\ncaf\xe9.gz\n", "", "line 3 is not UTF-8 (byte 0xe9)"},
		"Far":                  {strings.Repeat("a\n", 5000) + "\xe9\n", "", "line 5001 is not UTF-8 (byte 0xe9)"},
		"CutOff":               {"caf\xc3", "", "line 1 is not UTF-8 (byte 0xc3)"},
		"Surrogate":            {"a\n\xed\xa0\x80", "", "line 2 is not UTF-8"},
		"OddUTF16":             {"\xff\xfea\x00\n\x00b", "", "line 2 is not UTF-16"},
		"LoneSurrogate":        {"\xfe\xff\x00a\x00\n\xd8\x00\x00b", "", "line 2 is not UTF-16"},
		"NUL":                  {"name\nb\x00c", "", "line 2 has a NUL byte"},
		"NULsForLines":         {"name\x00other\x00", "", "line 1 has a NUL byte"},
		"NULInUTF16":           {"\xff\xfea\x00\n\x00\x00\x00", "", "line 2 has a NUL byte"},
		"UTF32":                {"\xff\xfe\x00\x00a\x00\x00\x00", "", "line 1 has a NUL byte"},
		"MarkOfUTF16InUTF8":    {"a\xff\xfe", "", "line 1 is not UTF-8 (byte 0xff)"},
		"MarkInTheMiddleStays": {"a\n\ufeffb", "a\n\ufeffb", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode([]byte(c.raw))
			if c.wrong == "" && (err != nil || got != c.want) {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
			if c.wrong != "" && (err == nil || !strings.HasPrefix(err.Error(), c.wrong) ||
				!strings.HasSuffix(err.Error(), "save it as text in UTF-8")) {
				t.Errorf("%q, %v; want %s", got, err, c.wrong)
			}
		})
	}
}

// A text that begins with two ASCII characters is read in every encoding, and whatever is read is UTF-8 without a NUL.
func TestDecodeAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		rest := strings.ReplaceAll(rapid.String().Draw(r, "rest"), "\x00", "0")
		text := rapid.StringMatching(`[a-z]{2}`).Draw(r, "begin") + rest
		for _, order := range []unicode.Endianness{unicode.LittleEndian, unicode.BigEndian} {
			for _, mark := range []unicode.BOMPolicy{unicode.UseBOM, unicode.IgnoreBOM} {
				if got, err := decode([]byte(utf16(t, order, mark, text))); err != nil || got != text {
					r.Fatalf("%q, %v; want %q", got, err, text)
				}
			}
		}
		if got, err := decode([]byte(text)); err != nil || got != text {
			r.Fatalf("%q, %v; want %q", got, err, text)
		}
		got, err := decode(rapid.SliceOf(rapid.Byte()).Draw(r, "bytes"))
		if err == nil && (!utf8.ValidString(got) || strings.Contains(got, "\x00")) {
			r.Fatalf("%q", got)
		}
	})
}
