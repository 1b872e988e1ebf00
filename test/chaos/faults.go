package chaos

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// faults is a TCP proxy between the functions and the engine. A random fault strikes one piece of a request or an
// answer: all of it unless it is large.
type faults struct {
	proxy *toxiproxy.Proxy
	// longestHang bounds how long an answer hangs before its connection is cut.
	longestHang time.Duration
	// killEvery is the mean number of requests between two kills.
	killEvery int
	kills     chan struct{}

	requests, requestsCut, answersCut, answersLate, answersHung atomic.Int64
}

// Probabilities of the faults.
const (
	requestCut  = 0.01 // before the engine sees it
	answerCut   = 0.02 // after the request took effect
	answerHung  = 0.001
	answerLate  = 0.15
	mostLatency = 250 * time.Millisecond
)

// newFaults starts the proxy. forwardTo sets its target.
func newFaults(longestHang time.Duration, killEvery int) (*faults, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	f := &faults{longestHang: longestHang, killEvery: killEvery, kills: make(chan struct{}, 1),
		proxy: toxiproxy.NewProxy(server, "engine", "127.0.0.1:0", "127.0.0.1:1")}
	for _, direction := range []stream.Direction{stream.Upstream, stream.Downstream} {
		settings := fmt.Sprintf(`{"name": "chaos-%v", "type": %q, "stream": %q}`, direction, toxicType, direction)
		added, err := f.proxy.Toxics.AddToxicJson(strings.NewReader(settings))
		if err != nil {
			return nil, fmt.Errorf("adding the %v toxic: %w", direction, err)
		}
		own := added.Toxic.(*toxic)
		own.faults, own.direction = f, direction
	}
	if err := f.proxy.Start(); err != nil {
		return nil, fmt.Errorf("starting the proxy: %w", err)
	}
	return f, nil
}

func (f *faults) endpoint() string { return "http://" + f.proxy.Listen }

// forwardTo makes the proxy forward to this endpoint.
func (f *faults) forwardTo(endpoint string) error {
	target, err := url.Parse(endpoint)
	if err == nil {
		err = f.proxy.Update(&toxiproxy.Proxy{Listen: f.proxy.Listen, Upstream: target.Host, Enabled: true})
	}
	if err != nil {
		return fmt.Errorf("forwarding the proxy to the engine: %w", err)
	}
	return nil
}

func (f *faults) stop() { f.proxy.Stop() }

// toxic decides for each piece. Toxiproxy's own toxics decide once for a connection, and the functions' connections
// live for thousands of requests.
type toxic struct {
	faults    *faults
	direction stream.Direction
}

const toxicType = "chaos"

func init() { toxics.Register(toxicType, new(toxic)) }

// Pipe injects faults into one direction of one connection.
func (t *toxic) Pipe(stub *toxics.ToxicStub) {
	harm := t.faults.toAnswer
	if t.direction == stream.Upstream {
		harm = t.faults.toRequest
	}
	for {
		select {
		case <-stub.Interrupt:
			return
		case piece := <-stub.Input:
			if piece != nil && harm(piece.Data) {
				stub.Output <- piece
				continue
			}
			stub.Close()
			for range stub.Input { // discards the rest
			}
			return
		}
	}
}

// toRequest counts requests; false cuts the connection.
func (f *faults) toRequest(piece []byte) bool {
	if bytes.HasPrefix(piece, []byte("POST ")) {
		f.request()
	}
	return !strikes(requestCut, &f.requestsCut)
}

// request counts a request and sometimes asks for a kill. Pending kills do not add up.
func (f *faults) request() {
	f.requests.Add(1)
	if rand.N(f.killEvery) == 0 {
		select {
		case f.kills <- struct{}{}:
		default:
		}
	}
}

// toAnswer delays a piece of an answer or lets it hang; false cuts the connection.
func (f *faults) toAnswer([]byte) bool {
	switch {
	case strikes(answerCut, &f.answersCut):
		return false
	case strikes(answerHung, &f.answersHung):
		time.Sleep(rand.N(f.longestHang)) // the sleep is the fault
		return false
	case strikes(answerLate, &f.answersLate):
		time.Sleep(rand.N(mostLatency))
	}
	return true
}

func strikes(probability float64, count *atomic.Int64) bool {
	if rand.Float64() >= probability {
		return false
	}
	count.Add(1)
	return true
}

// killFunctions kills a random function process for each value of the channel kills.
func (s *system) killFunctions(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.faults.kills:
		}
		if functions := s.engine.Functions(); len(functions) > 0 {
			victim := functions[rand.N(len(functions))]
			if err := syscall.Kill(victim, syscall.SIGKILL); err == nil { // else it has just ended
				s.seen.killed.Add(1)
			}
		}
	}
}
