package page

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/trace"
)

// viewTopic views a topic of a server over a table, in a synctest bubble, while play runs.
func viewTopic(
	t *testing.T, db *countingDB, of topic, change func(*Source), play func(t *testing.T, s *Server, sent *readings),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		source := newSource(db)
		source.Settings = report.Settings{StalledAfter: 1000 * time.Hour}
		if change != nil {
			change(&source)
		}
		s, err := New(ctx, source, Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		var sent readings
		var viewing sync.WaitGroup
		viewing.Go(func() {
			_ = s.hub.follow(ctx, of, func(last reading) error { sent.add(last); return nil })
		})
		synctest.Wait()
		play(t, s, &sent)
		stop()
		viewing.Wait()
	})
}

// readings are those that a viewer was sent.
type readings struct {
	mu  sync.Mutex
	all []reading
}

func (r *readings) add(last reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, last)
}

func (r *readings) list() []reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func (r *readings) last() reading {
	all := r.list()
	return all[len(all)-1]
}

// wait lets time pass, and the viewer receive what is sent by then.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
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

// An unchanged run is read twice a minute. A change resets the interval.
func TestUnchangedRunIsReadSeldom(t *testing.T) {
	t.Parallel()
	db := newDB(200)
	viewTopic(t, db, topic{Kind: runTopic, Run: runID}, nil, func(t *testing.T, _ *Server, sent *readings) {
		wait(time.Second / 2)
		once := db.queries.Load() + db.batches.Load()
		wait(time.Hour)
		before, n := sent.last(), len(sent.list())
		t.Logf("a reading of 200 collections: %d calls; an hour without a change: %d readings, %d calls", once, n,
			db.queries.Load()+db.batches.Load())
		if n > 130 || before.Every != maxInterval {
			t.Errorf("%d readings in an hour, the last interval is %s; want two a minute", n, before.Every)
		}
		db.row(runID, collectionName(0), "Sent", 7)
		wait(maxInterval)
		after := sent.list()[n:]
		changed := slices.IndexFunc(after, func(r reading) bool { return r.Version != before.Version })
		if changed < 0 || after[changed].Every != minInterval {
			t.Errorf("after a change at %d: %+v", changed, after)
		}
	})
}

func TestOpenedPageUpdatesViewers(t *testing.T) {
	t.Parallel()
	db, of := newDB(2), topic{Kind: runTopic, Run: runID}
	viewTopic(t, db, of, nil, func(t *testing.T, s *Server, sent *readings) {
		wait(10*time.Minute + 5*time.Second) // within an interval
		db.row(runID, collectionName(0), "Sent", 7)
		wait(minInterval)
		opened, err := s.hub.latest(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := sent.last(); got.Version != opened.Version || got.Every != minInterval {
			t.Errorf("a page shows %s, viewers were sent %s every %s", opened.Version, got.Version, got.Every)
		}
	})
}

// A run's topic includes its surroundings, which are read at their own interval. That they cannot be read is one
// change, although the error's text differs each time.
func TestRunIsUpdatedWithItsSurroundings(t *testing.T) {
	t.Parallel()
	var calls, inQueue atomic.Int64
	var broken atomic.Bool
	around := func(source *Source) {
		source.Around = func(context.Context, string) (report.Evidence, error) {
			n := calls.Add(1)
			if broken.Load() {
				return report.Evidence{}, fmt.Errorf("request %d failed", n)
			}
			return report.Evidence{Rejected: int(inQueue.Load())}, nil
		}
	}
	db := newDB(5)
	viewTopic(t, db, topic{Kind: runTopic, Run: runID}, around, func(t *testing.T, _ *Server, sent *readings) {
		versions := map[string]bool{}
		wait(time.Second / 2)
		versions[sent.last().Version] = true
		inQueue.Store(3)
		wait(maxInterval)
		if live := sent.last().Value.(liveRun); live.Around.Rejected != 3 {
			t.Errorf("sent %+v", live.Around)
		}
		versions[sent.last().Version] = true
		broken.Store(true)
		calls.Store(0)
		const while = 2 * time.Minute
		for i := range int(while / time.Second) { // so that the tables are read at the shortest interval
			db.row(runID, collectionName(0), "Sent", i)
			wait(time.Second)
		}
		if n := calls.Load(); n > int64(while/surroundingsInterval)+1 {
			t.Errorf("%d calls in %s", n, while)
		}
		got := sent.last()
		if live := got.Value.(liveRun); got.Err != nil || !strings.HasPrefix(live.err, "request ") {
			t.Errorf("sent the error %v, and of the surroundings %q", got.Err, live.err)
		}
		versions[got.Version] = true
		wait(5 * time.Minute)
		if versions[sent.last().Version] = true; len(versions) != 3 || sent.last().Every != maxInterval {
			t.Errorf("%d versions, want one before, one with 3 messages, and one with the error", len(versions))
		}
	})
}

func TestEndedRunsAreListedFromTheCache(t *testing.T) {
	t.Parallel()
	db := newDB(2)
	for run, abandoned := range map[string]bool{runID: false, "ended": true} {
		db.Put(tables.Ledger.At("run", run), table.Item{"CorrelationId": run, "RegisteredAt": int64(1000),
			"Abandoned": abandoned})
		db.row(run, "db.core.a", "Sent", 1)
	}
	viewTopic(t, db, topic{Kind: runsTopic}, nil, func(t *testing.T, _ *Server, sent *readings) {
		const while = 11 * time.Minute
		for i := range int(while / time.Second) {
			db.row(runID, collectionName(0), "Sent", i)
			wait(time.Second)
		}
		if list, ok := sent.last().Value.(runList); !ok || len(list.Runs) != 2 {
			t.Fatalf("sent %+v", sent.last())
		}
		if inProgress, ended := db.queriesOf(runID), db.queriesOf("ended"); inProgress < 300 || ended != 3 {
			t.Errorf("in %s the run in progress was read %d times, the ended one %d times; want 300, and 3", while,
				inProgress, ended)
		}
	})
}

// A collection's topic changes with its row and its messages, and not with the rest of the run.
func TestCollectionIsUpdatedAlone(t *testing.T) {
	t.Parallel()
	db := newDB(3)
	of := topic{collectionTopic, runID, collectionName(1)}
	viewTopic(t, db, of, nil, func(t *testing.T, _ *Server, sent *readings) {
		wait(time.Second / 2)
		before := sent.last().Version
		check := func(what string, changes bool) {
			t.Helper()
			wait(time.Minute)
			if got := sent.last().Version; (got != before) != changes {
				t.Errorf("%s: changed: %t, want %t", what, got != before, changes)
			}
			before = sent.last().Version
		}
		db.row(runID, collectionName(2), "Sent", 7)
		check("another collection", false)
		db.row(runID, collectionName(1), "Sent", 7)
		check("its row", true)
		db.addReceipts(collectionName(1), 1)
		check("its messages", true)
	})
}

// fakeMachine answers as Step Functions does for a state machine that lists no executions and knows each by its name.
type fakeMachine struct{ lists, described atomic.Int64 }

func (m *fakeMachine) Do(r *http.Request) (*http.Response, error) {
	answer := `{"executions": []}`
	switch target := r.Header.Get("X-Amz-Target"); {
	case strings.HasSuffix(target, ".ListExecutions"):
		m.lists.Add(1)
	case strings.HasSuffix(target, ".DescribeExecution"):
		m.described.Add(1)
		answer = `{"executionArn": "x", "stateMachineArn": "x", "status": "SUCCEEDED", "startDate": 1000}`
	default:
		return nil, errors.New("unexpected call of " + target)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewBufferString(answer)), Request: r}, nil
}

// The executions of a run are read at most every five seconds, with a bounded number of receipts. An equal result has
// an equal version.
func TestExecutionsAreReadSeldom(t *testing.T) {
	t.Parallel()
	db := newDB(8)
	db.PageSize = 1000
	for i := range 8 {
		db.addReceipts(collectionName(i), 5000)
	}
	var machine fakeMachine
	source := func(source *Source) {
		source.Trace = &trace.Reader{Machine: "arn:aws:states:eu-west-1:111122223333:stateMachine:checker",
			SFN: sfn.New(sfn.Options{Region: "eu-west-1", HTTPClient: &machine,
				Credentials: credentials.NewStaticCredentialsProvider("x", "y", "")})}
	}
	of := topic{Kind: executionsTopic, Run: runID}
	viewTopic(t, db, of, source, func(t *testing.T, s *Server, _ *readings) {
		wait(time.Second / 2)
		once, pages := machine.lists.Load(), 0
		t.Logf("a reading: %d lists of executions, %d executions, %d queries and %d batches", once,
			machine.described.Load(), db.queries.Load(), db.batches.Load())
		for i := range 8 {
			pages += db.queriesOf("collection#" + runID + "#" + collectionName(i))
		}
		if limit := lookupCollections * (sampledReceipts/db.PageSize + 1); pages > limit {
			t.Errorf("%d pages of receipts were read, want %d at most", pages, limit)
		}
		versions := map[string]bool{}
		const while = time.Minute
		for range int(while / (100 * time.Millisecond)) {
			opened, err := s.hub.latest(t.Context(), of)
			if found, ok := opened.Value.(trace.Found); err != nil || !ok || len(found.Executions) == 0 {
				t.Fatal(opened.Value, err)
			}
			versions[opened.Version] = true
			wait(100 * time.Millisecond)
		}
		if n, limit := machine.lists.Load(), once*(int64(while/surroundingsInterval)+1); n > limit ||
			len(versions) != 1 {
			t.Errorf("listed %d times in %s, want %d at most; %d versions of one state", n, while, limit, len(versions))
		}
	})
}
