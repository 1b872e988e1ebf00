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

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/trace"
)

const name = "run <1>&"

// watching plays with a server over a table, in a time of its own, and watches a topic meanwhile. What is told comes in
// told.
func watching(
	t *testing.T, db *counted, of topic, change func(*Source), play func(t *testing.T, s *Server, told *told),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		source := Source{Store: store.New(db, tables, store.Settings{}),
			Settings: report.Settings{StalledAfter: 1000 * time.Hour}, Now: time.Now}
		if change != nil {
			change(&source)
		}
		s, err := New(ctx, source, Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		var told told
		followed := make(chan struct{})
		go func() {
			defer close(followed)
			_ = s.hub.follow(ctx, of, func(last reading) error { told.add(last); return nil })
		}()
		synctest.Wait()
		play(t, s, &told)
		stop()
		<-followed
	})
}

// told are the readings that somebody who watches was told of.
type told struct {
	mu       sync.Mutex
	readings []reading
}

func (t *told) add(r reading) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readings = append(t.readings, r)
}

func (t *told) all() []reading {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.readings)
}

func (t *told) last() reading {
	all := t.all()
	return all[len(all)-1]
}

// wait lets time pass; what is told then has been told when it returns.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (c *counted) setRow(collection string, files int) {
	c.Put(tables.Status.At(name, collection), table.Item{"CollectionStatus": "Sent", "FilesSent": int64(10),
		"FilesReceived": int64(files)})
}

// addReceipts adds the receipts of so many messages, and a page of their digests.
func (c *counted) addReceipts(collection string, messages int) {
	partition := "collection#" + name + "#" + collection
	var digests []string
	for n := range messages {
		digest := fmt.Sprintf("%012d", n)
		digests = append(digests, digest)
		c.Put(tables.Ledger.At(partition, fmt.Sprintf("receipts#%06d", n)), table.Item{
			"Messages": fmt.Sprintf(`[{"id":"id-%d","file":"file-%d","digest":%q}]`, n, n,
				base64.StdEncoding.EncodeToString([]byte(digest))),
			"ReceivedAt":  int64(1000 + n),
			"ExecutionId": fmt.Sprintf("arn:aws:states:eu-west-1:111122223333:execution:checker:%06d", n)})
	}
	c.Put(tables.Ledger.At(partition, "page#000000"), table.Item{"Digests": table.NewBlobs(digests...)})
}

// A run that stands still is read twice in a minute, whoever watches it; the first change brings the shortest pause
// back.
func TestWatchingWhatStandsStillCostsLittle(t *testing.T) {
	t.Parallel()
	db := newDB(200)
	watching(t, db, topic{Of: ofRun, Run: name}, nil, func(t *testing.T, _ *Server, told *told) {
		wait(time.Second / 2)
		once := db.queries.Load() + db.batches.Load()
		wait(time.Hour)
		readings := len(told.all())
		t.Logf("a reading of 200 collections: %d calls; an hour in which nothing changes: %d readings, %d calls", once,
			readings, db.queries.Load()+db.batches.Load())
		if readings > 130 || told.last().Every != slowest {
			t.Errorf("%d readings in an hour, the pause is %s in the end; want two in a minute", readings,
				told.last().Every)
		}
		before := told.last().Version
		db.setRow("db.core.collection-00000", 7)
		wait(slowest)
		all, version := told.all(), told.last().Version
		if first := all[slices.IndexFunc(all,
			func(r reading) bool { return r.Version == version })]; first.Version == before || first.Every != oftenest {
			t.Errorf("after a change it is read every %s, and is another version: %t", first.Every,
				first.Version != before)
		}
	})
}

// What a page that is opened sees, those who watch are told as well.
func TestPageThatIsOpenedTellsThoseWhoWatch(t *testing.T) {
	t.Parallel()
	db := newDB(2)
	of := topic{Of: ofRun, Run: name}
	watching(t, db, of, nil, func(t *testing.T, s *Server, told *told) {
		wait(10*time.Minute + 5*time.Second) // in the middle of a pause
		db.setRow("db.core.collection-00000", 7)
		wait(oftenest)
		opened, err := s.hub.latest(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := told.last(); got.Version != opened.Version || got.Every != oftenest {
			t.Errorf("a page shows %s, those who watch know %s and are told more every %s", opened.Version, got.Version,
				got.Every)
		}
	})
}

// What stands around a run is part of what is watched, at its own pace. That it cannot be read is said, and said once.
func TestWhatStandsAroundIsNews(t *testing.T) {
	t.Parallel()
	var asked, kept atomic.Int64
	var broken atomic.Bool
	around := func(source *Source) {
		source.Around = func(context.Context, string) (report.Around, error) {
			n := asked.Add(1)
			if broken.Load() {
				return report.Around{}, fmt.Errorf("request %d failed", n)
			}
			return report.Around{Kept: int(kept.Load())}, nil
		}
	}
	db := newDB(5)
	watching(t, db, topic{Of: ofRun, Run: name}, around, func(t *testing.T, _ *Server, told *told) {
		versions := map[string]bool{}
		wait(time.Second / 2)
		versions[told.last().Version] = true
		kept.Store(3)
		wait(slowest)
		if seen := told.last().Value.(watchedRun); seen.Around.Kept != 3 {
			t.Errorf("told of %+v", seen.Around)
		}
		versions[told.last().Version] = true
		broken.Store(true)
		asked.Store(0)
		const while = 2 * time.Minute
		for i := range int(while / time.Second) { // so that the tables are read as often as may be
			db.setRow("db.core.collection-00000", i)
			wait(time.Second)
		}
		if n := asked.Load(); n > int64(while/besideEvery)+1 {
			t.Errorf("asked %d times in %s", n, while)
		}
		got := told.last()
		if seen := got.Value.(watchedRun); got.Err != nil || !strings.HasPrefix(seen.trouble, "request ") {
			t.Errorf("told %v, and of the trouble %q", got.Err, seen.trouble)
		}
		versions[got.Version] = true
		wait(5 * time.Minute)
		if versions[told.last().Version] = true; len(versions) != 3 || told.last().Every != slowest {
			t.Errorf("%d versions, want one with 3 kept, one of the trouble, and one before", len(versions))
		}
	})
}

// The list reads a run that has ended every few minutes, however often it reads those that go on.
func TestListReadsFinishedRunsSeldom(t *testing.T) {
	t.Parallel()
	db := newDB(2)
	register := func(run string, letGo bool) {
		db.Put(tables.Ledger.At("run", run), table.Item{"CorrelationId": run, "RegisteredAt": int64(1000),
			"Abandoned": letGo})
		db.Put(tables.Status.At(run, "db.core.a"), table.Item{"CollectionStatus": "Sent", "FilesSent": int64(2),
			"FilesReceived": int64(1)})
	}
	register(name, false)
	register("ended", true)
	watching(t, db, topic{Of: ofRuns}, nil, func(t *testing.T, _ *Server, told *told) {
		const while = 11 * time.Minute
		for i := range int(while / time.Second) {
			db.setRow("db.core.collection-00000", i)
			wait(time.Second)
		}
		if list, ok := told.last().Value.(runList); !ok || len(list.Runs) != 2 {
			t.Fatalf("told %+v", told.last())
		}
		if going, ended := db.queriesOf(name), db.queriesOf("ended"); going < 300 || ended != 3 {
			t.Errorf("in %s the run that goes on was read %d times, the one that ended %d times; want three", while,
				going, ended)
		}
	})
}

// Who watches a collection is told of it and its messages, and of nothing else in its run.
func TestCollectionIsWatchedAlone(t *testing.T) {
	t.Parallel()
	db := newDB(3)
	watching(t, db, topic{ofCollection, name, "db.core.collection-00001"}, nil, func(t *testing.T, _ *Server,
		told *told) {
		wait(time.Second / 2)
		before := told.last().Version
		is := func(what string, another bool) {
			t.Helper()
			wait(time.Minute)
			if got := told.last().Version; (got != before) != another {
				t.Errorf("%s: another version: %t, want %t", what, got != before, another)
			}
			before = told.last().Version
		}
		db.setRow("db.core.collection-00002", 7)
		is("another collection", false)
		db.setRow("db.core.collection-00001", 7)
		is("its row", true)
		db.addReceipts("db.core.collection-00001", 1)
		is("its messages", true)
	})
}

// states answers as Step Functions does for a state machine without executions, but those that are asked for by name.
type states struct{ lists, described atomic.Int64 }

func (s *states) Do(r *http.Request) (*http.Response, error) {
	answer := `{"executions": []}`
	switch target := r.Header.Get("X-Amz-Target"); {
	case strings.HasSuffix(target, ".ListExecutions"):
		s.lists.Add(1)
	case strings.HasSuffix(target, ".DescribeExecution"):
		s.described.Add(1)
		answer = `{"executionArn": "x", "stateMachineArn": "x", "status": "SUCCEEDED", "startDate": 1000}`
	default:
		return nil, errors.New("unexpected call of " + target)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewBufferString(answer)), Request: r}, nil
}

// The page of executions reads what it shows every five seconds at most, whoever opens it and however often, and of the
// receipts a bounded number; it is another version only if it shows something else.
func TestExecutionsAreReadSeldom(t *testing.T) {
	t.Parallel()
	db := newDB(8)
	db.PageSize = 1000
	for i := range 8 {
		db.addReceipts(fmt.Sprintf("db.core.collection-%05d", i), 5000)
	}
	var machine states
	source := func(source *Source) {
		source.Trace = &trace.Reader{Machine: "arn:aws:states:eu-west-1:111122223333:stateMachine:checker",
			SFN: sfn.New(sfn.Options{Region: "eu-west-1", HTTPClient: &machine,
				Credentials: credentials.NewStaticCredentialsProvider("x", "y", "")})}
	}
	of := topic{Of: ofExecutions, Run: name}
	watching(t, db, of, source, func(t *testing.T, s *Server, told *told) {
		wait(time.Second / 2)
		once, receipts := machine.lists.Load(), 0
		t.Logf("a reading: %d lists of executions, %d executions, %d queries and %d batches", once,
			machine.described.Load(), db.queries.Load(), db.batches.Load())
		for i := range 8 {
			receipts += db.queriesOf(fmt.Sprintf("collection#%s#db.core.collection-%05d", name, i))
		}
		if most := askedCollections * (sampledMessages/db.PageSize + 1); receipts > most {
			t.Errorf("%d pages of receipts were read, want %d at most", receipts, most)
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
		if n, most := machine.lists.Load(), once*(int64(while/besideEvery)+1); n > most || len(versions) != 1 {
			t.Errorf("listed %d times in %s, want %d at most; %d versions of one state", n, while, most, len(versions))
		}
	})
}
