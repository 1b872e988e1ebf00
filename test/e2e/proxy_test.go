package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// call is a call of a function to DynamoDB.
type call struct {
	Operation string // such as UpdateItem
	Table     string // of a request for one table
	Refused   bool   // answered with an error, such as a condition that failed
}

// proxy counts the calls to DynamoDB and can let some of them fail.
type proxy struct {
	engine  *httputil.ReverseProxy
	mu      sync.Mutex
	calls   map[call]int
	failing func(dbRequest) bool // the requests that fail
	effects bool                 // they take effect before they fail: the answer is lost

	transactions atomic.Int64
}

// dbRequest is a request of DynamoDB for one item.
type dbRequest struct {
	operation string
	table     string
	item      string // of the ledger: "run", "collection", "page" or "receipts"; of the export status table: "row"
}

func newProxy() *proxy { return &proxy{calls: map[call]int{}, failing: noRequest} }

func noRequest(dbRequest) bool { return false }

// forwardTo must be called before the first request.
func (p *proxy) forwardTo(endpoint string) error {
	engine, err := url.Parse(endpoint)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.engine = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(engine) }}
	return err
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	engine, failing, effects := p.engine, p.failing, p.effects
	p.mu.Unlock()
	_, operation, isDynamo := strings.Cut(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	if !isDynamo {
		engine.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasPrefix(operation, "Transact") {
		p.transactions.Add(1)
	}
	about := parseRequest(operation, body)
	breaks := failing(about)
	answer := httptest.NewRecorder()
	if !breaks || effects {
		engine.ServeHTTP(answer, r)
	}
	if breaks { // with an error that the SDK does not retry
		answer = httptest.NewRecorder()
		answer.Header().Set("Content-Type", "application/x-amz-json-1.0")
		answer.WriteHeader(http.StatusBadRequest)
		answer.WriteString(`{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",` +
			`"message":"failed by the test"}`)
	}
	p.mu.Lock()
	p.calls[call{about.operation, about.table, answer.Code != http.StatusOK}]++
	p.mu.Unlock()
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

func parseRequest(operation string, body []byte) dbRequest {
	var request struct {
		TableName string
		Key       map[string]map[string]string
	}
	_ = json.Unmarshal(body, &request) // the key of other requests has another shape
	about := dbRequest{operation: operation, table: request.TableName, item: "row"}
	if partition := request.Key["PK"]["S"]; partition == "run" {
		about.item = partition
	} else if partition != "" {
		about.item, _, _ = strings.Cut(request.Key["SK"]["S"], "#")
	}
	return about
}

// fail lets requests fail from now on, after they took effect or before.
func (p *proxy) fail(breaks func(dbRequest) bool, effects bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing, p.effects = breaks, effects
}

// stopFailing lets every request through again.
func (p *proxy) stopFailing() { p.fail(noRequest, false) }

// take returns the calls since the last time.
func (p *proxy) take() map[call]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := maps.Clone(p.calls)
	clear(p.calls)
	return calls
}
