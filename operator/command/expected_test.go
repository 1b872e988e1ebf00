package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/encoding/unicode"
)

// Exactly the files that have not arrived are missing, whatever tool wrote the list.
func TestFilesExpected(t *testing.T) {
	t.Parallel()
	long := "2026/" + strings.Repeat("é", 600) + ".gz" // of 1,208 bytes
	deep := strings.Repeat("folder/", 140) + strings.Repeat("n", 60)
	n := newTables(t)
	n.row("run", "db.a", "Sent", 9)
	n.arrive("run", "db.a", "2026/one.gz", "2026/tw\u00f6.gz", "three 3.gz ", long, deep, "")
	for name, c := range map[string]struct {
		list    string
		missing []string
	}{
		"Lines":       {"2026/one.gz\ntw\u00f6.gz\n", nil},
		"Missing":     {"2026/one.gz\nfour.gz", []string{"four.gz"}},
		"NoLineEnd":   {"one.gz", nil},
		"CRLF":        {"2026/one.gz\r\ntw\u00f6.gz\r\n\r\nfour.gz\r\n", []string{"four.gz"}},
		"CR":          {"2026/one.gz\rtw\u00f6.gz\r", nil},
		"Mark":        {"\ufeff2026/one.gz\ntw\u00f6.gz\n", nil},
		"JoinedLists": {"\ufeff2026/one.gz\n\ufefftw\u00f6.gz\n", nil},
		"UTF16LE": {utf16(t, unicode.LittleEndian, unicode.UseBOM, "2026/one.gz\r\ntw\u00f6.gz\r\nfour.gz\r\n"),
			[]string{"four.gz"}},
		"UTF16BE":         {utf16(t, unicode.BigEndian, unicode.UseBOM, "2026/one.gz\ntw\u00f6.gz"), nil},
		"UTF16NoMark":     {utf16(t, unicode.LittleEndian, unicode.IgnoreBOM, "2026/one.gz\ntw\u00f6.gz"), nil},
		"OfFind":          {"./2026/one.gz\n./tw\u00f6.gz\n./four.gz\n", []string{"four.gz"}},
		"Decomposed":      {"two\u0308.gz\n", nil},
		"Blanks":          {"  2026/one.gz\t\nthree 3.gz \n \n", nil},
		"BlanksOfTheName": {"three 3.gz \n", nil},
		"Long":            {long + "\n", nil},
		"LongNoFolder":    {strings.TrimPrefix(long, "2026/") + "\n", nil},
		"LongOther":       {"2026/x" + long[5:] + "\n", []string{"2026/x" + long[5:]}},
		"LongOnlyTheEnd":  {strings.Repeat("n", 60) + "\n", nil},
		"Dot":             {"one.gz\n.\n", []string{"."}}, // a message without a name is no file "."
		"LongLine":        {strings.Repeat("x", 1<<20) + "\none.gz", []string{strings.Repeat("x", 1<<20)}},
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
}

// A list that cannot be read is an error with its line, not a list of missing files.
func TestFilesExpectedUnreadable(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.row("run", "db.a", "Sent", 9)
	for list, want := range map[string]string{"one\ncaf\xe9.gz": "standard input: line 2 is not UTF-8",
		"one\x00two\x00": "line 1 has a NUL", " \n\n": "standard input: the list of expected files is empty"} {
		if got := n.says(list, "files", "run", "db.a", "--expected", "-"); got.code != exitFailed || got.out != "" ||
			!strings.Contains(got.err, want) {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}
