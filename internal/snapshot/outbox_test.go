package snapshot_test

import (
	"encoding/json"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// Each row is for owner "me", version 3, at now.
func TestEntry(t *testing.T) {
	t.Parallel()
	mine := delivered(3)
	mine.Owner = "me"
	for _, test := range []struct {
		name                                    string
		entry                                   snapshot.Entry
		settles, pending, pendingOfMe, freeToMe bool
	}{
		{"never written", snapshot.Entry{}, false, false, false, false},
		{"of another", entry(3, "other", time.Second), false, true, false, false},
		{"of another, at the end of the lease", entry(3, "other", 0), false, true, false, true},
		{"of another, lease over", entry(3, "other", -time.Hour), false, true, false, true},
		{"mine, lease over and not taken by another", entry(3, "me", -time.Hour), false, true, true, false},
		{"released by me", entry(3, "me", time.Hour).Released(), false, true, false, true},
		{"delivered", delivered(3), true, false, false, false},
		{"delivered by me", mine, true, false, false, false},
		{"of another version", entry(2, "other", -time.Hour), false, false, false, false},
		{"mine, of another version", entry(-3, "me", time.Second), false, false, false, false},
		{"delivered, of another version", delivered(4), false, false, false, false},
	} {
		e := test.entry
		got := [4]bool{e.Settles(3), e.Pending(3), e.PendingOf("me", 3), e.Free("me", 3, now)}
		if want := [4]bool{test.settles, test.pending, test.pendingOfMe, test.freeToMe}; got != want {
			t.Errorf("%s: settles, pending, pending of me, free to me: %v, want %v", test.name, got, want)
		}
	}
	if (snapshot.Entry{}).For(0) || !entry(0, "x", 0).For(0) { // an ordinary version
		t.Error("an entry that was never written is for version 0, or none is")
	}
}

// A message that several owners fail to deliver has been pending since the first of them.
func TestTakeAndReleased(t *testing.T) {
	t.Parallel()
	const lease = 10 * time.Minute
	earlier := now.Add(-time.Minute)
	for _, test := range []struct {
		name  string
		old   snapshot.Entry
		since time.Time
	}{
		{"never written", snapshot.Entry{}, now},
		{"of an owner whose lease has ended", entry(3, "other", 0), earlier},
		{"released", entry(3, "other", 0).Released(), earlier},
		{"of another version", entry(2, "other", 0), now},
		{"of another version, and delivered", delivered(2), now},
	} {
		want := snapshot.Entry{Version: n(3), Owner: "me", Since: test.since, Until: now.Add(lease)}
		if got := test.old.Take(3, "me", now, lease); got != want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, want)
		}
	}
	want := snapshot.Entry{Version: n(3), Since: earlier}
	if got := entry(3, "me", time.Hour).Released(); got != want {
		t.Errorf("released: %+v, want %+v", got, want)
	}
}

// Collections may have any name; executions have those of Step Functions.
func TestExecutionOf(t *testing.T) {
	t.Parallel()
	for _, collection := range []string{"db.a.b", "a/b", ""} {
		if got := snapshot.ExecutionOf(snapshot.Owner(execution, collection)); got != execution {
			t.Errorf("%q: %s", collection, got)
		}
	}
}

func outgoing(kind snapshot.Kind, run, collection string, version int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: run,
		CollectionName: collection}, Version: version}
}

func TestEventID(t *testing.T) {
	t.Parallel()
	request := func(run, collection string, version int64) snapshot.Outgoing {
		return outgoing(snapshot.SuccessFileRequest, run, collection, version)
	}
	// Do not change this value: consumers would take repeated messages for new ones.
	const stable = "107f2fe87a5433a02caacd61284450020a4816b75d5b0941a9c2083ed1ff51ff"
	if got := request("run-1", "db.a.b", 0).EventID(); got != stable {
		t.Errorf("got %s, want %s", got, stable)
	}
	seen := map[string]snapshot.Outgoing{}
	for _, out := range []snapshot.Outgoing{
		request("run", "c", 1), request("run", "c", 11), request("run", "c", -1), request("run", "c1", 1),
		request("run", "c 1", 1), request("run c", "", 1), request("run", "c\" \"", 1), request("run\" \"c", "", 1),
		request("run", "é", 1), request("run", "e\u0301", 1), request("run", `\u00e9`, 1), request("run", "C", 1),
		request("run", "", 1), outgoing(snapshot.AllReceived, "run", "", 1), outgoing(snapshot.AllReceived, "run", "",
			2),
		outgoing(snapshot.AllSuccessful, "run", "", 1),
	} {
		if other, ok := seen[out.EventID()]; ok {
			t.Errorf("%+v has the event id of %+v", out, other)
		}
		seen[out.EventID()] = out
	}
}

// The state machine passes messages as JSON.
func TestOutgoingJSON(t *testing.T) {
	t.Parallel()
	const text = `{"kind":"SUCCESS_FILE_REQUEST","correlation_id":"run-1","collection_name":"db.a.b","version":-3}`
	out := outgoing(snapshot.SuccessFileRequest, "run-1", "db.a.b", -3)
	if got, err := json.Marshal(out); err != nil || string(got) != text {
		t.Errorf("got %s, %v, want %s", got, err, text)
	}
	var back snapshot.Outgoing
	if err := json.Unmarshal([]byte(text), &back); err != nil || back != out {
		t.Errorf("got %+v, %v", back, err)
	}
}
