package command

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

func inUTF16(t testing.TB, order unicode.Endianness, mark unicode.BOMPolicy, text string) string {
	t.Helper()
	encoded, err := unicode.UTF16(order, mark).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func allLines(in io.Reader) (all []string, err error) {
	for line, err := range linesOf(in) {
		if err != nil {
			return all, err
		}
		all = append(all, line)
	}
	return all, nil
}

// A text that begins with two ASCII characters is read in every encoding, at once and in lines.
func TestEncodings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		line := rapid.StringMatching(`[a-zäöü✓ਊऀ🎉਀]{0,40}`) // with characters whose halves look like line ends
		lines := append([]string{"ab"}, rapid.SliceOfN(line, 0, 30).Draw(r, "lines")...)
		times := rapid.SampledFrom([]int{1, 100}).Draw(r, "times") // around and over a buffer
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(r, "end")
		text := strings.Repeat(strings.Join(lines, end)+end, times)
		for name, raw := range map[string]string{
			"UTF-8": text, "UTF-8 with a mark": "\ufeff" + text,
			"LE":                inUTF16(t, unicode.LittleEndian, unicode.UseBOM, text),
			"BE":                inUTF16(t, unicode.BigEndian, unicode.UseBOM, text),
			"LE without a mark": inUTF16(t, unicode.LittleEndian, unicode.IgnoreBOM, text),
			"BE without a mark": inUTF16(t, unicode.BigEndian, unicode.IgnoreBOM, text),
		} {
			if got, err := decode([]byte(raw)); err != nil || got != text {
				r.Fatalf("%s: %q, %v; want %q", name, got, err, text)
			}
			got, err := allLines(iotest.HalfReader(strings.NewReader(raw)))
			if diff := cmp.Diff(strings.Split(strings.TrimSuffix(text, end), end), got); err != nil || diff != "" {
				r.Fatalf("%s: %v (-want +got):\n%s", name, err, diff)
			}
		}
		got, err := decode(rapid.SliceOf(rapid.Byte()).Draw(r, "bytes"))
		if err == nil && (!utf8.ValidString(got) || strings.Contains(got, "\x00")) {
			r.Fatalf("%q", got)
		}
	})
}

// What other tools write is read as the same text; what cannot be read is an error that names the line.
func TestDecode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ raw, want, wrong string }{
		"Empty":                {"", "", ""},
		"OnlyAMark":            {"\ufeff", "", ""},
		"OneCharacter":         {"{\x00", "{", ""},
		"OneCharacterBE":       {"\x00{", "{", ""},
		"ReplacementIsAText":   {"\xff\xfe\xfd\xffa\x00", "\ufffda", ""},
		"ReplacementInUTF8":    {"a\ufffd", "a\ufffd", ""},
		"MarkInTheMiddleStays": {"a\n\ufeffb", "a\n\ufeffb", ""},
		"Latin1":               {"a\nb\ncaf\xe9.gz\n", "", "line 3 is not UTF-8 (byte 0xe9)"},
		"CutOff":               {"caf\xc3", "", "line 1 is not UTF-8 (byte 0xc3)"},
		"Surrogate":            {"a\n\xed\xa0\x80", "", "line 2 is not UTF-8 (byte 0xed)"},
		"OddUTF16":             {"\xff\xfea\x00\n\x00b", "", "line 2 is not UTF-16"},
		"OddUTF16NUL":          {"\xff\xfea\x00\n\x00\x00", "", "line 2 is not UTF-16"},
		"LoneSurrogate":        {"\xfe\xff\x00a\x00\n\xd8\x00\x00b", "", "line 2 is not UTF-16"},
		"LoneSurrogateAtEnd":   {"\xfe\xff\x00a\x00\n\xd8\x00", "", "line 2 is not UTF-16"},
		"NUL":                  {"name\nb\x00c", "", "line 2 has a NUL byte"},
		"NULsForLines":         {"name\x00other\x00", "", "line 1 has a NUL byte"},
		"NULInUTF16":           {"\xff\xfea\x00\n\x00\x00\x00", "", "line 2 has a NUL byte"},
		"UTF32":                {"\xff\xfe\x00\x00a\x00\x00\x00", "", "line 1 has a NUL byte"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.wrong != "" {
				c.wrong += "; save it as text in UTF-8"
			}
			got, err := decode([]byte(c.raw))
			if message := messageOf(err); message != c.wrong || got != c.want {
				t.Errorf("%q, %s; want %q, %s", got, message, c.want, c.wrong)
			}
		})
	}
}

// messageOf is the text of an error, "" of none.
func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A line that is too long or ends otherwise is an error that names it, however far it is; so is an error of reading,
// also inside a character.
func TestLinesOfUnreadable(t *testing.T) {
	t.Parallel()
	far, most := strings.Repeat("name\n", 50_000), strings.Repeat("x", maxLine)
	for name, c := range map[string]struct {
		raw   string
		lines int
		wrong string
	}{
		"Empty":     {"", 0, ""},
		"NoLineEnd": {far + "x", 50_001, ""},
		"Latin1":    {far + "x\ncaf\xe9\n", 50_001, "line 50002 is not UTF-8 (byte 0xe9); save it as text in UTF-8"},
		"CR": {"a\rb\r", 0,
			"line 1 contains a carriage return; end each line with LF or CRLF"},
		"Longest": {far + most + "\nx", 50_002, ""},
		"TooLong": {far + most + "x", 50_000,
			"line 50001 has more than 1048576 bytes; end each line with LF or CRLF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := allLines(strings.NewReader(c.raw))
			if message := messageOf(err); message != c.wrong || len(got) != c.lines {
				t.Errorf("%d lines, %s; want %d, %s", len(got), message, c.lines, c.wrong)
			}
		})
	}
	broken, in16 := errors.New("broken"), inUTF16(t, unicode.LittleEndian, unicode.UseBOM, "one\ntwo\n")
	for _, raw := range []string{"one\ntwo\n", "one\ntwo\n\xc3", in16, in16 + "\x3d", in16 + "\x3d\xd8",
		in16 + "\x3d\xd8\x00"} {
		got, err := allLines(io.MultiReader(strings.NewReader(raw), iotest.ErrReader(broken)))
		if len(got) != 2 || !errors.Is(err, broken) {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
}

// Exactly the files that have not arrived are missing, whatever tool wrote the list. (The package manifest tests which
// names are equal.)
func TestFilesExpected(t *testing.T) {
	t.Parallel()
	long := "2026/" + strings.Repeat("é", 600) + ".gz" // of 1,208 bytes
	n := newTables(t)
	n.row("run", "db.a", "Sent", 9)
	n.arrive("run", "db.a", "2026/one.gz", "tw\u00f6.gz", long, strings.Repeat("n", 1100), "")
	for name, c := range map[string]struct {
		list    string
		missing []string
	}{
		"Lines": {"2026/one.gz\ntw\u00f6.gz\n", nil},
		"CRLF":  {"2026/one.gz\r\ntw\u00f6.gz\r\n\r\nfour.gz\r\n", []string{"four.gz"}},
		"CR":    {"2026/one.gz\rtw\u00f6.gz\r", nil},
		"UTF16": {inUTF16(t, unicode.LittleEndian, unicode.UseBOM, "2026/one.gz\r\ntw\u00f6.gz\r\nfour.gz\r\n"),
			[]string{"four.gz"}},
		"OfFind":   {"./2026/one.gz\n./tw\u00f6.gz\n./four.gz\n", []string{"four.gz"}},
		"Blanks":   {"  2026/one.gz\t\ntwo\u0308.gz \n \n", nil},
		"Long":     {long + "\n", nil},
		"Dot":      {"one.gz\n.\n", []string{"."}}, // a message without a name is no file "."
		"LongLine": {strings.Repeat("x", 1<<20) + "\none.gz", []string{strings.Repeat("x", 1<<20)}},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "list")
			n.must(os.WriteFile(file, []byte(c.list), 0o600))
			for _, from := range []string{"-", file} {
				said := n.says(c.list, "files", "--expected="+from, "-o", "json", "run", "db.a")
				var got fileList
				if err := json.Unmarshal([]byte(said.out), &got); err != nil {
					t.Fatal(err, said)
				}
				if diff := cmp.Diff(c.missing, got.Missing, cmpopts.EquateEmpty()); diff != "" ||
					(said.code == exitOK) != (c.missing == nil) {
					t.Errorf("exit code %d (-want +got):\n%s", said.code, diff)
				}
			}
		})
	}
	got := n.says("x", "files", "--expected=-", "run", "db.a")
	if !strings.Contains(got.out, "Of 2 names only the first 1024 bytes are stored and compared.") {
		t.Errorf("cut names are not reported: %+v", got)
	}
	for list, want := range map[string]string{"one\ncaf\xe9.gz": "standard input: line 2 is not UTF-8",
		" \n\n": "standard input: the list of expected files is empty"} {
		if got := n.says(list, "files", "run", "db.a", "--expected", "-"); got.code != exitFailed || got.out != "" ||
			!strings.Contains(got.err, want) {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}
