package page

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"sync"
	"time"
)

// reading is what a poller read last.
type reading struct {
	Value   any
	Version string // another one when Value is another one
	At      time.Time
	Every   time.Duration // how often it is read while somebody watches
	Err     error         // of the last try; Value is older then
}

// How often what somebody watches is read: with pauses of ten times what reading takes, so that a large run costs no more
// than a tenth of a reader's time.
const (
	oftenest = time.Second
	seldom   = time.Minute
	restful  = 10
)

// rest is how long something is not read again after reading it took so long.
func rest(took time.Duration) time.Duration { return min(restful*took, seldom) }

// hub has one poller for each run (or list of runs) that somebody watches, whoever and how many they are. A page that is
// opened, its chart and its poller share one reading, so what is shown is as old as the page's badge says, at most.
type hub struct {
	ctx     context.Context
	read    func(ctx context.Context, key string) (any, error)
	recent  remembered[reading]
	mu      sync.Mutex
	watched map[string]*watched
}

type watched struct {
	viewers int
	stop    context.CancelFunc
	last    reading
	next    chan struct{} // closed when last is replaced
}

func newHub(ctx context.Context, read func(context.Context, string) (any, error)) *hub {
	return &hub{ctx: ctx, read: read, watched: map[string]*watched{}}
}

// follow calls with each reading, the last one first, until the context is done or tell returns an error.
func (h *hub) follow(ctx context.Context, key string, tell func(reading) error) error {
	defer h.leave(key)
	w := h.join(key)
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

func (h *hub) join(key string) *watched {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.watched[key]
	if w == nil {
		ctx, stop := context.WithCancel(h.ctx)
		w = &watched{stop: stop, next: make(chan struct{})}
		h.watched[key] = w
		go h.poll(ctx, key, w)
	}
	w.viewers++
	return w
}

func (h *hub) leave(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.watched[key]
	if w.viewers--; w.viewers == 0 {
		w.stop()
		delete(h.watched, key)
	}
}

// poll reads until nobody watches any more.
func (h *hub) poll(ctx context.Context, key string, w *watched) {
	for ctx.Err() == nil {
		last, err := h.take(ctx, key)
		if ctx.Err() != nil {
			return
		}
		h.mu.Lock()
		if err == nil {
			w.last = last
		}
		w.last.Err, w.last.Every = err, last.Every
		close(w.next)
		w.next = make(chan struct{})
		h.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(last.Every):
		}
	}
}

// take reads, or takes what was read so shortly ago that it is not to be read again yet.
func (h *hub) take(ctx context.Context, key string) (reading, error) {
	return h.recent.get(key, time.Now(), 0, func() (reading, error) {
		began := time.Now()
		value, err := h.read(ctx, key)
		digest := fnv.New64a()
		_ = json.NewEncoder(digest).Encode(value) // of types that are made to be written as JSON
		return reading{Value: value, Version: fmt.Sprintf("%x", digest.Sum64()), At: time.Now(), Every: max(oftenest, rest(time.Since(began)))}, err
	})
}

// latest is what a poller read last if there is one, else it is read.
func (h *hub) latest(ctx context.Context, key string) (reading, error) {
	h.mu.Lock()
	w := h.watched[key]
	if w != nil && w.last.Err == nil && !w.last.At.IsZero() {
		defer h.mu.Unlock()
		return w.last, nil
	}
	h.mu.Unlock()
	return h.take(ctx, key)
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
	_ = s.hub.follow(r.Context(), r.URL.Query().Get("run"), func(last reading) error {
		said := news{Version: last.Version, At: last.At.UnixMilli(), Every: last.Every.Milliseconds(), Point: pointOf(last)}
		if last.Err != nil {
			said.Error = last.Err.Error()
		}
		data, err := json.Marshal(said)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
			return err
		}
		return control.Flush()
	})
}
