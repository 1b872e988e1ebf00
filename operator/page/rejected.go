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

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/rejected"
)

const (
	rejectedInterval = 3 * time.Second // at most this often the queue is read
	maxRejected      = 200             // messages on a page
)

const errNoQueues = notFound("The rejected-messages queue or the file-received queue is not known. Name them with " +
	"--rejected-queue and --file-received-queue.")

// queue is the path of the page of a queue's messages.
type queue string

const (
	rejectedMessages queue = "/rejected"
	deadLetters      queue = "/dead-letters"
)

// queueOf reads which queue's messages a form or query is about.
func queueOf(values url.Values) queue {
	if values.Get("dead_letters") != "" {
		return deadLetters
	}
	return rejectedMessages
}

// readQueue receives the queue's messages. They are hidden from other readers until the reading is released.
func (s *Server) readQueue(ctx context.Context, q queue) (*rejected.Reading, error) {
	queues := *s.Rejected
	if q == deadLetters {
		var err error
		if queues, err = queues.DeadLetters(ctx); errors.Is(err, rejected.ErrNoDeadLetterQueue) {
			return nil, notFound(err.Error())
		} else if err != nil {
			return nil, err
		}
	}
	return queues.Read(ctx)
}

// readRejected returns a recent reading of a queue, whose messages are visible to other readers again.
func (s *Server) readRejected(ctx context.Context, q queue) (*rejected.Reading, error) {
	if s.Rejected == nil {
		return nil, errNoQueues
	}
	return s.rejected.get(string(q), s.Now(), rejectedInterval, func() (*rejected.Reading, error) {
		reading, err := s.readQueue(ctx, q)
		if err != nil {
			return nil, err
		}
		return reading, reading.Release(ctx)
	})
}

// rejectedView is the page of a queue's messages, and that of the confirmation of a replay.
type rejectedView struct {
	*rejected.Reading
	Queue       queue
	Shown       []*rejected.Message // the oldest first, at most maxRejected
	Matching    int                 // of the reason and run, those not shown included
	Replayable  int                 // of these, those that would not be rejected again
	Reasons     []rejected.Group    // of the run
	Reason, Run string              // the filter
	Until       int64               // milliseconds: the newest message was rejected then
	CanReplay   bool
}

func (s *Server) queuePage(r *http.Request) (view, error) {
	page, err := s.newRejectedView(r, queue(r.URL.Path))
	title := "Rejected messages"
	if page.DeadLetters() {
		title = "Dead letters"
	}
	return view{Template: "rejected.html", Title: title, Data: page}, err
}

// replayPage asks for confirmation before many messages are replayed.
func (s *Server) replayPage(r *http.Request) (view, error) {
	if !s.AllowWrites {
		return view{}, notFound(readOnly)
	}
	page, err := s.newRejectedView(r, queueOf(r.URL.Query()))
	return view{Template: "replay.html", Title: "Replay", Data: page}, err
}

func (s *Server) newRejectedView(r *http.Request, q queue) (rejectedView, error) {
	reading, err := s.readRejected(r.Context(), q)
	if err != nil {
		return rejectedView{}, err
	}
	query := r.URL.Query()
	page := rejectedView{Reading: reading, Queue: q, Reason: query.Get("reason"), Run: query.Get("run"),
		CanReplay: s.AllowWrites}
	var ofRun []*rejected.Message
	for _, message := range reading.Messages {
		page.Until = max(page.Until, message.SentAt.UnixMilli())
		if matches(message, page.Run, "") {
			ofRun = append(ofRun, message)
		}
		if !matches(message, page.Run, page.Reason) {
			continue
		}
		if page.Matching++; page.Matching <= maxRejected {
			page.Shown = append(page.Shown, message)
		}
		if message.RejectedAgain == "" {
			page.Replayable++
		}
	}
	if q == rejectedMessages {
		page.Reasons = rejected.ByReason(ofRun)
	}
	return page, nil
}

// DeadLetters reports whether the messages are dead letters.
func (v rejectedView) DeadLetters() bool { return v.Queue == deadLetters }

// matches reports whether a message names the run and has the reason, as far as these are given.
func matches(message *rejected.Message, run, reason string) bool {
	return (run == "" || slices.Contains(message.Runs, run)) && (reason == "" || reason == string(message.Reason))
}

// selectMessages returns the message that a form names by its identity, or all up to the confirmed moment. All never
// include one that would be rejected again; of a single one it returns why, unless forced.
func selectMessages(
	all []*rejected.Message, form url.Values, until int64,
) (selected []*rejected.Message, refused string) {
	identity := form.Get("identity")
	for _, message := range all {
		switch {
		case !matches(message, form.Get("run"), form.Get("reason")):
		case identity == "" && (message.SentAt.UnixMilli() > until || message.RejectedAgain != ""):
		case identity != "" && identity != message.Identity:
		case message.RejectedAgain != "" && form.Get("force") == "":
			refused = message.WouldBeRejected()
		default:
			selected = append(selected, message)
		}
	}
	return selected, refused
}

// replay replays messages. Each counts once, however often it is replayed.
func (s *Server) replay(r *http.Request) (string, error) {
	if s.Rejected == nil {
		return "", errNoQueues
	}
	form := r.PostForm
	q := queueOf(form)
	until, err := strconv.ParseInt(form.Get("until"), 10, 64)
	if form.Get("identity") == "" && err != nil {
		return link("/replay", "reason", form.Get("reason"), "run", form.Get("run"), "dead_letters",
			form.Get("dead_letters")), nil // asks for confirmation
	}
	e, release := s.rejected.hold(string(q)) // no page reads the queue meanwhile
	defer release()
	e.at = time.Time{}
	reading, err := s.readQueue(r.Context(), q)
	if err != nil {
		return "", err
	}
	selected, refused := selectMessages(reading.Messages, form, until)
	outcomes, err := reading.Replay(r.Context(), selected)
	released := reading.Release(r.Context())
	if err != nil {
		return "", deployment.AfterEffect(errors.Join(err, released), "nothing was replayed")
	}
	notice := replayNotice(outcomes)
	if released != nil {
		notice += " " + released.Error() + "."
	}
	if refused != "" && len(selected) == 0 {
		notice = "Not replayed: it " + refused
	}
	return link(string(q), "reason", form.Get("back_to_reason"), "run", form.Get("run"), "notice", notice), nil
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
