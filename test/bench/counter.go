package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"snapshot-status-checker/internal/price"
)

// counter is a proxy of the engine that counts the calls. It asks DynamoDB for the capacity that each consumed.
type counter struct {
	server  *httptest.Server
	engine  atomic.Pointer[url.URL]
	rows    atomic.Pointer[string] // the name of the table whose repeated updates are counted
	mu      sync.Mutex
	seen    calls
	refused map[string]bool // the rows of refused updates, each with the function's call that made it
}

// call is a request that the engine has not answered yet.
type call struct {
	kind  string
	row   string // with the function's call that updates it; empty for other calls
	begun time.Time
	share float64 // of the read units: a half unless it is consistent
}

type callKey struct{}

func newCounter() *counter {
	c := &counter{seen: newCalls(), refused: map[string]bool{}}
	c.server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:        c.ask,
		ModifyResponse: c.count,
		Transport:      &http.Transport{MaxIdleConnsPerHost: 200},
	})
	return c
}

func (c *counter) url() string { return c.server.URL }

func (c *counter) close() error { c.server.CloseClientConnections(); c.server.Close(); return nil }

func (c *counter) leadTo(endpoint string) error {
	engine, err := url.Parse(endpoint)
	if err != nil {
		return fmt.Errorf("reading the engine's address: %w", err)
	}
	c.engine.Store(engine)
	return nil
}

// soFar is how many calls of this kind were seen since the last take.
func (c *counter) soFar(kind string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen.Kinds[kind]
}

// take returns the calls since the last take.
func (c *counter) take() calls {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen, c.refused = newCalls(), map[string]bool{}
	return seen
}

// ask forwards the request and asks for its capacity.
func (c *counter) ask(r *httputil.ProxyRequest) {
	r.SetURL(c.engine.Load())
	r.Out.Header.Set("Accept-Encoding", "identity") // so that the answer can be read
	kind := kind(r)
	made := call{kind: kind, begun: time.Now(), share: 1}
	defer func() { r.Out = r.Out.WithContext(context.WithValue(r.Out.Context(), callKey{}, made)) }()
	dynamo, start := strings.HasPrefix(kind, "DynamoDB."), strings.HasPrefix(kind, "States.Start")
	if !dynamo && !start {
		return
	}
	var body map[string]json.RawMessage
	raw, err := io.ReadAll(r.In.Body)
	if err == nil && json.Unmarshal(raw, &body) == nil {
		switch {
		case start:
			c.payload(body["input"])
		case kind == "DynamoDB.BatchGetItem":
			c.batchRead(body["RequestItems"])
		default:
			made.share = share(body["ConsistentRead"])
			made.row = c.rowOf(kind, r.In.Header.Get("X-Amzn-Trace-Id"), body)
			body["ReturnConsumedCapacity"] = json.RawMessage(`"TOTAL"`)
			if asked, err := json.Marshal(body); err == nil {
				raw = asked
			}
		}
	}
	r.Out.Body, r.Out.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
}

func (c *counter) batchRead(requested json.RawMessage) {
	var tables map[string]struct {
		Keys           []json.RawMessage
		ConsistentRead json.RawMessage
	}
	if json.Unmarshal(requested, &tables) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, table := range tables {
		c.seen.ReadUnits["DynamoDB.BatchGetItem"] += share(table.ConsistentRead) * float64(len(table.Keys))
	}
}

// share is what a read costs, in consistent reads.
func share(consistent json.RawMessage) float64 {
	if string(consistent) == "true" {
		return 1
	}
	return 0.5
}

func (c *counter) payload(quoted json.RawMessage) {
	var input string
	if json.Unmarshal(quoted, &input) == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.seen.Payloads += price.Chunks(len(input))
	}
}

// rowOf is the row that is updated, with the call of a function that updates it: Lambda gives each call a trace id,
// which the SDK sends. It counts the update if that call's update of this row was refused before.
func (c *counter) rowOf(kind, trace string, body map[string]json.RawMessage) string {
	var name string
	rows := c.rows.Load()
	if kind != "DynamoDB.UpdateItem" || rows == nil || json.Unmarshal(body["TableName"], &name) != nil ||
		name != *rows {
		return ""
	}
	row := trace + " " + string(body["Key"])
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused[row] {
		c.seen.RepeatedUpdates++
		delete(c.refused, row)
	}
	return row
}

// kind is the call's service and name.
func kind(r *httputil.ProxyRequest) string {
	service, name, found := strings.Cut(r.In.Header.Get("X-Amz-Target"), ".")
	if found {
		for _, known := range []struct{ prefix, name string }{
			{"DynamoDBStreams", "DynamoDBStreams"}, {"DynamoDB", "DynamoDB"}, {"AmazonSQS", "SQS"},
			{"AWSStepFunctions", "States"},
		} {
			if strings.HasPrefix(service, known.prefix) {
				return known.name + "." + name
			}
		}
		return service + "." + name
	}
	if strings.HasSuffix(r.In.URL.Path, "/invocations") {
		return "Lambda.Invoke"
	}
	raw, err := io.ReadAll(r.In.Body)
	r.Out.Body, r.Out.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	if form, parseErr := url.ParseQuery(string(raw)); err == nil && parseErr == nil && form.Get("Action") != "" {
		return "SNS." + form.Get("Action")
	}
	return r.In.Method + " " + r.In.URL.Path
}

// capacity is a table's part in DynamoDB's answer.
type capacity struct{ CapacityUnits float64 }

func (c *counter) count(response *http.Response) error {
	made, _ := response.Request.Context().Value(callKey{}).(call)
	kind := made.kind
	var body []byte
	if strings.HasPrefix(kind, "DynamoDB.") || kind == "SQS.ReceiveMessage" ||
		response.StatusCode >= http.StatusBadRequest {
		var err error
		if body, err = io.ReadAll(response.Body); err != nil {
			return err
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
	}
	if strings.HasPrefix(kind, http.MethodGet+" ") {
		return nil // the functions open their connections when they start
	}
	if kind == "SQS.ReceiveMessage" && !bytes.Contains(body, []byte("ReceiptHandle")) {
		kind += " empty"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen.Kinds[kind]++
	c.seen.Seconds[kind] += time.Since(made.begun).Seconds()
	if response.StatusCode >= http.StatusBadRequest {
		c.seen.Failed[kind+" "+errorName(body)]++
		if made.row != "" && errorName(body) == "ConditionalCheckFailedException" {
			c.refused[made.row] = true
		}
	}
	c.consumed(made, body)
	return nil
}

func errorName(body []byte) string {
	var answer struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal(body, &answer)
	return answer.Type[strings.LastIndexAny(answer.Type, "#.")+1:]
}

// consumed adds the capacity that the engine reports, and what it does not report:
//   - a write whose condition failed is billed like one that took effect
//     (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html): 1 unit
//     for the small items here, 2 for each item of a transaction;
//   - a batch read consumes 1 unit for each small item, existing or not; a half unless it is consistent;
//   - a query's page consumes 1 unit for each 4 KiB that it read, or a half; the engine reports 1 for any size.
func (c *counter) consumed(made call, body []byte) {
	kind := made.kind
	var answer struct {
		ConsumedCapacity    json.RawMessage
		ScannedCount        int
		CancellationReasons []json.RawMessage
	}
	if json.Unmarshal(body, &answer) != nil {
		return
	}
	switch errorName(body) {
	case "ConditionalCheckFailedException":
		c.seen.WriteUnits[kind]++
	case "TransactionCanceledException":
		c.seen.WriteUnits[kind] += 2 * float64(len(answer.CancellationReasons))
	}
	switch strings.TrimPrefix(kind, "DynamoDB.") {
	case "Query":
		c.seen.ReadUnits[kind] += made.share * price.RowsUnits(answer.ScannedCount)
	case "GetItem":
		c.seen.ReadUnits[kind] += units(answer.ConsumedCapacity)
	case "UpdateItem", "TransactWriteItems", "PutItem", "DeleteItem", "BatchWriteItem":
		c.seen.WriteUnits[kind] += units(answer.ConsumedCapacity)
	}
}

// units reads ConsumedCapacity, of one table or of several.
func units(answer json.RawMessage) float64 {
	var all []capacity
	if json.Unmarshal(answer, &all) != nil {
		var one capacity
		if json.Unmarshal(answer, &one) != nil {
			return 0
		}
		all = []capacity{one}
	}
	sum := 0.0
	for _, used := range all {
		sum += used.CapacityUnits
	}
	return sum
}
