package page

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/report"
)

const (
	rowsPerPage = 100  // of the table, so that a page stays quick for a run of any size
	maxCells    = 2000 // of a heat map; the cells of a larger run hold several collections
)

// pager is a page of a list, with links to its neighbours.
type pager struct {
	Page, Pages    int // from 1
	Total          int // of all pages
	Unit           string
	Previous, Next string // links; empty if there is none
}

// paginate returns the requested page of a list.
func paginate[T any](r url.Values, all []T, perPage int, unit string, address func(page int) string) ([]T, pager) {
	p := pager{Pages: max(1, (len(all)+perPage-1)/perPage), Total: len(all), Unit: unit}
	requested, _ := strconv.Atoi(r.Get("page"))
	p.Page = min(max(1, requested), p.Pages)
	if p.Page > 1 {
		p.Previous = address(p.Page - 1)
	}
	if p.Page < p.Pages {
		p.Next = address(p.Page + 1)
	}
	return all[(p.Page-1)*perPage : min(p.Page*perPage, len(all))], p
}

// collectionTable is a page of the collections that match a filter.
type collectionTable struct {
	Rows     []report.Collection
	Statuses []string // of all collections
	Filter   filter
	Pager    pager
}

// filter selects and sorts collections. The zero value selects all, the most urgent first.
type filter struct{ Run, WaitsFor, Status, Name, Sort string }

func newCollectionTable(run report.Run, query url.Values) collectionTable {
	t := collectionTable{Filter: filter{run.Summary.Run, query.Get("waits_for"), query.Get("status"), query.Get("name"),
		query.Get("sort")}}
	var matching []report.Collection
	for _, c := range run.Collections {
		if name := report.StatusName(c.Status); !slices.Contains(t.Statuses, name) {
			t.Statuses = append(t.Statuses, name)
		}
		if t.Filter.matches(c) {
			matching = append(matching, c)
		}
	}
	slices.Sort(t.Statuses)
	t.Filter.sort(matching)
	t.Rows, t.Pager = paginate(query, matching, rowsPerPage, "collections", t.Filter.link)
	return t
}

func (f filter) link(page int) string {
	return link("/run", "id", f.Run, "waits_for", f.WaitsFor, "status", f.Status, "name", f.Name, "sort", f.Sort,
		"page", page) + "#collections"
}

func (f filter) matches(c report.Collection) bool {
	waits := f.WaitsFor == "" || f.WaitsFor == string(c.WaitsFor) ||
		f.WaitsFor == "something" && c.WaitsFor != report.ForNothing
	return waits && (f.Status == "" || snapshot.Status(f.Status).Is(snapshot.Status(report.StatusName(c.Status)))) &&
		strings.Contains(strings.ToLower(c.Collection), strings.ToLower(f.Name))
}

// sort sorts the collections, which come in the order of urgency.
func (f filter) sort(collections []report.Collection) {
	switch f.Sort {
	case "name":
		slices.SortStableFunc(collections, byName)
	case "missing":
		slices.SortStableFunc(collections, func(a, b report.Collection) int {
			return cmp.Compare(b.FilesSent-b.FilesReceived, a.FilesSent-a.FilesReceived)
		})
	case "since":
		since := func(c report.Collection) int64 {
			if c.Since == nil {
				return math.MaxInt64
			}
			return c.Since.UnixNano()
		}
		slices.SortStableFunc(collections, func(a, b report.Collection) int { return cmp.Compare(since(a), since(b)) })
	}
}

func byName(a, b report.Collection) int { return cmp.Compare(a.Collection, b.Collection) }

// heatMap shows all collections of a run at a glance. They are ordered by name, so that each keeps its place.
type heatMap struct {
	Cells   []cell
	PerCell int // collections
	Legend  []count
}

// cell is a collection, or several with neighbouring names.
type cell struct{ Class, Title, Link string }

// count is the number of collections that wait for the same.
type count struct {
	WaitsFor report.WaitsFor
	N        int
}

// urgency orders the tones: a cell of several collections shows the first.
var urgency = []string{"bad", "pending", "files", "sent", "export", "requested", "good"}

func newHeatMap(run report.Run) heatMap {
	m := heatMap{PerCell: max(1, (len(run.Collections)+maxCells-1)/maxCells)}
	for _, c := range run.Collections {
		i := slices.IndexFunc(m.Legend, func(n count) bool { return n.WaitsFor == c.WaitsFor })
		if i < 0 {
			i, m.Legend = len(m.Legend), append(m.Legend, count{WaitsFor: c.WaitsFor})
		}
		m.Legend[i].N++
	}
	sorted := slices.SortedFunc(slices.Values(run.Collections), byName)
	for start := 0; start < len(sorted); start += m.PerCell {
		m.Cells = append(m.Cells, newCell(run.Summary.Run, sorted[start:min(start+m.PerCell, len(sorted))], start))
	}
	return m
}

func newCell(run string, some []report.Collection, start int) cell {
	urgent := slices.MinFunc(some, func(a, b report.Collection) int {
		return cmp.Compare(slices.Index(urgency, tone(a.WaitsFor)), slices.Index(urgency, tone(b.WaitsFor)))
	})
	received, sent := int64(0), int64(0)
	for _, c := range some {
		received, sent = received+c.FilesReceived, sent+c.FilesSent
	}
	class := tone(urgent.WaitsFor)
	if class == "files" || class == "export" { // shaded by progress, in quarters
		class += fmt.Sprintf(" q%d", percent(received, sent)/25)
	}
	if len(some) == 1 {
		return cell{class, fmt.Sprintf("%s: %s, %d of %d files, waits for %s", urgent.Collection,
			report.StatusName(urgent.Status), received, sent, urgent.WaitsFor),
			link("/collection", "run", run, "name", urgent.Collection)}
	}
	return cell{class, fmt.Sprintf("%s to %s, %d collections: %d of %d files, one waits for %s", some[0].Collection,
		some[len(some)-1].Collection, len(some), received, sent, urgent.WaitsFor),
		filter{Run: run, Sort: "name"}.link(start/rowsPerPage + 1)}
}

// percent is the share of files received; 100 only if all are.
func percent(received, sent int64) int64 {
	if sent <= 0 {
		return 0
	}
	return min(100, received*100/sent)
}
