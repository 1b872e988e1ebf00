package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

const (
	maxReceipts  = 20_000 // read of a collection
	filesPerPage = 200
)

// receipts are the messages that were recorded for a collection.
type receipts struct {
	Newest []store.Receipt // the newest first
	More   bool            // not all were read
}

var errLimit = errors.New("limit reached")

// readReceipts reads at most so many receipts of a collection. If there are more, it returns any of them: they are not
// stored in the order of time.
func (s *Server) readReceipts(ctx context.Context, run, collection string, limit int) (read receipts, err error) {
	key := snapshot.CollectionKey{CorrelationID: run, CollectionName: collection}
	err = s.Store.Receipts(ctx, key, func(receipt store.Receipt) error {
		if len(read.Newest) == limit {
			return errLimit
		}
		read.Newest = append(read.Newest, receipt)
		return nil
	})
	if errors.Is(err, errLimit) {
		read.More, err = true, nil
	}
	slices.SortFunc(read.Newest, func(a, b store.Receipt) int {
		return cmp.Or(b.ReceivedAt.Compare(a.ReceivedAt), cmp.Compare(a.Filename, b.Filename),
			cmp.Compare(a.Identity, b.Identity))
	})
	return read, err
}

// liveCollection is the value of a collection's topic. It does not change with the other collections of the run.
type liveCollection struct {
	Collection report.Collection
	Finding    report.Finding
	Receipts   receipts
	run        report.Summary
}

func (s *Server) readLiveCollection(ctx context.Context, run report.Run, of topic) (liveCollection, error) {
	c, err := findCollection(run, of.Collection)
	if err != nil {
		return liveCollection{}, err
	}
	read, err := s.receipts.get(of.String(), s.Now(), surroundingsInterval, func() (receipts, error) {
		return s.readReceipts(ctx, of.Run, of.Collection, maxReceipts)
	})
	return liveCollection{c, report.WhyCollection(run, c, s.Command), read, run.Summary}, err
}

func findCollection(run report.Run, name string) (report.Collection, error) {
	i := slices.IndexFunc(run.Collections, func(c report.Collection) bool { return c.Collection == name })
	if i < 0 {
		return report.Collection{}, notFound("The run has no collection " + name + ".")
	}
	return run.Collections[i], nil
}

// collectionView is the page of a collection.
type collectionView struct {
	report.Collection
	Run           report.Summary
	Finding       report.Finding
	Files         []file // of this page, the newest first
	Pager         pager
	RepeatedNames int    // file names that were counted in several messages
	More          bool   // not all messages were read
	ListCommand   string // lists all of them
	History       []event
	CanReconcile  bool
}

// file is a message that was recorded.
type file struct {
	store.Receipt
	NameRepeated bool   // and counted in several messages
	Repeats      string // the message that brought the file before
}

func (s *Server) collectionPage(r *http.Request) (view, error) {
	query := r.URL.Query()
	of := topic{collectionTopic, query.Get("run"), query.Get("name")}
	live, read, err := latest[liveCollection](r.Context(), s.hub, of)
	if err != nil {
		return view{}, err
	}
	newest := live.Receipts.Newest
	page := collectionView{Collection: live.Collection, Run: live.run, Finding: live.Finding, More: live.Receipts.More,
		CanReconcile: s.AllowWrites && s.Reconcile != nil, ListCommand: s.Command.Do("files", of.Run, of.Collection),
		History: history(live.Collection, newest)}
	messages := map[string]int{} // that were counted, by file name
	for _, receipt := range newest {
		if !receipt.Repeated && receipt.Filename != "" {
			messages[receipt.Filename]++
		}
	}
	for _, n := range messages {
		if n > 1 {
			page.RepeatedNames++
		}
	}
	files, repeats := make([]file, len(newest)), report.Repeats(newest)
	for i, receipt := range newest {
		files[i] = file{receipt, !receipt.Repeated && messages[receipt.Filename] > 1, repeats[i]}
	}
	page.Files, page.Pager = paginate(query, files, filesPerPage, "messages", func(page int) string {
		return link("/collection", "run", of.Run, "name", of.Collection, "page", page) + "#files"
	})
	return view{Template: "collection.html", Title: of.Collection, Live: of.String(), Version: read.Version,
		Data: page}, nil
}

// event is an event in the history of a collection.
type event struct {
	At        time.Time
	Text      string
	Execution string
}

// history lists what the ledger has of a collection, the oldest event first.
func history(c report.Collection, newestFirst []store.Receipt) []event {
	var events []event
	add := func(text string, receipt store.Receipt) {
		events = append(events, event{receipt.ReceivedAt, text, receipt.Execution})
	}
	files := slices.DeleteFunc(slices.Clone(newestFirst), func(m store.Receipt) bool { return m.Success || m.Repeated })
	if n := len(files); n > 0 {
		add("First file counted.", files[n-1])
		if n > 1 {
			add(fmt.Sprintf("File %d, the latest so far, counted.", n), files[0])
		}
	}
	for _, receipt := range newestFirst {
		if receipt.Success {
			add("_success file received.", receipt)
		}
	}
	if c.Request.Since != nil {
		text := "Request for the _success file enqueued, not delivered yet."
		if c.Request.State == report.Delivered {
			text = "Request for the _success file enqueued and delivered."
		}
		events = append(events, event{*c.Request.Since, text, c.Request.Execution})
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.At.Compare(b.At) })
	return events
}
