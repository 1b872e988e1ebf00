package live

import (
	"slices"
	"strings"

	"snapshot-status-checker/operator/report"
)

// list is the filtered list of collections and its scroll position. It is filtered when the collections or the filter
// change, not each time that the screen is drawn.
type list struct {
	only   report.WaitsFor // only those that wait for this; "" for all, unfinished for all that wait
	match  string          // only those whose name contains it, in any case
	typing bool            // match is being typed
	shown  []report.Collection
	top    int // index of the first row on the screen
}

// unfinished selects collections that wait for anything.
const unfinished report.WaitsFor = "anything"

// renew is the list after the collections have changed, or its filter.
func (l list) renew(all []report.Collection) list {
	match := strings.ToLower(l.match)
	l.shown = slices.DeleteFunc(slices.Clone(all), func(c report.Collection) bool {
		return l.only == unfinished && c.WaitsFor == report.ForNothing ||
			l.only != "" && l.only != unfinished && c.WaitsFor != l.only ||
			!strings.Contains(strings.ToLower(c.Collection), match)
	})
	return l
}

// key is the list after a key that moves or filters it; rows are visible at one time.
func (l list) key(pressed string, all []report.Collection, rows int) list {
	switch pressed {
	case "up", "k":
		l.top--
	case "down", "j":
		l.top++
	case "pgup", "b":
		l.top -= rows
	case "pgdown", "space":
		l.top += rows
	case "home", "g":
		l.top = 0
	case "end", "G":
		l.top = len(l.shown)
	case "/":
		l.typing = true
	case "f":
		l.only, l.top = l.nextFilter(all), 0
		return l.renew(all)
	case "esc":
		return list{}.renew(all)
	}
	l.top = max(0, min(l.top, len(l.shown)-rows))
	return l
}

// typed is the list after a key while a name is being typed.
func (l list) typed(pressed, text string, all []report.Collection) list {
	switch pressed {
	case "enter":
		l.typing = false
		return l
	case "esc":
		l.typing, l.match = false, ""
	case "backspace":
		if runes := []rune(l.match); len(runes) > 0 {
			l.match = string(runes[:len(runes)-1])
		}
	default:
		l.match += text
	}
	l.top = 0
	return l.renew(all)
}

// nextFilter goes from all to all that wait, then through what they wait for.
func (l list) nextFilter(all []report.Collection) report.WaitsFor {
	kinds, _ := waiting(all)
	filters := slices.Concat([]report.WaitsFor{"", unfinished}, kinds, []report.WaitsFor{""})
	return filters[slices.Index(filters, l.only)+1]
}

// filter describes the filter; "" if there is none.
func (l list) filter() string {
	var parts []string
	if l.only != "" {
		parts = append(parts, "waiting for "+string(l.only))
	}
	if l.match != "" || l.typing {
		parts = append(parts, "named *"+l.match+"*")
	}
	return strings.Join(parts, ", ")
}
