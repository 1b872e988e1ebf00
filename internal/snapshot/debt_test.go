package snapshot_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"snapshot-status-checker/internal/snapshot"
)

func debt(kind snapshot.DebtKind, run, collection string, attempt int64) snapshot.Debt {
	return snapshot.Debt{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: run, CollectionName: collection}, Attempt: attempt}
}

// A change of this value would pay debts again that were paid by an earlier version.
func TestEventIDIsStable(t *testing.T) {
	t.Parallel()
	const want = "107f2fe87a5433a02caacd61284450020a4816b75d5b0941a9c2083ed1ff51ff"
	if got := debt(snapshot.SuccessFileRequest, "run-1", "db.a.b", 0).EventID(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEventIDTellsDebtsApart(t *testing.T) {
	t.Parallel()
	seen := map[string]snapshot.Debt{}
	for _, d := range []snapshot.Debt{
		debt(snapshot.SuccessFileRequest, "run", "c", 1),
		debt(snapshot.SuccessFileRequest, "run", "c", 11),
		debt(snapshot.SuccessFileRequest, "run", "c", -1),
		debt(snapshot.SuccessFileRequest, "run", "c1", 1),
		debt(snapshot.SuccessFileRequest, "run", "c 1", 1),
		debt(snapshot.SuccessFileRequest, "run c", "", 1),
		debt(snapshot.SuccessFileRequest, "run", "c\" \"", 1),
		debt(snapshot.SuccessFileRequest, "run\" \"c", "", 1),
		debt(snapshot.SuccessFileRequest, `run" "`, "c", 1),
		debt(snapshot.SuccessFileRequest, "run", "é", 1),
		debt(snapshot.SuccessFileRequest, "run", "e\u0301", 1),
		debt(snapshot.SuccessFileRequest, "run", `\u00e9`, 1),
		debt(snapshot.SuccessFileRequest, "run", "C", 1),
		debt(snapshot.SuccessFileRequest, "run", "", 1),
		debt(snapshot.AllReceived, "run", "", 1),
		debt(snapshot.AllSuccessful, "run", "", 1),
		debt(snapshot.AllReceived, "run", "", 2),
	} {
		if other, ok := seen[d.EventID()]; ok {
			t.Errorf("%+v has the identity of %+v", d, other)
		}
		seen[d.EventID()] = d
	}
}

// SQS takes a deduplication id of 128 characters at most, letters, digits and punctuation.
func TestEventIDFitsSQS(t *testing.T) {
	t.Parallel()
	fits := regexp.MustCompile(`^[a-zA-Z0-9]{1,128}$`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String()
		d := debt(snapshot.AllReceived, name.Draw(t, "run"), name.Draw(t, "collection"), rapid.Int64().Draw(t, "attempt"))
		if id := d.EventID(); !fits.MatchString(id) || id != d.EventID() {
			t.Errorf("got %q", id)
		}
	})
}

// Debts travel through the state machine.
func TestDebtJSON(t *testing.T) {
	t.Parallel()
	d := debt(snapshot.SuccessFileRequest, "run-1", "db.a.b", -3)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"kind":"SUCCESS_FILE_REQUEST","correlation_id":"run-1","collection_name":"db.a.b","attempt":-3}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	var back snapshot.Debt
	if err := json.Unmarshal(text, &back); err != nil || back != d {
		t.Errorf("got %+v, %v", back, err)
	}
}
