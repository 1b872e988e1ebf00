package page

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/operator/report"
)

var tables = store.NewTables("status", "ledger")

const runID = "run <1>&"

func collectionName(i int) string { return fmt.Sprintf("db.core.collection-%05d", i) }

// countingDB is a table that counts what is read of it.
type countingDB struct {
	*memory.DB
	mu      sync.Mutex
	calls   int
	queries map[string]int // by partition
}

// newDB holds a run of so many collections.
func newDB(collections int) *countingDB {
	db := &countingDB{DB: &memory.DB{}, queries: map[string]int{}}
	statuses := []string{"Sent", "Exporting", "Received", "Success", "Table_Unavailable"}
	for i := range collections {
		db.row(runID, collectionName(i), statuses[i%len(statuses)], i%10)
	}
	return db
}

func (c *countingDB) Query(ctx context.Context, query table.Query) (table.Page, error) {
	c.mu.Lock()
	c.calls++
	c.queries[query.Partition]++
	c.mu.Unlock()
	return c.DB.Query(ctx, query)
}

func (c *countingDB) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	c.mu.Lock()
	c.calls++
	c.mu.Unlock()
	return c.DB.GetMany(ctx, reads)
}

// row writes a row of 10 files sent.
func (c *countingDB) row(run, collection, status string, received int) {
	c.Put(tables.Status.At(run, collection), table.Item{"CollectionStatus": status, "FilesSent": int64(10),
		"FilesReceived": int64(received)})
}

// register stores the run's item, as its first message does.
func (c *countingDB) register(run string, at time.Time) {
	c.Put(tables.Ledger.At("run", run), table.Item{"CorrelationId": run, "RegisteredAt": at.Unix(),
		"SnapshotType": "full", "ExportDate": "2026-11-22"})
}

// addReceipts adds so many receipts, and a page of their digests.
func (c *countingDB) addReceipts(collection string, n int) {
	partition := "collection#" + runID + "#" + collection
	var digests []string
	for i := range n {
		digest := fmt.Sprintf("%012d", i)
		digests = append(digests, digest)
		c.Put(tables.Ledger.At(partition, fmt.Sprintf("receipts#%06d", i)), table.Item{
			"Messages": fmt.Sprintf(`[{"id":"id-%d","file":"file-%d","digest":%q}]`, i, i,
				base64.StdEncoding.EncodeToString([]byte(digest))),
			"ReceivedAt":  int64(1000 + i),
			"ExecutionId": fmt.Sprintf("arn:aws:states:eu-west-1:111122223333:execution:checker:%06d", i)})
	}
	c.Put(tables.Ledger.At(partition, "page#000000"), table.Item{"Digests": table.NewBlobs(digests...)})
}

func newSource(db table.DB) Source {
	return Source{Stack: "test", Now: time.Now, Settings: report.Settings{StalledAfter: time.Hour},
		Store:     store.New(db, tables, store.Settings{}),
		Reconcile: func(context.Context, []snapshot.CollectionKey) error { return nil }}
}

// awsAnswer is an answer of AWS in JSON.
func awsAnswer(request *http.Request, answer any) (*http.Response, error) {
	text, err := json.Marshal(answer)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewReader(text)), Request: request}, err
}

var noCredentials = credentials.NewStaticCredentialsProvider("x", "y", "")

// testPages are pages without a network.
type testPages struct {
	*testing.T
	*Server
	handler http.Handler
}

func newPages(t *testing.T, source Source, options Options) testPages {
	t.Helper()
	options.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	options.Hosts = append(options.Hosts, "example.com") // of httptest's requests
	server, err := New(t.Context(), source, options)
	if err != nil {
		t.Fatal(err)
	}
	return testPages{t, server, server.Handler()}
}

// answer is an answer of the server, perhaps with the address to which it redirects.
type answer struct {
	status int
	header http.Header
	text   string
	path   string // of that address
	notice string
}

// send sends a request, with a form if it is not nil.
func (p testPages) send(method, path string, form url.Values, change func(*http.Request)) answer {
	p.Helper()
	request := httptest.NewRequestWithContext(p.Context(), method, path, strings.NewReader(form.Encode()))
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(request)
	}
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, request)
	target, err := url.Parse(recorder.Header().Get("Location"))
	if err != nil {
		p.Fatal(err)
	}
	return answer{recorder.Code, recorder.Header(), recorder.Body.String(), target.Path, target.Query().Get("notice")}
}

// get returns a page.
func (p testPages) get(path string, pairs ...any) string {
	p.Helper()
	got := p.send("GET", link(path, pairs...), nil, nil)
	if got.status != http.StatusOK {
		p.Fatal(got.status, got.text)
	}
	return got.text
}

func (p testPages) post(path string, pairs ...string) answer {
	p.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return p.send("POST", path, form, nil)
}

// want checks that a page shows some texts.
func (p testPages) want(page string, texts ...string) {
	p.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			p.Errorf("the page lacks %q:\n%s", text, page)
		}
	}
}
