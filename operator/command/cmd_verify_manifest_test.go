package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
)

// Whatever tool wrote the list, the same files are missing.
func TestVerifyManifestFormats(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.row("run", "db.a", "Sent", 3)
	n.arrive("run", "db.a", "2026/one.gz", "tw\u00f6.gz", "2026/a, \"b\".gz")
	n.row("run", "db.b", "Sent", 1)
	n.arrive("run", "db.b", "three.gz")
	csv := "db.b,three.gz\r\ndb.a,one.gz\r\ndb.a,two\u0308.gz\r\ndb.a,\"2026/a, \"\"b\"\".gz\"\r\n"
	lines := `{"collection":"db.b","file":"three.gz"}` + "\n" + `{"collection":"db.a","file":"one.gz"}` + "\n\n" +
		`{"collection":"db.a","file":"tw\u00f6.gz"}` + "\n" + ` {"file":"a, \"b\".gz","collection":"db.a"}`
	for name, list := range map[string]string{
		"CSV": csv, "Header": "Collection_Name,Filename\n" + csv, "Mark": "\ufeff" + csv, "Blank": "\n \t\n" + csv,
		"Joined":  "\ufeffcollection,file\ndb.b,three.gz\n\ufeffcollection,file\n" + csv[strings.Index(csv, "db.a"):],
		"UTF16":   inUTF16(t, unicode.LittleEndian, unicode.UseBOM, csv),
		"Spaces":  "db.b , three.gz \n" + csv[strings.Index(csv, "db.a"):],
		"Objects": lines, "BlankObjects": "\n\n" + lines, "UTF16Objects": inUTF16(t, unicode.BigEndian, unicode.UseBOM,
			lines),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "list")
			n.must(os.WriteFile(file, []byte(list), 0o600))
			for _, from := range []string{"-", file} {
				if got := n.says(list, "verify", "--manifest="+from, "run"); got.code != exitOK {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}

// A line that is none is an error that names it and what is expected; nothing is compared.
func TestVerifyManifestRefuses(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.row("run", "db.a", "Sent", 3)
	for list, want := range map[string]string{
		"":                                "standard input: the list is empty",
		"\n collection , file \n":         "standard input: the list is empty",
		"db.a,x\ndb.a\n":                  "line 2 has 1 column; expected two columns, separated by a comma",
		"db.a;x":                          "line 1 has 1 column;",
		"File,Collection\nx,db.a\n":       "line 1 has the columns in the other order; expected two columns,",
		"db.a,a,b.gz":                     "line 1 has 3 columns; expected two columns, separated by a comma",
		"db.a,\"x\ndb.a,y\"\n":            "line 1 has a quote that is not closed or not doubled",
		"db.a,x\"y":                       "line 1 has a quote that is not closed or not doubled",
		"\n\ndb.a,x\n ,y\n":               "line 4 names no collection",
		"db.a, \n":                        "line 1 names no file",
		`[{"collection":"a","file":"b"}]`: `line 1 begins a JSON array; expected one object a line`,
		"{\n":                             "line 1 cannot be read (unexpected end of JSON input); expected one object",
		`{"collection":1}`:                "line 1 cannot be read",
		`{"collection":"db.a"}`:           "line 1 names no file",
		`{"collection":"` + strings.Repeat("x", 1025) +
			`","file":"b"}`: "line 1 has a collection name of 1025 bytes; " +
			"the maximum is 1024",
		"db.a,caf\xe9.gz": "line 1 is not UTF-8",
		"db.a,x\rdb.a,y":  "line 1 contains a carriage return",
	} {
		if got := n.says(list, "verify", "run", "--manifest", "-"); got.code != exitFailed || got.out != "" ||
			!strings.Contains(got.err, want) {
			t.Errorf("%q: %+v, want %s", list, got, want)
		}
	}
}
