// Package manifest compares the files that arrived with a list of those that were sent.
package manifest

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"snapshot-status-checker/internal/snapshot"
)

// List is the listed files of one collection, and which of them arrived.
//
// Names are equal with and without white space around them, in any folder if the list names none, and with composed or
// decomposed characters, in which file systems differ. Of a long name only the part that is stored is compared.
type List struct {
	lines      []line
	byName     map[string]int // positions in lines, by names as they are compared
	unlisted   map[string]int // counted messages by the names of files without a line
	comparison Comparison     // what is known before the last file
}

// line is a name of the list, once.
type line struct {
	name     string
	times    int // in the list
	arrived  bool
	messages int // counted messages that this is the name of
}

// Comparison is how the list and the files that arrived differ.
type Comparison struct {
	Missing     []string   `json:"missing"`      // names in the list of files that have not arrived
	Unexpected  []string   `json:"unexpected"`   // names of files that arrived and are not in the list
	Repeated    []Repeated `json:"repeated"`     // names that were counted more than once
	ListedAgain []string   `json:"listed_again"` // names that are in the list more than once
	Nameless    int        `json:"nameless"`     // counted messages that name no file
	Cut         int        `json:"cut"`          // files of which only the beginning of the name is stored
}

// Repeated is a name that was counted more than once.
type Repeated struct {
	Name     string `json:"name"`
	Messages int    `json:"messages"` // that were counted
}

// NewList is a list of these names, as its lines have them.
func NewList(names []string) *List {
	l := &List{byName: make(map[string]int, len(names)), unlisted: map[string]int{}}
	for _, raw := range names {
		name := strings.TrimSpace(strings.TrimPrefix(raw, "\ufeff")) // joined lists have marks between them
		name = strings.TrimPrefix(name, "./")                        // of find
		at, known := l.byName[asCompared(name)]
		if !known {
			at = len(l.lines)
			l.lines = append(l.lines, line{name: name})
			l.byName[asCompared(name)] = at
		}
		l.lines[at].times++
		if _, taken := l.byName[asCompared(raw)]; !taken {
			l.byName[asCompared(raw)] = at
		}
	}
	return l
}

// Len is the number of different names in the list.
func (l *List) Len() int { return len(l.lines) }

// Arrive records the file of a message. If the message did not count as a file of its own (a success file, or one that
// repeats a file with countBy=file), the file has arrived if it is listed, and is neither unexpected nor repeated.
func (l *List) Arrive(stored string, counted bool) {
	if stored == "" {
		if counted {
			l.comparison.Nameless++
		}
		return
	}
	if MayBeCut(stored) {
		l.comparison.Cut++
	}
	found := l.linesOf(stored)
	for _, at := range found {
		l.lines[at].arrived = true
	}
	switch {
	case !counted:
	case len(found) > 0:
		l.lines[found[0]].messages++
	default:
		l.unlisted[stored]++
	}
}

// linesOf are the positions of the lines that name a stored name, the one with its folder first.
func (l *List) linesOf(stored string) (found []int) {
	for _, name := range []string{asCompared(stored), asCompared(path.Base(stored))} {
		if at, listed := l.byName[name]; listed && !slices.Contains(found, at) {
			found = append(found, at)
		}
	}
	base := stored[strings.LastIndex(stored, "/")+1:]
	if !MayBeCut(stored) || base == "" || base == stored {
		return found
	}
	for at, line := range l.lines { // such names are rare
		if strings.HasPrefix(line.name, base) && !strings.Contains(line.name, "/") && !slices.Contains(found, at) {
			found = append(found, at)
		}
	}
	return found
}

// Compare returns the differences: names of the list in its order, others sorted.
func (l *List) Compare() Comparison {
	c := l.comparison
	c.Missing, c.Unexpected, c.Repeated, c.ListedAgain = []string{}, []string{}, []Repeated{}, []string{}
	for _, line := range l.lines {
		if !line.arrived {
			c.Missing = append(c.Missing, line.name)
		}
		if line.messages > 1 {
			c.Repeated = append(c.Repeated, Repeated{line.name, line.messages})
		}
		if line.times > 1 {
			c.ListedAgain = append(c.ListedAgain, line.name)
		}
	}
	for name, messages := range l.unlisted {
		c.Unexpected = append(c.Unexpected, name)
		if messages > 1 {
			c.Repeated = append(c.Repeated, Repeated{name, messages})
		}
	}
	slices.Sort(c.Unexpected)
	slices.SortFunc(c.Repeated, func(a, b Repeated) int { return cmp.Compare(a.Name, b.Name) })
	return c
}

// Differ reports whether the list and the files differ. Cut names are no difference.
func (c Comparison) Differ() bool {
	return len(c.Missing)+len(c.Unexpected)+len(c.Repeated)+len(c.ListedAgain)+c.Nameless > 0
}

// MayBeCut reports whether one more character could have made the name too long to store.
func MayBeCut(stored string) bool { return len(stored) > snapshot.MaxFilename-utf8.UTFMax }

func asCompared(name string) string { return norm.NFC.String(snapshot.StoredFilename(name)) }
