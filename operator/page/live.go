package page

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"time"

	"snapshot-status-checker/operator/show"
)

// topic is the subject of a page's live updates.
type topic struct{ Kind, Run, Collection string }

// The kinds of topics. All but the list of runs belong to a run and are made from its tables.
const (
	runsTopic       = "runs"
	tablesTopic     = "tables"     // the run as stored
	runTopic        = "run"        // the run with its surroundings
	collectionTopic = "collection" // one collection with its messages
	executionsTopic = "executions"
)

// String is the topic as a query.
func (t topic) String() string {
	return strings.TrimPrefix(link("", "kind", t.Kind, "run", t.Run, "collection", t.Collection), "?")
}

// read reads a topic for the hub.
func (s *Server) read(ctx context.Context, of topic) (r reading, err error) {
	switch {
	case of.Kind == runsTopic:
		r.Value, err = s.newestRuns(ctx)
		return r, err
	case of.Run == "":
		return r, notFound("The request names no run.")
	case of.Kind == tablesTopic:
		r.Value, err = s.readRun(ctx, of.Run)
		r.At = time.Now()
		return r, err
	}
	run, tables, err := s.run(ctx, of.Run)
	if err != nil {
		return r, err
	}
	r.At, r.least = tables.At, tables.least
	switch of.Kind {
	case runTopic:
		r.Value, err = s.readLiveRun(ctx, run, tables)
	case collectionTopic:
		r.Value, err = s.readLiveCollection(ctx, run, of)
	case executionsTopic:
		r.least = max(r.least, surroundingsInterval)
		r.Value, err = s.readExecutions(ctx, run)
	default:
		err = notFound("There is no topic " + of.Kind + ".")
	}
	return r, err
}

// reading is what was read of a topic.
type reading struct {
	Value   any
	Version string // differs if Value differs
	At      time.Time
	Every   time.Duration // until viewers get the next one
	Err     error         // of the last try; Value is then from an earlier one

	least   time.Duration // until a page gets another one
	next    time.Time     // when viewers get another one
	renewed chan struct{} // closed when there is another one
}

// Topics are read again after ten times as long as a reading takes, so that a large run costs at most a tenth of a
// reader's time. The interval doubles while nothing changes. On the local stack it stays short: reading is free there.
const (
	minInterval      = time.Second
	maxInterval      = 30 * time.Second
	maxIntervalLocal = 2 * time.Second
	maxCooldown      = time.Minute
	cooldownFactor   = 10
)

// cooldown is the shortest time until the next reading, after one that took so long.
func cooldown(took time.Duration) time.Duration { return min(cooldownFactor*took, maxCooldown) }

// hub reads topics. Pages, charts and viewers share a reading, so a page is never older than its badge says.
type hub struct {
	ctx         context.Context                                      // of all viewers
	read        func(ctx context.Context, of topic) (reading, error) // without a version
	maxInterval time.Duration
	recent      cache[reading]
}

// follow calls send with the last reading and each new one, until the context ends or send returns an error.
func (h *hub) follow(ctx context.Context, of topic, send func(reading) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.ctx, cancel)()
	defer h.recent.keep(of.String())()
	for {
		last := h.take(ctx, of, true)
		if ctx.Err() != nil {
			return nil
		}
		if err := send(last); err != nil {
			return err
		}
		select {
		case <-last.renewed:
		case <-time.After(time.Until(last.next)):
		case <-ctx.Done():
			return nil
		}
	}
}

// take returns the recent reading, or reads if that is too old. A page does not wait for the interval of viewers, nor
// does it repeat an error.
func (h *hub) take(ctx context.Context, of topic, viewer bool) reading {
	e, release := h.recent.hold(of.String())
	defer release()
	began, before := time.Now(), e.value
	age := began.Sub(e.at)
	if age < before.least && before.Err == nil || viewer && age < before.Every {
		return before
	}
	read, err := h.read(ctx, of)
	if ctx.Err() != nil {
		return reading{Err: ctx.Err()}
	}
	e.at = time.Now()
	r := before
	if r.Err = err; err == nil {
		r.Value, r.Version, r.At = read.Value, version(read.Value), read.At
	}
	r.least = max(read.least, minInterval, cooldown(e.at.Sub(began)))
	if r.Version != before.Version || (r.Err == nil) != (before.Err == nil) {
		r.Every = 0
	} else if age >= before.Every { // else a page was opened meanwhile
		r.Every = min(2*before.Every, h.maxInterval)
	}
	r.Every = max(r.Every, r.least)
	r.next = e.at.Add(r.Every)
	r.renewed = make(chan struct{})
	if e.value = r; before.renewed != nil {
		close(before.renewed)
	}
	return r
}

func version(value any) string {
	digest := fnv.New64a()
	_ = json.NewEncoder(digest).Encode(value) // all values can be encoded
	return fmt.Sprintf("%x", digest.Sum64())
}

// latest reads a topic for a page. Viewers are sent what it read.
func latest[T any](ctx context.Context, h *hub, of topic) (value T, r reading, err error) {
	if r = h.take(ctx, of, false); r.Err == nil {
		value = r.Value.(T)
	}
	return value, r, r.Err
}

// update is an event for the browser, which fetches the page again if the version differs.
type update struct {
	Version string `json:"version"`
	Every   int64  `json:"every"` // milliseconds
	Error   string `json:"error,omitempty"`
	Point   *point `json:"point,omitempty"` // of a run
}

// events sends the updates of a topic as server-sent events.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	control, query := http.NewResponseController(w), r.URL.Query()
	of := topic{query.Get("kind"), query.Get("run"), query.Get("collection")}
	_ = s.hub.follow(r.Context(), of, func(last reading) error {
		event := update{Version: last.Version, Every: last.Every.Milliseconds(), Point: pointOf(last)}
		if last.Err != nil {
			event.Error = last.Err.Error()
		}
		data, err := json.Marshal(event)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", show.JSON(data)); err != nil {
			return err
		}
		return control.Flush()
	})
}
