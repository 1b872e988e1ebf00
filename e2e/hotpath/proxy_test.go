package hotpath

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

	"snapshot-status-checker/internal/price"
)

// call is what the functions ask of DynamoDB, as the proxy sees it.
type call struct {
	Operation string // such as UpdateItem
	Table     string // of an UpdateItem only
	Refused   bool   // answered with an error, such as a condition that failed
}

// proxy stands between the functions and the engine. It counts the calls to DynamoDB and lets those fail that it is
// told to.
type proxy struct {
	engine  *httputil.ReverseProxy
	mu      sync.Mutex
	calls   map[call]int
	checked float64 // read units of check-all: of pages of rows, and of the ledger's runs
	breaks  string  // the operation that fails
	effects bool    // it takes effect before it fails: the answer is lost
}

func newProxy() *proxy { return &proxy{calls: map[call]int{}} }

// leadTo is to be called before the first request.
func (p *proxy) leadTo(endpoint string) error {
	engine, err := url.Parse(endpoint)
	p.engine = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(engine) }}
	return err
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, isDynamo := strings.Cut(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	if !isDynamo {
		p.engine.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body = askCapacity(operation, body)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	p.mu.Lock()
	breaks, effects := p.breaks == operation, p.effects
	p.mu.Unlock()
	answer := httptest.NewRecorder()
	if !breaks || effects {
		p.engine.ServeHTTP(answer, r)
	}
	if breaks { // with an error that the SDK does not try again
		answer = httptest.NewRecorder()
		answer.Header().Set("Content-Type", "application/x-amz-json-1.0")
		answer.WriteHeader(http.StatusBadRequest)
		answer.WriteString(`{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"broken by the test"}`)
	}
	p.note(operation, body, answer)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// askCapacity lets the read of an item tell what it costs.
func askCapacity(operation string, body []byte) []byte {
	var request map[string]any
	if operation != "GetItem" || json.Unmarshal(body, &request) != nil {
		return body
	}
	request["ReturnConsumedCapacity"] = "TOTAL"
	asking, err := json.Marshal(request)
	if err != nil {
		return body
	}
	return asking
}

func (p *proxy) note(operation string, body []byte, answer *httptest.ResponseRecorder) {
	var request struct {
		TableName string
		Key       map[string]map[string]string
	}
	var cost struct {
		ConsumedCapacity struct{ CapacityUnits float64 }
		ScannedCount     int
	}
	_ = json.Unmarshal(body, &request)
	_ = json.Unmarshal(answer.Body.Bytes(), &cost)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[call{operation, request.TableName, answer.Code != http.StatusOK}]++
	switch {
	case operation == "Query":
		p.checked += price.RowsUnits(cost.ScannedCount)
	case request.Key["PK"]["S"] == "run":
		p.checked += cost.ConsumedCapacity.CapacityUnits
	}
}

// takeChecked returns the read units of check-all since the last time, and the few with which notify reads what the
// news is about.
func (p *proxy) takeChecked() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	units := p.checked
	p.checked = 0
	return units
}

// breakDown lets an operation fail from now on, after it took effect or before; an empty name mends it.
func (p *proxy) breakDown(operation string, effects bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.breaks, p.effects = operation, effects
}

// take returns the calls since the last time.
func (p *proxy) take() map[call]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := maps.Clone(p.calls)
	clear(p.calls)
	return calls
}
