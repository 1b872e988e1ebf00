package page

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/report"
)

// pageSize is how many collections a page of the table has, so that it stays quick however large the run is.
const pageSize = 100

// listing is a page of a run's collections, of those that are asked for.
type listing struct {
	Rows     []report.Collection
	Matching int // of all pages
	Waits    []count
	Statuses []string
	Asked    asked
	Page     int // from 1
	Pages    int
	Previous string // links, empty if there is none
	Next     string
}

// asked is what a person asked the table for.
type asked struct{ Run, Waits, Status, Match, Sort string }

func newListing(run report.Run, query url.Values) listing {
	t := listing{Asked: asked{run.Summary.Run, query.Get("waits"), query.Get("status"), query.Get("q"),
		query.Get("sort")}}
	t.Waits = newLegend(run.Collections)
	var matching []report.Collection
	for _, c := range run.Collections {
		if name := report.StatusName(c.Status); !slices.Contains(t.Statuses, name) {
			t.Statuses = append(t.Statuses, name)
		}
		if t.Asked.wants(c) {
			matching = append(matching, c)
		}
	}
	slices.Sort(t.Statuses)
	t.Asked.order(matching)
	t.Matching, t.Pages = len(matching), max(1, (len(matching)+pageSize-1)/pageSize)
	page, _ := strconv.Atoi(query.Get("page"))
	t.Page = min(max(1, page), t.Pages)
	t.Rows = matching[(t.Page-1)*pageSize : min(t.Page*pageSize, len(matching))]
	if t.Page > 1 {
		t.Previous = t.Asked.link(t.Page - 1)
	}
	if t.Page < t.Pages {
		t.Next = t.Asked.link(t.Page + 1)
	}
	return t
}

func newLegend(collections []report.Collection) []count {
	var legend []count
	for _, c := range collections {
		i := slices.IndexFunc(legend, func(n count) bool { return n.WaitsFor == c.WaitsFor })
		if i < 0 {
			i, legend = len(legend), append(legend, count{WaitsFor: c.WaitsFor, Class: classOf(c.WaitsFor)})
		}
		legend[i].N++
	}
	return legend
}

func (a asked) link(page int) string {
	return link("/run", "id", a.Run, "waits", a.Waits, "status", a.Status, "q", a.Match, "sort", a.Sort, "page", page) +
		"#collections"
}

func (a asked) wants(c report.Collection) bool {
	return (a.Waits == "" || a.Waits == string(c.WaitsFor) || a.Waits == "something" &&
		c.WaitsFor != report.ForNothing) &&
		(a.Status == "" || snapshot.Status(a.Status).Is(snapshot.Status(report.StatusName(c.Status)))) &&
		strings.Contains(strings.ToLower(c.Collection), strings.ToLower(a.Match))
}

// order sorts; they come with those that hold the run first.
func (a asked) order(collections []report.Collection) {
	switch a.Sort {
	case "name":
		slices.SortStableFunc(collections, func(a, b report.Collection) int {
			return cmp.Compare(a.Collection,
				b.Collection)
		})
	case "missing":
		slices.SortStableFunc(collections, func(a, b report.Collection) int {
			return cmp.Compare(b.FilesSent-b.FilesReceived, a.FilesSent-a.FilesReceived)
		})
	case "since":
		slices.SortStableFunc(collections,
			func(a, b report.Collection) int { return moment(a.Since).Compare(moment(b.Since)) })
	}
}

// moment sorts the unknown behind all others.
func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Unix(1<<40, 0)
	}
	return *t
}
