package command

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

func allLines(in io.Reader) (all []string, err error) {
	for line, err := range linesOf(in) {
		if err != nil {
			return all, err
		}
		all = append(all, line)
	}
	return all, nil
}

// A text that is read a chunk at a time has the lines that it has read at once, in every encoding.
func TestLinesOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		line := rapid.StringMatching(`[a-zäöü✓ਊऀ🎉਀]{0,40}`) // with characters whose halves look like line ends
		lines := append([]string{"ab"}, rapid.SliceOfN(line, 0, 30).Draw(r, "lines")...)
		times := rapid.SampledFrom([]int{1, 100, 500}).Draw(r, "times") // around and over a chunk
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(r, "end")
		text := strings.Repeat(strings.Join(lines, end)+end, times)
		want := strings.Split(strings.TrimSuffix(text, end), end)
		for name, raw := range map[string]string{
			"UTF-8": text, "UTF-8 with a mark": "\ufeff" + text,
			"LE":                utf16(t, unicode.LittleEndian, unicode.UseBOM, text),
			"BE":                utf16(t, unicode.BigEndian, unicode.UseBOM, text),
			"LE without a mark": utf16(t, unicode.LittleEndian, unicode.IgnoreBOM, text),
			"BE without a mark": utf16(t, unicode.BigEndian, unicode.IgnoreBOM, text),
		} {
			got, err := allLines(iotest.HalfReader(strings.NewReader(raw)))
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				r.Fatalf("%s: %v (-want +got):\n%s", name, err, diff)
			}
		}
	})
}

// An error names the line, however far it is.
func TestLinesOfUnreadable(t *testing.T) {
	t.Parallel()
	far := strings.Repeat("name\n", 50_000)
	for name, c := range map[string]struct {
		raw   string
		lines int
		wrong string
	}{
		"Empty":     {"", 0, ""},
		"NoLineEnd": {far + "x", 50_001, ""},
		"Latin1":    {far + "x\ncaf\xe9\n", 0, "line 50002 is not UTF-8 (byte 0xe9)"},
		"NUL":       {far + "x\x00", 0, "line 50001 has a NUL byte"},
		"LoneSurrogate": {utf16(t, unicode.LittleEndian, unicode.UseBOM, far) + "\x00\xd8x\x00", 0,
			"line 50001 is not UTF-16"},
		"OddUTF16": {utf16(t, unicode.BigEndian, unicode.UseBOM, far) + "\x00", 0, "line 50001 is not UTF-16"},
		"CR":       {"a\rb\r", 0, "line 1 contains a carriage return; end each line with LF or CRLF"},
		"Long":     {far + strings.Repeat("x", 5<<20), 0, "line 50001 has more than 1048576 bytes; end each line"},
		"LongUTF16": {utf16(t, unicode.BigEndian, unicode.UseBOM, far+strings.Repeat("x", 5<<20)), 0,
			"line 50001 has more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := allLines(strings.NewReader(c.raw))
			if c.wrong == "" && (err != nil || len(got) != c.lines) {
				t.Errorf("%d lines, %v; want %d", len(got), err, c.lines)
			}
			if c.wrong != "" && (err == nil || !strings.HasPrefix(err.Error(), c.wrong)) {
				t.Errorf("%v; want %s", err, c.wrong)
			}
		})
	}
	broken := errors.New("broken")
	got, err := allLines(io.MultiReader(strings.NewReader("one\ntwo\n"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("%q, %v", got, err)
	}
}
