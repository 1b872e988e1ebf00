package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The counter counts an update of a row that follows a refused one by the same call of a function, and no other.
func TestRepeatedUpdates(t *testing.T) {
	t.Parallel()
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Refuse") != "" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}`))
		}
	}))
	t.Cleanup(engine.Close)
	c := newCounter()
	t.Cleanup(func() { _ = c.close() })
	if err := c.leadTo(engine.URL); err != nil {
		t.Fatal(err)
	}
	rows := "statuses"
	c.rows.Store(&rows)
	update := func(table, row, trace string, refuse bool) {
		body := strings.NewReader(`{"TableName":"` + table + `","Key":{"K":{"S":"` + row + `"}}}`)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url(), body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Amz-Target", "DynamoDB_20120810.UpdateItem")
		request.Header.Set("X-Amzn-Trace-Id", trace)
		if refuse {
			request.Header.Set("Refuse", "yes")
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	update("statuses", "a", "1", true)
	update("statuses", "a", "2", false) // another call
	update("statuses", "b", "1", false) // another row
	update("ledger", "a", "1", true)    // another table
	update("ledger", "a", "1", false)
	if got := c.take().RepeatedUpdates; got != 0 {
		t.Errorf("%d repeated updates, want none", got)
	}
	update("statuses", "a", "1", true)
	update("statuses", "a", "1", true)
	update("statuses", "a", "1", false)
	update("statuses", "a", "1", false)
	seen := c.take()
	if seen.RepeatedUpdates != 2 || seen.Kinds["DynamoDB.UpdateItem"] != 4 ||
		seen.WriteUnits["DynamoDB.UpdateItem"] != 2 {
		t.Errorf("got %+v, want 2 repeated of 4", seen)
	}
}

// Reads that are not consistent cost half.
func TestReadUnits(t *testing.T) {
	t.Parallel()
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"ScannedCount":25,"ConsumedCapacity":{"CapacityUnits":1}}`)) // 25 rows are 2 units
	}))
	t.Cleanup(engine.Close)
	c := newCounter()
	t.Cleanup(func() { _ = c.close() })
	if err := c.leadTo(engine.URL); err != nil {
		t.Fatal(err)
	}
	for _, read := range []struct {
		operation, body string
		want            float64
	}{
		{"Query", `{"ConsistentRead":true}`, 2}, {"Query", `{"ConsistentRead":false}`, 1}, {"Query", `{}`, 1},
		{"BatchGetItem", `{"RequestItems":{"a":{"Keys":[{},{}],"ConsistentRead":true},"b":{"Keys":[{}]}}}`, 2.5},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url(), strings.NewReader(read.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+read.operation)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := c.take().readUnits(); got != read.want {
			t.Errorf("%s %s: %g read units, want %g", read.operation, read.body, got, read.want)
		}
	}
}
