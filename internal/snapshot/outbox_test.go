package snapshot_test

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

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
		{"mine", entry(3, "me", time.Second), false, true, true, false},
		{"mine, lease over and not taken by another", entry(3, "me", -time.Hour), false, true, true, false},
		{"released", entry(3, "other", time.Hour).Released(), false, true, false, true},
		{"released by me", entry(3, "me", time.Hour).Released(), false, true, false, true},
		{"delivered", delivered(3), true, false, false, false},
		{"delivered by me", mine, true, false, false, false},
		{"of another version", entry(2, "other", -time.Hour), false, false, false, false},
		{"mine, of another version", entry(2, "me", time.Second), false, false, false, false},
		{"delivered, of another version", delivered(4), false, false, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := test.entry
			got := [4]bool{e.Settles(3), e.Pending(3), e.PendingOf("me", 3), e.Free("me", 3, now)}
			if want := [4]bool{test.settles, test.pending, test.pendingOfMe, test.freeToMe}; got != want {
				t.Errorf("settles, pending, pending of me, free to me: %v, want %v", got, want)
			}
		})
	}
}

// Version 0 and negative versions are ordinary versions; the zero Entry has none.
func TestTheZeroEntryHasNoVersion(t *testing.T) {
	t.Parallel()
	if (snapshot.Entry{}).For(0) || (snapshot.Entry{}).Pending(0) {
		t.Error("an entry that was never written is for version 0")
	}
	if !entry(0, "x", 0).For(0) || !entry(-2, "x", 0).For(-2) || entry(-2, "x", 0).For(2) {
		t.Error("an entry is not for its own version alone")
	}
}

// A message that several owners fail to deliver has been pending since the first of them.
func TestTake(t *testing.T) {
	t.Parallel()
	const lease = 10 * time.Minute
	earlier := now.Add(-time.Hour)
	for _, test := range []struct {
		name  string
		old   snapshot.Entry
		since time.Time
	}{
		{"never written", snapshot.Entry{}, now},
		{"of an owner whose lease has ended", snapshot.Entry{Version: n(3), Owner: "other", Since: earlier, Until: now},
			earlier},
		{"released", snapshot.Entry{Version: n(3), Since: earlier}, earlier},
		{"of another version", snapshot.Entry{Version: n(2), Owner: "other", Since: earlier, Delivered: true}, now},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := snapshot.Entry{Version: n(3), Owner: "me", Since: test.since, Until: now.Add(lease)}
			if got := test.old.Take(3, "me", now, lease); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestReleasedKeepsSinceWhen(t *testing.T) {
	t.Parallel()
	want := snapshot.Entry{Version: n(3), Since: now.Add(-time.Minute)}
	if got := entry(3, "me", time.Hour).Released(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Collections may have any name; executions have those of Step Functions.
func TestExecutionOf(t *testing.T) {
	t.Parallel()
	for _, execution := range []string{"arn:aws:states:eu-west-1:123456789012:execution:checker:e1",
		"arn:aws:states:eu-west-1:123456789012:express:checker:e1:x-1"} {
		for _, collection := range []string{"db.a.b", "a/b", ""} {
			if got := snapshot.ExecutionOf(snapshot.Owner(execution, collection)); got != execution {
				t.Errorf("%q of %s: %s", collection, execution, got)
			}
		}
	}
}

func TestWanted(t *testing.T) {
	t.Parallel()
	if snapshot.AllReceived.Wanted() != snapshot.Received || snapshot.AllSuccessful.Wanted() != snapshot.Success {
		t.Error("a notification wants another status than its own")
	}
}

func outgoing(kind snapshot.Kind, run, collection string, version int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: run,
		CollectionName: collection}, Version: version}
}

// Do not change this value: consumers would take repeated messages for new ones.
func TestEventIDIsStable(t *testing.T) {
	t.Parallel()
	const want = "107f2fe87a5433a02caacd61284450020a4816b75d5b0941a9c2083ed1ff51ff"
	if got := outgoing(snapshot.SuccessFileRequest, "run-1", "db.a.b", 0).EventID(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEventIDsOfMessagesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]snapshot.Outgoing{}
	for _, out := range []snapshot.Outgoing{
		outgoing(snapshot.SuccessFileRequest, "run", "c", 1), outgoing(snapshot.SuccessFileRequest, "run", "c", 11),
		outgoing(snapshot.SuccessFileRequest, "run", "c", -1), outgoing(snapshot.SuccessFileRequest, "run", "c1", 1),
		outgoing(snapshot.SuccessFileRequest, "run", "c 1", 1), outgoing(snapshot.SuccessFileRequest, "run c", "", 1),
		outgoing(snapshot.SuccessFileRequest, "run", "c\" \"", 1),
		outgoing(snapshot.SuccessFileRequest, "run\" \"c", "", 1),
		outgoing(snapshot.SuccessFileRequest, `run" "`, "c", 1),
		outgoing(snapshot.SuccessFileRequest, "run", "é", 1),
		outgoing(snapshot.SuccessFileRequest, "run", "e\u0301", 1),
		outgoing(snapshot.SuccessFileRequest, "run", `\u00e9`, 1),
		outgoing(snapshot.SuccessFileRequest, "run", "C", 1), outgoing(snapshot.SuccessFileRequest, "run", "", 1),
		outgoing(snapshot.AllReceived, "run", "", 1), outgoing(snapshot.AllSuccessful, "run", "", 1),
		outgoing(snapshot.AllReceived, "run", "", 2), outgoing(snapshot.RunStalled, "run", "", 1),
		outgoing(snapshot.RunAbandoned, "run", "", 1), outgoing(snapshot.RunLate, "run", "", 1),
	} {
		if other, ok := seen[out.EventID()]; ok {
			t.Errorf("%+v has the event id of %+v", out, other)
		}
		seen[out.EventID()] = out
	}
}

// A deduplication id of SQS has at most 128 letters, digits and punctuation characters.
func TestEventIDFitsSQS(t *testing.T) {
	t.Parallel()
	fits := regexp.MustCompile(`^[a-zA-Z0-9]{1,128}$`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String()
		out := outgoing(snapshot.AllReceived, name.Draw(t, "run"), name.Draw(t, "collection"),
			rapid.Int64().Draw(t, "version"))
		if id := out.EventID(); !fits.MatchString(id) || id != out.EventID() {
			t.Errorf("got %q", id)
		}
	})
}

// The state machine passes messages as JSON.
func TestOutgoingJSON(t *testing.T) {
	t.Parallel()
	out := outgoing(snapshot.SuccessFileRequest, "run-1", "db.a.b", -3)
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"kind":"SUCCESS_FILE_REQUEST","correlation_id":"run-1","collection_name":"db.a.b","version":-3}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	var back snapshot.Outgoing
	if err := json.Unmarshal(text, &back); err != nil || back != out {
		t.Errorf("got %+v, %v", back, err)
	}
}
