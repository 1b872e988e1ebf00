package page

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

// How many messages of a collection are read, and how many are shown on a page.
const (
	mostMessages = 20_000
	filesPage    = 200
)

// collectionView is what the page of a collection shows.
type collectionView struct {
	report.Collection
	Run          report.Summary
	Finding      report.Finding
	Files        []file // of this page, the newest first
	AllFiles     int
	Repeated     int // names that came in several messages
	Page         int
	Previous     string
	Next         string
	More         bool   // there are more messages than were read
	ListsAll     string // the command that lists all of them
	History      []event
	CanReconcile bool
}

// file is a message that was counted.
type file struct {
	store.Receipt
	Again bool // its name came in several messages
}

// event is one thing that happened to a collection, as far as the ledger remembers.
type event struct {
	At        time.Time
	What      string
	Execution string
}

// watchedCollection is a collection of a run with its messages.
type watchedCollection struct {
	Collection report.Collection
	Finding    report.Finding
	Messages   messages
	run        report.Summary
}

// readCollection reads a run for one of its collections: what becomes of the others is no news.
func (s *Server) readCollection(ctx context.Context, of topic) (reading, error) {
	run, tables, err := latest[report.Run](ctx, s.hub, topic{Of: ofTables, Run: of.Run})
	if err != nil {
		return reading{}, err
	}
	i := slices.IndexFunc(run.Collections, func(c report.Collection) bool { return c.Collection == of.Collection })
	if i < 0 {
		return reading{}, notFound{"The run has no collection " + of.Collection + "."}
	}
	one := run.Collections[i]
	read, err := s.messages.get(of.String(), s.Now(), besideEvery, func() (messages, error) {
		return s.readMessages(ctx, snapshot.CollectionKey{CorrelationID: of.Run, CollectionName: of.Collection},
			mostMessages)
	})
	return reading{At: tables.At, Every: tables.Every,
		Value: watchedCollection{one, report.WhyCollection(run, one, s.Command), read, run.Summary}}, err
}

func (s *Server) collectionPage(r *http.Request) (view, error) {
	query := r.URL.Query()
	of := topic{ofCollection, query.Get("run"), query.Get("name")}
	seen, read, err := latest[watchedCollection](r.Context(), s.hub, of)
	if err != nil {
		return view{}, err
	}
	receipts := seen.Messages.Newest
	shown := collectionView{Collection: seen.Collection, Run: seen.run, Finding: seen.Finding, CanReconcile: s.AllowWrites &&
		s.Reconcile != nil,
		More: seen.Messages.More, ListsAll: s.Command.Do("files", seen.run.Run, seen.Collection.Collection),
		AllFiles: len(receipts), History: history(seen.Collection, receipts)}
	page, _ := strconv.Atoi(query.Get("page"))
	shown.page(receipts, max(1, page))
	return view{Template: "collection.html", Title: of.Collection, Live: of.String(), Version: read.Version,
		Data: shown}, nil
}

// messages are those that were counted for a collection.
type messages struct {
	Newest []store.Receipt // the newest first
	More   bool            // there are more than were read
}

var errEnough = errors.New("enough")

// readMessages reads so many messages of a collection at most: any of them if there are more, since they are not stored
// in the order of their times.
func (s *Server) readMessages(ctx context.Context, key snapshot.CollectionKey, most int) (read messages, err error) {
	err = s.Store.Receipts(ctx, key, func(receipt store.Receipt) error {
		if len(read.Newest) == most {
			return errEnough
		}
		read.Newest = append(read.Newest, receipt)
		return nil
	})
	if errors.Is(err, errEnough) {
		read.More, err = true, nil
	}
	slices.SortFunc(read.Newest, func(a, b store.Receipt) int {
		return cmp.Or(b.ReceivedAt.Compare(a.ReceivedAt), cmp.Compare(a.Filename, b.Filename),
			cmp.Compare(a.Identity, b.Identity))
	})
	return read, err
}

// page takes the files of one page, and says which names came again.
func (v *collectionView) page(receipts []store.Receipt, page int) {
	times := map[string]int{}
	for _, receipt := range receipts {
		if times[receipt.Filename]++; times[receipt.Filename] == 2 && receipt.Filename != "" {
			v.Repeated++
		}
	}
	pages := max(1, (len(receipts)+filesPage-1)/filesPage)
	v.Page = min(page, pages)
	for _, receipt := range receipts[(v.Page-1)*filesPage : min(v.Page*filesPage, len(receipts))] {
		v.Files = append(v.Files, file{receipt, receipt.Filename != "" && times[receipt.Filename] > 1})
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
func history(c report.Collection, newestFirst []store.Receipt) []event {
	var events []event
	files := slices.DeleteFunc(slices.Clone(newestFirst), func(m store.Receipt) bool { return m.Success })
	if n := len(files); n > 0 {
		events = append(events, event{files[n-1].ReceivedAt, "The first file was counted.", files[n-1].Execution})
		if n > 1 {
			events = append(events, event{files[0].ReceivedAt, "File " + strconv.Itoa(n) +
				", the latest so far, was counted.", files[0].Execution})
		}
	}
	for _, receipt := range newestFirst {
		if receipt.Success {
			events = append(events, event{receipt.ReceivedAt, "The _success file was noted.", receipt.Execution})
		}
	}
	if c.Request.Since != nil {
		what := "The request for its _success file was enqueued; it is not delivered."
		if c.Request.State == report.Delivered {
			what = "The request for its _success file was enqueued, and delivered."
		}
		events = append(events, event{*c.Request.Since, what, c.Request.Execution})
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.At.Compare(b.At) })
	return events
}
