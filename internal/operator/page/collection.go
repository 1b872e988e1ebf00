package page

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"snapshot-status-checker/internal/operator/report"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// How many messages of a collection are read, and how many are shown on a page.
const (
	mostMessages = 20_000
	filesPage    = 200
)

// collectionView is what the page of a collection shows.
type collectionView struct {
	report.Collection
	Run      report.Summary
	Finding  report.Finding
	Files    []file // of this page, the newest first
	AllFiles int
	Repeated int // names that came in several messages
	Page     int
	Previous string
	Next     string
	More     bool // there are more messages than were read
	History  []event
	CanLook  bool
}

// file is a message that was counted.
type file struct {
	store.Marker
	Again bool // its name came in several messages
}

// event is one thing that happened to a collection, as far as the ledger remembers.
type event struct {
	At        time.Time
	What      string
	Execution string
}

func (s *Server) collectionPage(r *http.Request) (view, error) {
	run, read, err := s.run(r, "run")
	if err != nil {
		return view{}, err
	}
	name := r.URL.Query().Get("name")
	i := slices.IndexFunc(run.Collections, func(c report.Collection) bool { return c.Collection == name })
	if i < 0 {
		return view{}, notFound{"The run has no collection " + name + "."}
	}
	one := run.Collections[i]
	shown := collectionView{Collection: one, Run: run.Summary, Finding: report.WhyCollection(run, one, s.Command), CanLook: s.AllowWrites && s.Look != nil}
	markers, more, err := s.messages(r.Context(), snapshot.CollectionKey{CorrelationID: run.Summary.Run, CollectionName: name})
	if err != nil {
		return view{}, err
	}
	shown.More, shown.AllFiles, shown.History = more, len(markers), history(one, markers)
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	shown.page(markers, max(1, page))
	return view{Template: "collection.html", Title: name, Live: run.Summary.Run, Version: read.Version, Data: shown}, nil
}

var errEnough = errors.New("enough")

// messages reads a collection's messages, the newest first, and says whether there are more than it read.
func (s *Server) messages(ctx context.Context, key snapshot.CollectionKey) (markers []store.Marker, more bool, err error) {
	err = s.Store.Messages(ctx, key, func(marker store.Marker) error {
		if len(markers) == mostMessages {
			return errEnough
		}
		markers = append(markers, marker)
		return nil
	})
	if errors.Is(err, errEnough) {
		more, err = true, nil
	}
	slices.SortFunc(markers, func(a, b store.Marker) int {
		return cmp.Or(b.CountedAt.Compare(a.CountedAt), cmp.Compare(a.Filename, b.Filename), cmp.Compare(a.Identity, b.Identity))
	})
	return markers, more, err
}

// page takes the files of one page, and says which names came again.
func (v *collectionView) page(markers []store.Marker, page int) {
	times := map[string]int{}
	for _, marker := range markers {
		if times[marker.Filename]++; times[marker.Filename] == 2 && marker.Filename != "" {
			v.Repeated++
		}
	}
	pages := max(1, (len(markers)+filesPage-1)/filesPage)
	v.Page = min(page, pages)
	for _, marker := range markers[(v.Page-1)*filesPage : min(v.Page*filesPage, len(markers))] {
		v.Files = append(v.Files, file{marker, marker.Filename != "" && times[marker.Filename] > 1})
	}
	at := func(page int) string {
		return link("/collection", "run", v.Run.Run, "name", v.Collection.Collection, "page", page) + "#files"
	}
	if v.Page > 1 {
		v.Previous = at(v.Page - 1)
	}
	if v.Page < pages {
		v.Next = at(v.Page + 1)
	}
}

// history tells what is known of a collection in the order in which it happened.
func history(c report.Collection, newestFirst []store.Marker) []event {
	var events []event
	files := slices.DeleteFunc(slices.Clone(newestFirst), func(m store.Marker) bool { return m.Success })
	if n := len(files); n > 0 {
		events = append(events, event{files[n-1].CountedAt, "The first file was counted.", files[n-1].Execution})
		if n > 1 {
			events = append(events, event{files[0].CountedAt, "File " + strconv.Itoa(n) + ", the latest so far, was counted.", files[0].Execution})
		}
	}
	for _, marker := range newestFirst {
		if marker.Success {
			events = append(events, event{marker.CountedAt, "The _success file was noted.", marker.Execution})
		}
	}
	if c.Request.Since != nil {
		what := "The request for its _success file was claimed; it is not delivered."
		if c.Request.State == report.Delivered {
			what = "The request for its _success file was claimed, and delivered."
		}
		events = append(events, event{*c.Request.Since, what, c.Request.Execution})
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.At.Compare(b.At) })
	return events
}
