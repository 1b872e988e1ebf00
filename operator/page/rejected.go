package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"snapshot-status-checker/operator/rejected"
)

// Rejected is the queue of kept messages. Reading it hides its messages for a moment, so one reads it at a time.
type Rejected struct {
	rejected.Queues
	mu sync.Mutex
}

// rejectedEvery is how often the queue is read through, at most.
const rejectedEvery = 3 * time.Second

// mostRejected is how many kept messages a page shows.
const mostRejected = 200

// rejectedView is what the page of the kept messages shows.
type rejectedView struct {
	Messages  []*rejected.Message // the oldest first, not more than are shown
	Matching  int                 // of this reason and run, also those that are not shown
	ToReplay  int                 // of these, those that would not come back
	All       int
	Elsewhere int
	Unseen    int
	Reasons   []rejected.Group // of this run
	Reason    string           // only of this reason
	Run       string           // only of this run
	CanReplay bool
}

// rejectedMessages are those that were read a moment ago, and given back.
type rejectedMessages struct {
	messages          []*rejected.Message
	elsewhere, unseen int // that are missing among them
}

func (s *Server) readRejected(ctx context.Context) (rejectedMessages, error) {
	return s.rejected.get("", s.Now(), rejectedEvery, func() (rejectedMessages, error) {
		s.Rejected.mu.Lock()
		defer s.Rejected.mu.Unlock()
		// Whoever goes away meanwhile must not leave messages hidden.
		reading, err := s.Rejected.Read(ctx)
		if err != nil {
			return rejectedMessages{}, err
		}
		return rejectedMessages{reading.Messages, reading.Elsewhere, reading.Unseen}, reading.GiveBack(ctx)
	})
}

func (s *Server) rejectedPage(r *http.Request) (view, error) {
	if s.Rejected == nil {
		return view{}, notFound{
			"The rejected-messages queue or the file-received queue is not known: name them with --rejected-queue " +
				"and --file-received-queue."}
	}
	read, err := s.readRejected(r.Context())
	if err != nil {
		return view{}, err
	}
	return view{Template: "rejected.html", Title: "Rejected messages", Data: s.rejectedView(read, r.URL.Query())}, nil
}

func (s *Server) rejectedView(read rejectedMessages, query url.Values) rejectedView {
	shown := rejectedView{All: len(read.messages), Elsewhere: read.elsewhere, Unseen: read.unseen,
		Reason: query.Get("reason"), Run: query.Get("run"), CanReplay: s.AllowWrites}
	var ofRun []*rejected.Message
	for _, message := range read.messages {
		if namesRun(message, shown.Run) {
			ofRun = append(ofRun, message)
		}
		if !wanted(message, shown.Run, shown.Reason) {
			continue
		}
		if shown.Matching++; shown.Matching <= mostRejected {
			shown.Messages = append(shown.Messages, message)
		}
		if message.ComesBack == "" {
			shown.ToReplay++
		}
	}
	shown.Reasons = rejected.ByReason(ofRun)
	return shown
}

func namesRun(message *rejected.Message, run string) bool {
	return run == "" || slices.Contains(message.Runs, run)
}

func wanted(message *rejected.Message, run, reason string) bool {
	return namesRun(message, run) && (reason == "" || reason == string(message.Reason))
}
