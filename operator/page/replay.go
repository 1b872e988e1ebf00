package page

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/rejected"
)

// replayView asks whether many messages are to be put back.
type replayView struct {
	rejectedView
	Until int64 // milliseconds: those that are kept later were not asked about
}

func (s *Server) replayPage(r *http.Request) (view, error) {
	switch {
	case s.Rejected == nil:
		return view{}, notFound{"The queues are not known."}
	case !s.AllowWrites:
		return view{}, notFound{onlyShow}
	}
	read, err := s.readRejected(r.Context())
	if err != nil {
		return view{}, err
	}
	asks := replayView{rejectedView: s.rejectedView(read, r.URL.Query())}
	for _, message := range read.messages {
		asks.Until = max(asks.Until, message.SentAt.UnixMilli())
	}
	return view{Template: "replay.html", Title: "Put back", Data: asks}, nil
}

// choice is which kept messages a person wants to put back: one by its identity, or many that were shown and confirmed.
type choice struct {
	identity, reason, run string
	asIs                  bool // also what would be rejected again
	until                 time.Time
}

func newChoice(form url.Values) choice {
	c := choice{identity: form.Get("identity"), reason: form.Get("reason"), run: form.Get("run"),
		asIs: form.Get("as_is") != ""}
	if millis, err := strconv.ParseInt(form.Get("until"), 10, 64); err == nil && c.identity == "" {
		c.until = time.UnixMilli(millis)
	}
	return c
}

// of are the messages that are chosen. Many never are any that would come back.
func (c choice) of(all []*rejected.Message) (chosen []*rejected.Message, comesBack string) {
	for _, message := range all {
		switch {
		case !wanted(message, c.run, c.reason):
		case c.identity == "" && (message.SentAt.After(c.until) || message.ComesBack != ""):
		case c.identity != "" && c.identity != message.Identity:
		case c.identity != "" && message.ComesBack != "" && !c.asIs:
			comesBack = message.ComesBack
		default:
			chosen = append(chosen, message)
		}
	}
	return chosen, comesBack
}

// replay puts kept messages back. They count once, however often.
func (s *Server) replay(r *http.Request) (string, error) {
	if s.Rejected == nil {
		return "", notFound{"The queues are not known."}
	}
	c := newChoice(r.PostForm)
	if c.identity == "" && c.until.IsZero() {
		return link("/replay", "reason", c.reason, "run", c.run), nil // which asks first
	}
	s.Rejected.mu.Lock()
	defer s.Rejected.mu.Unlock()
	ctx := r.Context()
	reading, err := s.Rejected.Read(ctx)
	if err != nil {
		return "", err
	}
	chosen, comesBack := c.of(reading.Messages)
	outcomes, err := reading.Replay(ctx, chosen)
	s.rejected.forget("")
	givenBack := reading.GiveBack(ctx)
	if err != nil {
		return "", deployment.AfterEffect(errors.Join(err, givenBack), "nothing was put back")
	}
	said := outcomeOf(outcomes)
	if givenBack != nil {
		said += " " + givenBack.Error() + "."
	}
	if comesBack != "" && len(chosen) == 0 {
		said = "It was not put back, since it would be rejected again: " + comesBack
	}
	return link("/rejected", "reason", r.PostForm.Get("back_reason"), "run", c.run, "said", said), nil
}

// outcomeOf says what became of messages.
func outcomeOf(outcomes []rejected.Outcome) string {
	done, failed := 0, ""
	for _, outcome := range outcomes {
		if outcome.Done {
			done++
		} else if outcome.Err != nil {
			failed = " Of the others, one: " + outcome.Err.Error() + ". Trying again is safe: each counts once."
		}
	}
	if len(outcomes) == 0 {
		return "No message is like that any more: somebody was faster, or is reading the queue just now."
	}
	return fmt.Sprintf("%d of %d put back.%s", done, len(outcomes), failed)
}
