package increment_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// A collection that cannot be counted does not affect the others, and the repeated call counts it.
func TestAFailureOfOneCollection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		part    string
		lost    bool // it takes effect, and its answer is lost
		counted int  // by the repeated call
	}{
		{"its row cannot be adopted", "row", false, 1},
		{"its row is adopted and the answer is lost", "row", true, 1},
		{"its receipts cannot be written", "receipts", false, 1},
		{"its receipts are written and the answer is lost", "receipts", true, 1},
		{"it cannot be counted", "collection", false, 1},
		{"it is counted and the answer is lost", "collection", true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t, "a Sent 0/1", "b Sent 0/1", "c Sent 0/2")
			messages := batch("m1 a/1", "m2 b/1", "m3 !", "m4 c/1")
			if fx.DB.Before = fx.breaks(test.part, "a"); test.lost {
				fx.DB.Before, fx.DB.After = nil, fx.DB.Before
			}
			if _, err := handle(t.Context(), fx.task, messages); !errors.Is(err, errDown) ||
				!strings.Contains(err.Error(), "1 messages of a:") {
				t.Errorf("got %v, want an error that names the collection and wraps its cause", err)
			}
			fx.WantRows("a Sent 0/1", "b Sent 1/1", "c Sent 1/2")
			fx.wantRejected() // by a call that is to be repeated
			fx.DB.Before, fx.DB.After = nil, nil
			for _, counted := range []int{test.counted, 0} { // the second time everything is a duplicate
				fx.wants(messages, increment.Output{Collections: keys("a", "b"), Counted: counted,
					Duplicates: 3 - counted,
					Rejected:   1})
				fx.wantRejected("m3 NOT_JSON")
				fx.WantRows("a Sent 1/1", "b Sent 1/1", "c Sent 1/2")
			}
		})
	}
}

// Rows that cannot be read are not taken for absent rows.
func TestAFailureToReadTheRows(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, "a Sent 0/1")
	fx.DB.Before = func(call tabletest.Call) error {
		if call.Operation == "GetMany" {
			return errDown
		}
		return nil
	}
	fx.fails(batch("m1 a/1", "m2 !"))
	fx.DB.Before = nil
	fx.wants(batch("m1 a/1", "m2 !"), increment.Output{Collections: keys("a"), Counted: 1, Rejected: 1})
}

func TestNothingIsCountedBeforeItsRunIsRegistered(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, "a Sent 0/2", "b Sent 0/2")
	tries := 0
	fx.DB.Before = func(call tabletest.Call) error {
		if call.Refs[0].Partition == "run" {
			tries++
			return errDown
		}
		return nil
	}
	fx.fails(batch("m1 a/1", "m2 b/1"))
	fx.WantRows("a Sent 0/2", "b Sent 0/2")
	if tries != 1 {
		t.Errorf("tried to register one run %d times", tries)
	}
	fx.DB.Before = nil
	registered := fx.registrations()
	fx.wants(batch("m1 a/1"), increment.Output{Counted: 1})
	if diff := cmp.Diff([]string{tasktest.Run}, *registered); diff != "" {
		t.Error("a registration that failed was remembered:", diff)
	}
}

// Bad messages are rejected after counting. One that is not rejected is lost, unless the call fails and is repeated.
func TestAFailureToRejectOneMessage(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, "a Sent 0/1")
	fx.rejected.before = func(r snapshot.Receipt) error {
		fx.WantRows("a Sent 1/1")
		if r.Identity == "m1" {
			return errDown
		}
		return nil
	}
	messages := batch("m1 !", "m2 a/1", "m3 !")
	if _, err := handle(t.Context(), fx.task, messages); !errors.Is(err, errDown) {
		t.Errorf("got %v", err)
	}
	fx.wantRejected("m3 NOT_JSON")
	fx.rejected.before = nil
	fx.wants(messages, increment.Output{Collections: keys("a"), Duplicates: 1, Rejected: 2})
	fx.wantRejected("m1 NOT_JSON", "m3 NOT_JSON")
}

// The messages of a malformed row are rejected, by a call that need not be repeated. Other collections are counted and
// reconciled.
func TestAMalformedRowAffectsNoOtherCollection(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, "a Sent 0/three", "b Sent 0/1")
	fx.rejected.before = func(r snapshot.Receipt) error {
		if !strings.Contains(r.Rejection.Detail, "FilesSent") {
			t.Errorf("the reason does not say what is wrong: %q", r.Rejection.Detail)
		}
		return nil
	}
	messages := batch("m1 a/1", "m2 b/1", "m3 a/2")
	fx.DB.Before = fx.breaks("collection", "b")
	fx.fails(messages)
	fx.DB.Before = nil
	fx.wants(messages, increment.Output{Collections: keys("b"), Counted: 1, Rejected: 2})
	fx.wantRejected("m1 NOT_COUNTED", "m3 NOT_COUNTED")

	fx.Put("a Sent 0/2") // a person repairs the row and replays the messages
	fx.wants(messages, increment.Output{Collections: keys("a", "b"), Counted: 2, Duplicates: 1})
}

// Counting stops for good after the first part of a large group: what that part counted is not rejected.
func TestOnlyUncountedMessagesAreRejected(t *testing.T) {
	t.Parallel()
	const parts, total = 100, 150 // a part is what one update of the ledger counts
	var messages []string
	for i := range total {
		messages = append(messages, fmt.Sprintf("n%d a/%d", i, i))
	}
	for _, test := range []struct {
		name    string
		part    string
		stop    func(fx *fixture, call tabletest.Call)
		counted int
		reason  string
		logged  string
	}{
		{"the row is gone and the ledger is new", "collection", func(fx *fixture, call tabletest.Call) {
			fx.Delete("a")
			fx.PutAt(call.Refs[0], nil)
		}, parts, "UNKNOWN_COLLECTION", ""},
		{"the ledger's collection is malformed", "collection", func(fx *fixture, call tabletest.Call) {
			fx.PutAt(call.Refs[0], table.Item{"Pages": "two"})
		}, parts, "NOT_COUNTED", "counting failed"},
		{"the row is malformed when all is counted", "row", func(fx *fixture, _ tabletest.Call) {
			fx.Put("a Sent -/three")
		}, total, "", "syncing the row failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t, fmt.Sprint("a Sent 0/", total))
			fx.Count("m0 a/0")
			counted := 0
			fx.DB.Before = func(call tabletest.Call) error {
				if fx.isUpdate("collection", "a")(call) && call.Write.Add != nil {
					counted++
				}
				if fx.isUpdate(test.part, "a")(call) && counted == 2 {
					fx.DB.Before = nil
					test.stop(fx, call)
				}
				return nil
			}
			fx.wants(batch(messages...), increment.Output{Counted: test.counted, Rejected: total - test.counted})
			var rejected []string
			for i := range total - test.counted {
				rejected = append(rejected, fmt.Sprint("n", test.counted+i, " ", test.reason))
			}
			fx.wantRejected(rejected...)
			if test.logged != "" {
				fx.WantLogged(test.logged, tasktest.Fields{"level": "WARN", "correlation_id": tasktest.Run,
					"collection_name": "a"})
			}
		})
	}
}
