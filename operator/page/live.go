package page

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"strings"
	"sync"
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

func topicOf(query url.Values) topic {
	return topic{query.Get("kind"), query.Get("run"), query.Get("collection")}
}

// minInterval is the shortest interval between two readings.
func (t topic) minInterval() time.Duration {
	if t.Kind == executionsTopic {
		return surroundingsInterval
	}
	return minInterval
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
		return r, err
	}
	run, tables, err := s.run(ctx, of.Run)
	if err != nil {
		return r, err
	}
	r.At, r.Every = tables.At, tables.Every
	switch of.Kind {
	case runTopic:
		r.Value, err = s.readLiveRun(ctx, run, tables)
	case collectionTopic:
		r.Value, err = s.readLiveCollection(ctx, run, of)
	case executionsTopic:
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
	Every   time.Duration // the poller's interval
	Err     error         // of the last try; Value is then from an earlier one
}

// The poller of a topic waits ten times as long as a reading takes, so that a large run costs at most a tenth of a
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

// hub runs one poller for each topic with viewers. Pages, charts and the poller share a reading, so a page is never
// older than its badge says.
type hub struct {
	ctx         context.Context
	read        func(ctx context.Context, of topic) (reading, error) // without a version
	maxInterval time.Duration
	recent      cache[reading]
	mu          sync.Mutex
	pollers     map[topic]*poller
}

type poller struct {
	viewers int
	stop    context.CancelFunc
	last    reading
	next    chan struct{} // closed when last is replaced
	changed chan struct{} // a page has read another version
}

func newHub(ctx context.Context, read func(context.Context, topic) (reading, error)) *hub {
	return &hub{ctx: ctx, read: read, maxInterval: maxInterval, pollers: map[topic]*poller{}}
}

// follow calls send with the last reading and each new one, until the context ends or send returns an error.
func (h *hub) follow(ctx context.Context, of topic, send func(reading) error) error {
	defer h.leave(of)
	p := h.join(of)
	for {
		h.mu.Lock()
		last, next := p.last, p.next
		h.mu.Unlock()
		if !last.At.IsZero() || last.Err != nil {
			if err := send(last); err != nil {
				return err
			}
		}
		select {
		case <-next:
		case <-ctx.Done():
			return nil
		case <-h.ctx.Done():
			return nil
		}
	}
}

func (h *hub) join(of topic) *poller {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.pollers[of]
	if p == nil {
		ctx, stop := context.WithCancel(h.ctx)
		p = &poller{stop: stop, next: make(chan struct{}), changed: make(chan struct{}, 1)}
		h.pollers[of] = p
		go h.poll(ctx, of, p)
	}
	p.viewers++
	return p
}

func (h *hub) leave(of topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.pollers[of]
	if p.viewers--; p.viewers == 0 {
		p.stop()
		delete(h.pollers, of)
	}
}

// poll reads until the last viewer leaves. An error that lasts counts as no change.
func (h *hub) poll(ctx context.Context, of topic, p *poller) {
	var interval time.Duration
	var before string
	for ctx.Err() == nil {
		last, err := h.take(ctx, of)
		if ctx.Err() != nil {
			return
		}
		version := last.Version
		if err != nil {
			version = "none"
		}
		if version != before {
			interval, before = 0, version
		}
		interval = max(last.Every, min(2*interval, h.maxInterval))
		h.mu.Lock()
		if err == nil {
			p.last = last
		}
		p.last.Err, p.last.Every = err, interval
		close(p.next)
		p.next = make(chan struct{})
		h.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-p.changed:
		case <-time.After(interval):
		}
	}
}

// take returns the recent reading, or reads if that is too old.
func (h *hub) take(ctx context.Context, of topic) (reading, error) {
	return h.recent.get(of.String(), time.Now(), of.minInterval(), func() (reading, error) {
		began := time.Now()
		r, err := h.read(ctx, of)
		digest := fnv.New64a()
		_ = json.NewEncoder(digest).Encode(r.Value) // all values can be encoded
		r.Version = fmt.Sprintf("%x", digest.Sum64())
		r.Every = max(r.Every, of.minInterval(), cooldown(time.Since(began)))
		if r.At.IsZero() {
			r.At = time.Now()
		}
		return r, err
	})
}

// latest reads a topic for a page. If its version is new, the topic's poller publishes it at once.
func (h *hub) latest(ctx context.Context, of topic) (reading, error) {
	last, err := h.take(ctx, of)
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.pollers[of]; p != nil && err == nil && last.Version != p.last.Version {
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
	return last, err
}

// latest returns the value of a reading with its type.
func latest[T any](ctx context.Context, h *hub, of topic) (value T, r reading, err error) {
	if r, err = h.latest(ctx, of); err == nil {
		value = r.Value.(T)
	}
	return value, r, err
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
	control := http.NewResponseController(w)
	_ = s.hub.follow(r.Context(), topicOf(r.URL.Query()), func(last reading) error {
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
