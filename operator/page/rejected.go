package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"snapshot-status-checker/operator/effect"
	"snapshot-status-checker/operator/rejected"
)

const (
	rejectedInterval = 3 * time.Second // at most this often the queue is read
	maxRejected      = 200             // messages on a page
)

const errNoQueues = notFound("The rejected-messages queue or the file-received queue is not known. Name them with " +
	"--rejected-queue and --file-received-queue.")

// rejectedMessages is a recent reading of the queue, whose messages are visible to others again.
type rejectedMessages struct {
	messages          []*rejected.Message
	elsewhere, unseen int // messages that the reading lacks
}

func (s *Server) readRejected(ctx context.Context) (rejectedMessages, error) {
	if s.Rejected == nil {
		return rejectedMessages{}, errNoQueues
	}
	return s.rejected.get("", s.Now(), rejectedInterval, func() (rejectedMessages, error) {
		s.rejectedMu.Lock()
		defer s.rejectedMu.Unlock()
		reading, err := s.Rejected.Read(ctx)
		if err != nil {
			return rejectedMessages{}, err
		}
		return rejectedMessages{reading.Messages, reading.Elsewhere, reading.Unseen}, reading.GiveBack(ctx)
	})
}

// rejectedView is the page of the rejected messages, and that of the confirmation of a replay.
type rejectedView struct {
	Messages    []*rejected.Message // the oldest first, at most maxRejected
	Matching    int                 // of the reason and run, those not shown included
	Replayable  int                 // of these, those that would not be rejected again
	All         int
	Elsewhere   int
	Unseen      int
	Reasons     []rejected.Group // of the run
	Reason, Run string           // the filter
	Until       int64            // milliseconds: the newest message was rejected then
	CanReplay   bool
}

func (s *Server) rejectedPage(r *http.Request) (view, error) {
	read, err := s.readRejected(r.Context())
	return view{Template: "rejected.html", Title: "Rejected messages", Data: s.rejectedView(read, r.URL.Query())}, err
}

func (s *Server) rejectedView(read rejectedMessages, query url.Values) rejectedView {
	page := rejectedView{All: len(read.messages), Elsewhere: read.elsewhere, Unseen: read.unseen,
		Reason: query.Get("reason"), Run: query.Get("run"), CanReplay: s.AllowWrites}
	var ofRun []*rejected.Message
	for _, message := range read.messages {
		page.Until = max(page.Until, message.SentAt.UnixMilli())
		if matches(message, page.Run, "") {
			ofRun = append(ofRun, message)
		}
		if !matches(message, page.Run, page.Reason) {
			continue
		}
		if page.Matching++; page.Matching <= maxRejected {
			page.Messages = append(page.Messages, message)
		}
		if message.ComesBack == "" {
			page.Replayable++
		}
	}
	page.Reasons = rejected.ByReason(ofRun)
	return page
}

// matches reports whether a message names the run and has the reason, as far as these are given.
func matches(message *rejected.Message, run, reason string) bool {
	return (run == "" || slices.Contains(message.Runs, run)) && (reason == "" || reason == string(message.Reason))
}

// replayPage asks for confirmation before many messages are replayed.
func (s *Server) replayPage(r *http.Request) (view, error) {
	if !s.AllowWrites {
		return view{}, notFound(readOnly)
	}
	read, err := s.readRejected(r.Context())
	return view{Template: "replay.html", Title: "Replay", Data: s.rejectedView(read, r.URL.Query())}, err
}

// selection is what a person chose to replay: one message by its identity, or all that were confirmed.
type selection struct {
	identity, reason, run string
	force                 bool // also if it would be rejected again
	until                 time.Time
}

func newSelection(form url.Values) selection {
	c := selection{identity: form.Get("identity"), reason: form.Get("reason"), run: form.Get("run"),
		force: form.Get("force") != ""}
	if millis, err := strconv.ParseInt(form.Get("until"), 10, 64); err == nil && c.identity == "" {
		c.until = time.UnixMilli(millis)
	}
	return c
}

// of returns the selected messages. Many never include one that would be rejected again; of a single one it returns
// why, unless forced.
func (c selection) of(all []*rejected.Message) (selected []*rejected.Message, rejectedAgain string) {
	for _, message := range all {
		switch {
		case !matches(message, c.run, c.reason):
		case c.identity == "" && (message.SentAt.After(c.until) || message.ComesBack != ""):
		case c.identity != "" && c.identity != message.Identity:
		case c.identity != "" && message.ComesBack != "" && !c.force:
			rejectedAgain = message.ComesBack
		default:
			selected = append(selected, message)
		}
	}
	return selected, rejectedAgain
}

// replay replays messages. Each counts once, however often it is replayed.
func (s *Server) replay(r *http.Request) (string, error) {
	if s.Rejected == nil {
		return "", errNoQueues
	}
	c := newSelection(r.PostForm)
	if c.identity == "" && c.until.IsZero() {
		return link("/replay", "reason", c.reason, "run", c.run), nil // asks for confirmation
	}
	s.rejectedMu.Lock()
	defer s.rejectedMu.Unlock()
	reading, err := s.Rejected.Read(r.Context())
	if err != nil {
		return "", err
	}
	selected, rejectedAgain := c.of(reading.Messages)
	outcomes, err := reading.Replay(r.Context(), selected)
	s.rejected.forget("")
	released := reading.GiveBack(r.Context())
	if err != nil {
		return "", effect.After(errors.Join(err, released), "nothing was replayed")
	}
	notice := replayNotice(outcomes)
	if released != nil {
		notice += " " + released.Error() + "."
	}
	if rejectedAgain != "" && len(selected) == 0 {
		notice = "Not replayed: it would be rejected again: " + rejectedAgain
	}
	return link("/rejected", "reason", r.PostForm.Get("back_to_reason"), "run", c.run, "notice", notice), nil
}

func replayNotice(outcomes []rejected.Outcome) string {
	if len(outcomes) == 0 {
		return "Nothing was replayed: the message is gone, or another reader holds it."
	}
	done, failed := 0, ""
	for _, outcome := range outcomes {
		if outcome.Done {
			done++
		} else if outcome.Err != nil {
			failed = " One of the errors: " + outcome.Err.Error() + ". Trying again is safe: each message counts once."
		}
	}
	return fmt.Sprintf("%d of %d replayed.%s", done, len(outcomes), failed)
}
