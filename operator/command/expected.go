package command

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"snapshot-status-checker/internal/snapshot"
)

// fileNames splits a list of names, one a line, by the line ends of any system. Empty lines are none.
func fileNames(list string) []string {
	list = strings.ReplaceAll(list, "\r\n", "\n")
	if !strings.Contains(list, "\n") {
		list = strings.ReplaceAll(list, "\r", "\n")
	}
	var names []string
	for name := range strings.SplitSeq(list, "\n") {
		if strings.TrimSpace(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

// sort sorts the files, the earliest first, and finds the names that are repeated.
func (l *fileList) sort() {
	slices.SortFunc(l.Files, func(a, b file) int {
		return cmp.Or(a.CountedAt.Compare(b.CountedAt), cmp.Compare(a.Identity, b.Identity))
	})
	times := map[string]int{}
	l.Repeated = []string{}
	for _, file := range l.Files {
		if times[file.Name]++; times[file.Name] == 2 && file.Name != "" {
			l.Repeated = append(l.Repeated, file.Name)
		}
	}
}

// compare finds the missing names. Names are equal with and without white space around them, in any folder if the list
// names none, and with composed or decomposed characters, in which file systems differ. Of a long name only the part
// that is stored is compared.
func (l *fileList) compare(expected []string) {
	there := map[string]bool{}
	var beginnings []string // of names after a folder, as far as they are stored
	for _, file := range l.Files {
		base := file.Name[strings.LastIndex(file.Name, "/")+1:]
		there[asCompared(file.Name)], there[asCompared(path.Base(file.Name))] = true, true
		if mayBeCut(file.Name) && base != "" && base != file.Name {
			beginnings = append(beginnings, base)
		}
	}
	begun := func(name string) bool {
		return slices.ContainsFunc(beginnings, func(start string) bool { return strings.HasPrefix(name, start) })
	}
	for _, line := range expected {
		name := strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")) // joined lists have marks between them
		name = strings.TrimPrefix(name, "./")                         // of find
		if !there[asCompared(line)] && !there[asCompared(name)] && !(begun(name) && !strings.Contains(name, "/")) {
			l.Missing = append(l.Missing, name)
		}
	}
}

// cut counts the names that may be longer than what is stored of them.
func (l *fileList) cut() (n int) {
	for _, file := range l.Files {
		if mayBeCut(file.Name) {
			n++
		}
	}
	return n
}

// mayBeCut reports whether one more character could have made the name too long to store.
func mayBeCut(stored string) bool { return len(stored) > snapshot.MaxFilename-utf8.UTFMax }

func asCompared(name string) string { return norm.NFC.String(snapshot.StoredFilename(name)) }
