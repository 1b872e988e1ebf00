package page

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"sync"
	"time"

	"snapshot-status-checker/operator/show"
)

// reading is what a poller read last.
type reading struct {
	Value   any
	Version string // another one when Value is another one
	At      time.Time
	Every   time.Duration // how often it is read while somebody watches
	Err     error         // of the last try; Value is older then
}

// How often what somebody watches is read: with pauses of ten times what reading takes, so that a large run costs no
// more than a tenth of a reader's time. The pauses double while nothing changes; on the local stack, where reading
// costs nothing and a developer waits for what he does, they stay short.
const (
	oftenest      = time.Second
	slowest       = 30 * time.Second
	slowestNearby = 2 * time.Second
	seldom        = time.Minute
	restful       = 10
)

// rest is how long something is not read again after reading it took so long.
func rest(took time.Duration) time.Duration { return min(restful*took, seldom) }

// hub has one poller for each topic that somebody watches, whoever and how many they are. Pages that are opened, a
// run's chart and its poller share one reading, so what is shown is as old as the page's badge says, at most.
type hub struct {
	ctx     context.Context
	read    func(ctx context.Context, of topic) (reading, error) // without a version
	slowest time.Duration
	recent  remembered[reading]
	mu      sync.Mutex
	watched map[topic]*watched
}

type watched struct {
	viewers int
	stop    context.CancelFunc
	last    reading
	next    chan struct{} // closed when last is replaced
	changed chan struct{} // somebody else has read another version
}

func newHub(ctx context.Context, read func(context.Context, topic) (reading, error)) *hub {
	return &hub{ctx: ctx, read: read, slowest: slowest, watched: map[topic]*watched{}}
}

// follow calls with each reading, the last one first, until the context is done or tell returns an error.
func (h *hub) follow(ctx context.Context, of topic, tell func(reading) error) error {
	defer h.leave(of)
	w := h.join(of)
	for {
		h.mu.Lock()
		last, next := w.last, w.next
		h.mu.Unlock()
		if !last.At.IsZero() || last.Err != nil {
			if err := tell(last); err != nil {
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

func (h *hub) join(of topic) *watched {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.watched[of]
	if w == nil {
		ctx, stop := context.WithCancel(h.ctx)
		w = &watched{stop: stop, next: make(chan struct{}), changed: make(chan struct{}, 1)}
		h.watched[of] = w
		go h.poll(ctx, of, w)
	}
	w.viewers++
	return w
}

func (h *hub) leave(of topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.watched[of]
	if w.viewers--; w.viewers == 0 {
		w.stop()
		delete(h.watched, of)
	}
}

// poll reads until nobody watches any more: the less often the longer nothing changes, an error that lasts included.
func (h *hub) poll(ctx context.Context, of topic, w *watched) {
	var pause time.Duration
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
			pause, before = 0, version
		}
		pause = max(last.Every, min(2*pause, h.slowest))
		last.Every = pause
		h.publish(w, last, err)
		select {
		case <-ctx.Done():
		case <-w.changed:
		case <-time.After(pause):
		}
	}
}

func (h *hub) publish(w *watched, last reading, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		w.last = last
	}
	w.last.Err, w.last.Every = err, last.Every
	close(w.next)
	w.next = make(chan struct{})
}

// take reads, or takes what was read so shortly ago that it is not to be read again yet.
func (h *hub) take(ctx context.Context, of topic) (reading, error) {
	return h.recent.get(of.String(), time.Now(), of.oftenest(), func() (reading, error) {
		began := time.Now()
		read, err := h.read(ctx, of)
		digest := fnv.New64a()
		_ = json.NewEncoder(digest).Encode(read.Value) // of types that are made to be written as JSON
		read.Version = fmt.Sprintf("%x", digest.Sum64())
		read.Every = max(read.Every, of.oftenest(), rest(time.Since(began)))
		if read.At.IsZero() {
			read.At = time.Now()
		}
		return read, err
	})
}

// latest is for a page that is opened. If it sees something else than those who watch, their poller is told.
func (h *hub) latest(ctx context.Context, of topic) (reading, error) {
	last, err := h.take(ctx, of)
	h.mu.Lock()
	defer h.mu.Unlock()
	if w := h.watched[of]; w != nil && err == nil && last.Version != w.last.Version {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
	return last, err
}

// latest is what a hub has read of a topic.
func latest[T any](ctx context.Context, h *hub, of topic) (value T, read reading, err error) {
	if read, err = h.latest(ctx, of); err == nil {
		value = read.Value.(T)
	}
	return value, read, err
}

// news is what the browser is told of a reading. It asks for the page again if the version is another one.
type news struct {
	Version string `json:"version"`
	At      int64  `json:"at"`    // milliseconds
	Every   int64  `json:"every"` // milliseconds
	Error   string `json:"error,omitempty"`
	Point   *point `json:"point,omitempty"` // of a run
}

// events tells a browser about what it watches, as server-sent events.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	_ = s.hub.follow(r.Context(), topicOf(r.URL.Query()), func(last reading) error {
		said := news{Version: last.Version, At: last.At.UnixMilli(), Every: last.Every.Milliseconds(),
			Point: pointOf(last)}
		if last.Err != nil {
			said.Error = last.Err.Error()
		}
		data, err := json.Marshal(said)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", show.JSON(data)); err != nil {
			return err
		}
		return control.Flush()
	})
}
