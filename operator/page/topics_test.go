package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/trace"
)

// viewer views a topic's updates. It lives in a synctest bubble, so it is only read while nothing else runs.
type viewer struct {
	testPages
	stream *httptest.ResponseRecorder
}

// viewTopic views a topic of pages over a table while play runs.
func viewTopic(t *testing.T, db *countingDB, of topic, change func(*Source), play func(v viewer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		source := newSource(db)
		source.Settings = report.Settings{StalledAfter: 1000 * time.Hour}
		if change != nil {
			change(&source)
		}
		v := viewer{newPages(t, source, Options{}), httptest.NewRecorder()}
		request := httptest.NewRequestWithContext(t.Context(), "GET", "/events?"+of.String(), nil)
		go v.handler.ServeHTTP(v.stream, request)
		v.wait(time.Second / 2)
		play(v)
	})
}

// wait lets time pass, and the viewer receive what is sent by then.
func (v viewer) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// updates are those that the viewer was sent.
func (v viewer) updates() (all []update) {
	v.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(v.stream.Body.String()), "\n\n") {
		var one update
		if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &one); err != nil {
			v.Fatalf("%q: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

func (v viewer) last() update {
	v.Helper()
	all := v.updates()
	return all[len(all)-1]
}

var ofRun = topic{Kind: runTopic, Run: runID}

// An unchanged run is read twice a minute. A change resets the interval. A page that is opened meanwhile shows it to
// all viewers.
func TestUnchangedRunIsReadSeldom(t *testing.T) {
	t.Parallel()
	db := newDB(200)
	viewTopic(t, db, ofRun, nil, func(v viewer) {
		once := db.calls
		v.wait(time.Hour)
		before, n := v.last(), len(v.updates())
		v.Logf("a reading of 200 collections: %d calls; an hour without a change: %d readings, %d calls", once, n,
			db.calls)
		if n > 125 || before.Every != maxInterval.Milliseconds() {
			v.Errorf("%d readings in an hour, the last interval is %d ms; want two a minute", n, before.Every)
		}
		db.row(runID, collectionName(0), "Sent", 7)
		v.wait(maxInterval)
		changed := v.updates()[n]
		if changed.Version == before.Version || changed.Every != minInterval.Milliseconds() {
			v.Errorf("after a change: %+v, before: %+v", changed, before)
		}
		v.wait(10*time.Minute + 5*time.Second) // within an interval
		db.row(runID, collectionName(0), "Sent", 8)
		v.wait(minInterval)
		page := v.get("/run", "id", runID)
		synctest.Wait()
		if got := v.last(); got.Version == changed.Version || !strings.Contains(page, got.Version) ||
			got.Every != minInterval.Milliseconds() {
			v.Errorf("viewers were sent %+v", got)
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
	viewTopic(t, db, ofRun, around, func(v viewer) {
		versions := map[string]bool{v.last().Version: true}
		inQueue.Store(3)
		v.wait(maxInterval)
		v.want(v.get("/run", "id", runID), "3 messages in the rejected-messages queue")
		versions[v.last().Version] = true
		broken.Store(true)
		calls.Store(0)
		const while = 2 * time.Minute
		for i := range int(while / time.Second) { // so that the tables are read at the shortest interval
			db.row(runID, collectionName(0), "Sent", i)
			v.wait(time.Second)
		}
		if n := calls.Load(); n > int64(while/surroundingsInterval)+1 {
			v.Errorf("%d calls in %s", n, while)
		}
		v.want(v.get("/run", "id", runID), "Queues and executions could not be read: request ")
		versions[v.last().Version] = true
		v.wait(5 * time.Minute)
		versions[v.last().Version] = true
		if got := v.last(); len(versions) != 3 || got.Error != "" || got.Every != maxInterval.Milliseconds() {
			v.Errorf("%d versions, want one before, one with 3 messages, and one with the error; sent %+v",
				len(versions), got)
		}
	})
}

func TestEndedRunsAreListedFromTheCache(t *testing.T) {
	t.Parallel()
	db := newDB(2)
	db.register(runID, time.Now())
	db.Put(tables.Ledger.At("run", "ended"), table.Item{"CorrelationId": "ended", "RegisteredAt": int64(1000),
		"Abandoned": true})
	db.row("ended", "db.core.a", "Sent", 1)
	viewTopic(t, db, topic{Kind: runsTopic}, nil, func(v viewer) {
		const while = 11 * time.Minute
		for i := range int(while / time.Second) {
			db.row(runID, collectionName(0), "Sent", i)
			v.wait(time.Second)
		}
		v.want(v.get("/"), "run &lt;1&gt;&amp;", "ended")
		if inProgress, ended := db.queries[runID], db.queries["ended"]; inProgress < 300 || ended != 3 {
			v.Errorf("in %s the run in progress was read %d times, the ended one %d times; want 300, and 3", while,
				inProgress, ended)
		}
	})
}

// A collection's topic changes with its row and its messages, and not with the rest of the run.
func TestCollectionIsUpdatedAlone(t *testing.T) {
	t.Parallel()
	db := newDB(3)
	viewTopic(t, db, topic{collectionTopic, runID, collectionName(1)}, nil, func(v viewer) {
		before := v.last().Version
		check := func(what string, changes bool) {
			v.Helper()
			v.wait(time.Minute)
			if got := v.last().Version; (got != before) != changes {
				v.Errorf("%s: changed: %t, want %t", what, got != before, changes)
			}
			before = v.last().Version
		}
		db.row(runID, collectionName(2), "Sent", 7)
		check("another collection", false)
		db.row(runID, collectionName(1), "Sent", 7)
		check("its row", true)
		db.addReceipts(collectionName(1), filesPerPage+1)
		check("its messages", true)
		v.want(v.get("/collection", "run", runID, "name", collectionName(1), "page", 2), "First file counted.",
			"File 201, the latest so far, counted.", "page 2 of 2, 201 messages", ">file-0<")
	})
}

// fakeMachine answers as Step Functions does for a state machine that lists no executions and knows each by its name.
type fakeMachine struct{ lists atomic.Int64 }

func (m *fakeMachine) Do(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListExecutions") {
		m.lists.Add(1)
		return awsAnswer(r, map[string]any{"executions": []any{}})
	}
	return awsAnswer(r, map[string]any{"executionArn": "x", "stateMachineArn": "x", "status": "SUCCEEDED",
		"startDate": 1000})
}

// The executions of a run are read at most every five seconds, with a bounded number of receipts. An equal result has
// an equal version.
func TestExecutionsAreReadSeldom(t *testing.T) {
	t.Parallel()
	db := newDB(8)
	db.PageSize = 1000
	for i := range 8 {
		db.addReceipts(collectionName(i), sampledReceipts+500)
	}
	var machine fakeMachine
	source := func(source *Source) {
		source.Trace = &trace.Reader{Machine: "arn:aws:states:eu-west-1:111122223333:stateMachine:checker",
			SFN: sfn.New(sfn.Options{Region: "eu-west-1", HTTPClient: &machine, Credentials: noCredentials})}
	}
	viewTopic(t, db, topic{Kind: executionsTopic, Run: runID}, source, func(v viewer) {
		once, queries := machine.lists.Load(), 0
		for i := range 8 {
			queries += db.queries["collection#"+runID+"#"+collectionName(i)]
		}
		if limit := lookupCollections * (sampledReceipts/db.PageSize + 1); queries > limit {
			v.Errorf("%d pages of receipts were read, want %d at most", queries, limit)
		}
		const while = time.Minute
		for range int(while / time.Second) {
			v.want(v.get("/executions", "run", runID), "SUCCEEDED", v.updates()[0].Version)
			v.wait(time.Second)
		}
		if n, limit := machine.lists.Load(), once*(int64(while/surroundingsInterval)+1); n > limit {
			v.Errorf("listed %d times in %s, want %d at most", n, while, limit)
		}
	})
}

// While files arrive, the page of a run says when all will have arrived, and what that means for the deadline. That the
// forecast ends is a change, too. Later, page and list show that the run is late.
func TestForecastAndDeadline(t *testing.T) {
	t.Parallel()
	const expected, badge = "<dt>All files expected</dt>", `<span class="badge bad">late</span>`
	db := newDB(0)
	db.row(runID, "a", "Sent", 1)
	late := func(source *Source) {
		db.register(runID, time.Now())
		source.Settings.LateAfter = snapshot.LateAfter{"full": time.Hour}
	}
	viewTopic(t, db, ofRun, late, func(v viewer) {
		lacks := func(page string, texts ...string) {
			v.Helper()
			for _, text := range texts {
				if strings.Contains(page, text) {
					v.Errorf("the page shows %q:\n%s", text, page)
				}
			}
		}
		lacks(v.get("/run", "id", runID), expected, badge, "<dt>Late since</dt>")
		db.row(runID, "a", "Sent", 2)
		v.wait(time.Second)
		for range 2 { // a reading that several pages share counts once
			v.want(v.get("/run", "id", runID), expected, " UTC, 59m before the deadline", "<dt>Deadline</dt>")
		}
		arriving := v.last()
		if want := (point{At: time.Now().Unix(), Files: 2, Sent: 10}); *arriving.Point != want {
			v.Errorf("sent the point %+v, want %+v", *arriving.Point, want)
		}
		v.wait(10 * time.Minute)
		lacks(v.get("/run", "id", runID), expected)
		lacks(v.get("/"), badge)
		if v.last().Version == arriving.Version {
			v.Error("the end of the forecast is no change")
		}
		v.wait(time.Hour)
		v.want(v.get("/"), badge)
		page := v.get("/run", "id", runID)
		v.want(page, badge, "<dt>Late since</dt>")
		lacks(page, "<dt>Deadline</dt>")
	})
}
