package manifest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Whatever the order of the list and the bound, each collection has its names in the order of the list.
func TestNamesOfACollection(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		m := New(rapid.IntRange(0, 40).Draw(r, "bound"))
		want := map[string][]string{}
		for range rapid.IntRange(0, 60).Draw(r, "lines") {
			collection := rapid.SampledFrom([]string{"db.a", "db.b", "db.c"}).Draw(r, "collection")
			name := rapid.StringMatching(`[ -~é]{0,200}`).Draw(r, "name")
			want[collection] = append(want[collection], name)
			if err := m.Add(collection, name); err != nil {
				r.Fatal(err)
			}
		}
		var group sync.WaitGroup
		for _, collection := range append(m.Collections(), "db.other") {
			group.Go(func() {
				names, err := m.Names(collection)
				if diff := cmp.Diff(want[collection], names); err != nil || diff != "" {
					r.Errorf("%s: %v %s", collection, err, diff)
				}
			})
		}
		group.Wait()
		if len(m.Collections()) != len(want) {
			r.Error(m.Collections())
		}
		if err := m.Close(); err != nil {
			r.Error(err)
		}
	})
}

// A list within the bound makes no file; beyond it, no more than the bound is in memory, and the file is gone at the
// end.
func TestSpilling(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	small, large := New(1<<20), New(1<<10)
	for i := range 1000 {
		for _, m := range []*Manifest{small, large} {
			if err := m.Add(fmt.Sprint("db.", i/100), fmt.Sprintf("a-name-%03d", i)); err != nil {
				t.Fatal(err)
			}
			held := 0
			for _, of := range m.collections {
				held += cap(of.held)
			}
			if m == large && held > 4<<10 {
				t.Fatalf("%d bytes are in memory", held)
			}
		}
	}
	if small.spill != nil || large.spill == nil {
		t.Errorf("small: %v, large: %v", small.spill, large.spill)
	}
	if err := large.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// A temporary file that cannot be made is an error, which is not about a line of the list.
func TestSpillingFails(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	err := New(0).Read(func(yield func(string, error) bool) { yield("db.a,name", nil) })
	if err == nil || !strings.HasPrefix(err.Error(), "storing the list in a temporary file: ") ||
		!strings.HasSuffix(err.Error(), "; set TMPDIR to a folder with as much space as the list") {
		t.Error(err)
	}
	m := New(0)
	t.Setenv("TMPDIR", t.TempDir())
	if err := errors.Join(m.Add("db.a", "name"), m.spill.Truncate(0)); err != nil {
		t.Fatal(err)
	}
	if names, err := m.Names("db.a"); err == nil {
		t.Error(names)
	}
}

// file is a stored name of a counted message; the zero file is one without a name.
type file struct {
	name    string
	counted bool
}

func arrived(names ...string) (files []file) {
	for _, name := range names {
		files = append(files, file{name, true})
	}
	return files
}

// The differences between a list and what arrived.
func TestCompare(t *testing.T) {
	t.Parallel()
	long := "2026/" + strings.Repeat("n", 1100)
	stored := long[:1024]
	success := file{"_db.a_success", false}
	for name, test := range map[string]struct {
		list  []string
		files []file
		want  Comparison
	}{
		"Nothing":     {nil, nil, Comparison{}},
		"All":         {[]string{"a", "b"}, arrived("b", "a"), Comparison{}},
		"Missing":     {[]string{"b", "a", "c"}, arrived("c"), Comparison{Missing: []string{"b", "a"}}},
		"Unexpected":  {[]string{"a"}, arrived("c", "a", "b"), Comparison{Unexpected: []string{"b", "c"}}},
		"Repeated":    {[]string{"a", "b"}, arrived("a", "a", "b", "a"), Comparison{Repeated: []Repeated{{"a", 3}}}},
		"ListedAgain": {[]string{"a", "a", " a", "./a"}, arrived("a"), Comparison{ListedAgain: []string{"a"}}},
		"RepeatedAndUnexpected": {nil, arrived("a", "a"),
			Comparison{Unexpected: []string{"a"}, Repeated: []Repeated{{"a", 2}}}},
		"AnyFolder": {[]string{"a"}, arrived("x/a"), Comparison{}},
		"OtherFolder": {[]string{"x/a"}, arrived("y/a"), Comparison{Missing: []string{"x/a"},
			Unexpected: []string{"y/a"}}},
		"TwoFolders": {[]string{"x/a", "y/a"}, arrived("y/a", "x/a"), Comparison{}},
		"OneNameOfTwoFolders": {[]string{"a"}, arrived("x/a", "y/a"),
			Comparison{Repeated: []Repeated{{"a", 2}}}},
		"WithAndWithoutFolder": {[]string{"a", "x/a"}, arrived("x/a", "y/a"), Comparison{}},
		"Composed":             {[]string{"two\u0308"}, arrived("tw\u00f6"), Comparison{}},
		"Nameless":             {[]string{"a"}, arrived("a", "", ""), Comparison{Nameless: 2}},
		"SuccessFile":          {[]string{"a"}, append(arrived("a"), success, success, file{"", false}), Comparison{}},
		"SuccessFileListed":    {[]string{"a", success.name}, append(arrived("a"), success, success), Comparison{}},
		"SuccessFileMissing": {[]string{"a", success.name}, arrived("a"),
			Comparison{Missing: []string{success.name}}},
		"CameAgain":   {[]string{"a"}, append(arrived("a"), file{"a", false}), Comparison{}},
		"Cut":         {[]string{long}, arrived(stored), Comparison{Cut: 1}},
		"CutNoFolder": {[]string{long[5:], "n"}, arrived(stored), Comparison{Missing: []string{"n"}, Cut: 1}},
		"CutOther": {[]string{"x" + long}, arrived(stored), Comparison{Missing: []string{"x" + long},
			Unexpected: []string{stored}, Cut: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // receipts come in no order
				list := NewList(test.list)
				for _, file := range test.files {
					list.Arrive(file.name, file.counted)
				}
				got := list.Compare()
				if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				agree := cmp.Equal(Comparison{Cut: test.want.Cut}, test.want)
				if lists, err := json.Marshal(got); err != nil || got.Differ() == agree ||
					bytes.Contains(lists, []byte("null")) {
					t.Errorf("%s, which differs: %t (%v)", lists, got.Differ(), err)
				}
				slices.Reverse(test.files)
			}
		})
	}
}

// What CSV and JSON writers write is read as it was, each name with its collection.
func TestReadWhatOthersWrite(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[a-zé🎉",;/{}\\[\] \t]{0,20}[a-z]`)
	rapid.Check(t, func(r *rapid.T) {
		var asCSV, asJSON bytes.Buffer
		csvWriter, jsonWriter := csv.NewWriter(&asCSV), json.NewEncoder(&asJSON)
		_ = csvWriter.Write([]string{"collection", "file"}) // to a buffer: no error
		want := map[string][]string{}
		for range rapid.IntRange(1, 10).Draw(r, "lines") {
			collection, file := "db."+text.Draw(r, "collection"), text.Draw(r, "file")
			want[collection] = append(want[collection], file)
			_ = csvWriter.Write([]string{collection, file})
			_ = jsonWriter.Encode(map[string]string{"collection": collection, "filename": file})
		}
		csvWriter.Flush()
		for _, list := range []string{asCSV.String(), asJSON.String()} {
			got := map[string][]string{}
			m := New(100)
			err := m.Read(func(yield func(string, error) bool) {
				for line := range strings.Lines(list) {
					if !yield(strings.TrimSuffix(line, "\n"), nil) {
						return
					}
				}
			})
			for _, collection := range m.Collections() {
				names, err := m.Names(collection)
				if got[collection] = names; err != nil {
					r.Error(err)
				}
			}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				r.Fatalf("%s\n%v (-want +got):\n%s", list, err, diff)
			}
			if err := m.Close(); err != nil {
				r.Error(err)
			}
		}
	})
}
