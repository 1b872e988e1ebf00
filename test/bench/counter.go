package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"snapshot-status-checker/internal/price"
)

// calls are calls to AWS, without the polls of streams and the receives of nothing.
type calls struct {
	Services map[string]int // by the service's name in X-Amz-Target, or SNS
	Payloads float64        // requests that EventBridge Pipes bills for the inputs of executions
	// capacity units of DynamoDB
	ReadUnits, WriteUnits float64
}

// The services' names.
const (
	dynamoService, queueService = "DynamoDB_20120810", "AmazonSQS"
	statesService, topicService = "AWSStepFunctions", "SNS"
)

// counter is a proxy of the engine that counts the calls. It asks DynamoDB for the capacity that each consumed.
type counter struct {
	*httptest.Server
	transport http.Transport
	mu        sync.Mutex
	engine    *url.URL
	seen      calls
}

func newCounter() *counter {
	c := &counter{transport: http.Transport{MaxIdleConnsPerHost: 200, DisableCompression: true}}
	c.take()
	proxy := &httputil.ReverseProxy{Transport: c, Rewrite: func(r *httputil.ProxyRequest) {
		c.mu.Lock()
		defer c.mu.Unlock()
		r.SetURL(c.engine)
	}}
	proxy.ErrorLog = log.New(io.Discard, "", 0) // polls that end with their pipe; what else fails is seen by its caller
	c.Server = httptest.NewServer(proxy)
	return c
}

// leadTo must be called before the first call.
func (c *counter) leadTo(endpoint string) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engine, err = url.Parse(endpoint); err != nil {
		return fmt.Errorf("reading the engine's address: %w", err)
	}
	return nil
}

// take returns the calls since the last take.
func (c *counter) take() calls {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = calls{Services: map[string]int{}}
	return seen
}

// RoundTrip calls the engine and counts the call.
func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked []byte
	if r.Body != nil {
		var err error
		if asked, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	service, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case service == dynamoService && operation != "BatchGetItem":
		asked = append(bytes.TrimSuffix(asked, []byte("}")), `,"ReturnConsumedCapacity":"TOTAL"}`...)
	case service == "" && bytes.HasPrefix(asked, []byte("Action=Publish&")):
		service = topicService
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(asked)), int64(len(asked))
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answered, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(answered))
	c.count(service, operation, asked, answered)
	return response, err
}

func (c *counter) count(service, operation string, asked, answered []byte) {
	empty := operation == "ReceiveMessage" && !bytes.Contains(answered, []byte("ReceiptHandle"))
	if empty || operation == "GetQueueUrl" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch service {
	case queueService, topicService:
	case statesService:
		var start struct{ Input string }
		_ = json.Unmarshal(asked, &start)
		c.seen.Payloads += price.Chunks(len(start.Input))
	case dynamoService:
		read, written := units(operation, asked, answered)
		c.seen.ReadUnits += read
		c.seen.WriteUnits += written
	default:
		return // a stream's poll, a function's connection at its start, or a call of the baseline's function
	}
	c.seen.Services[service]++
}

// units are the capacity that the engine reports, and what it does not report:
//   - a batch read consumes 1 unit for each small item, existing or not; a half unless it is consistent;
//   - a query's page consumes 1 unit for each 4 KiB that it read, or a half; the engine reports 1 for any size;
//   - a write whose condition failed is billed like one that took effect
//     (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html): 1 unit
//     for the small items here.
func units(operation string, asked, answered []byte) (read, written float64) {
	type reading struct {
		Keys           []json.RawMessage
		ConsistentRead bool
	}
	var request struct {
		reading
		RequestItems map[string]reading
	}
	var answer struct {
		Type             string `json:"__type"`
		ScannedCount     int
		ConsumedCapacity struct{ CapacityUnits float64 }
	}
	_, _ = json.Unmarshal(asked, &request), json.Unmarshal(answered, &answer) // what has another form costs nothing
	share := func(r reading) float64 {
		if r.ConsistentRead {
			return 1
		}
		return 0.5
	}
	switch operation {
	case "BatchGetItem":
		for _, table := range request.RequestItems {
			read += share(table) * float64(len(table.Keys))
		}
		return read, 0
	case "Query":
		return share(request.reading) * price.RowsUnits(answer.ScannedCount), 0
	case "GetItem":
		return answer.ConsumedCapacity.CapacityUnits, 0
	}
	if strings.HasSuffix(answer.Type, "#ConditionalCheckFailedException") {
		return 0, 1
	}
	return 0, answer.ConsumedCapacity.CapacityUnits
}
