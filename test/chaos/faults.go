package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// faults is the network between the functions and the engine: a TCP proxy that does harm by chance. A fault strikes
// one piece of a request or an answer, which is a whole one unless it is large.
type faults struct {
	proxy *toxiproxy.Proxy
	// longestHang is how long an answer that is held back keeps its connection open.
	longestHang time.Duration
	// killEvery is how many requests there are from one call for a kill to the next, on average.
	killEvery int
	kills     chan struct{}

	// sharedTable is the table on whose rows a transaction would disturb its other writers.
	sharedTable atomic.Pointer[string]

	requests, requestsCut, answersCut, answersLate, answersHung, transactions atomic.Int64
}

// How often each fault strikes.
const (
	requestCut  = 0.01 // before the engine sees it
	answerCut   = 0.02 // after the engine did what was asked
	answerHung  = 0.001
	answerLate  = 0.15
	mostLatency = 250 * time.Millisecond
)

// newFaults starts the proxy. It leads nowhere until leadTo.
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

// leadTo lets the proxy lead to this endpoint from now on.
func (f *faults) leadTo(endpoint string) error {
	target, err := url.Parse(endpoint)
	if err == nil {
		err = f.proxy.Update(&toxiproxy.Proxy{Listen: f.proxy.Listen, Upstream: target.Host, Enabled: true})
	}
	if err != nil {
		return fmt.Errorf("leading the proxy to the engine: %w", err)
	}
	return nil
}

func (f *faults) stop() { f.proxy.Stop() }

// toxic decides for every piece anew what happens to it. The toxics that toxiproxy brings decide once for a
// connection, and the functions' connections live for thousands of requests.
type toxic struct {
	faults    *faults
	direction stream.Direction
}

const toxicType = "chaos"

func init() { toxics.Register(toxicType, new(toxic)) }

// Pipe does the harm on one connection, in one direction.
func (t *toxic) Pipe(stub *toxics.ToxicStub) {
	harm := t.faults.toAnswer
	if t.direction == stream.Upstream {
		harm = t.faults.toRequest()
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
			for range stub.Input { // what the other side still says
			}
			return
		}
	}
}

// toRequest returns what happens to the pieces of one connection's requests; false cuts the connection.
func (f *faults) toRequest() func(piece []byte) bool {
	inTransaction := false
	return func(piece []byte) bool {
		if bytes.HasPrefix(piece, []byte("POST ")) {
			f.request()
			inTransaction = bytes.Contains(piece, []byte("DynamoDB_20120810.TransactWriteItems"))
		}
		if table := f.sharedTable.Load(); inTransaction && table != nil &&
			bytes.Contains(piece, []byte(`"`+*table+`"`)) {
			f.transactions.Add(1)
		}
		return !strikes(requestCut, &f.requestsCut)
	}
}

// request counts a request, and now and then has a function process killed. Calls for a kill that are not answered yet
// are not added up.
func (f *faults) request() {
	f.requests.Add(1)
	if rand.N(f.killEvery) == 0 {
		select {
		case f.kills <- struct{}{}:
		default:
		}
	}
}

// toAnswer is what happens to a piece of an answer; false cuts the connection.
func (f *faults) toAnswer([]byte) bool {
	switch {
	case strikes(answerCut, &f.answersCut):
		return false
	case strikes(answerHung, &f.answersHung):
		time.Sleep(rand.N(f.longestHang)) // the fault itself, as is the next
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
