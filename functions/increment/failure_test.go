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

var errDown = errors.New("service is down")

// fails makes updates of a collection's part fail; see isUpdate.
func (fx *fixture) fails(part, collection string) func(tabletest.Call) error {
	return func(call tabletest.Call) error {
		if fx.isUpdate(part, collection)(call) {
			return errDown
		}
		return nil
	}
}

// A collection that cannot be counted does not affect the others, and the repeated call counts it.
func TestAFailureOfOneCollection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		part   string
		lost   bool   // it takes effect, and its answer is lost
		during string // row of a during the failure
		again  increment.Output
	}{
		{"its row cannot be adopted", "row", false, "Sent 0/1", increment.Output{Collections: keys("a", "b"),
			Counted: 1, Duplicates: 2, Rejected: 1}},
		{"its receipts cannot be written", "receipts", false, "Sent 0/1", increment.Output{Collections: keys("a", "b"),
			Counted: 1, Duplicates: 2, Rejected: 1}},
		{"its receipts are written and the answer is lost", "receipts", true, "Sent 0/1",
			increment.Output{Collections: keys("a", "b"), Counted: 1, Duplicates: 2, Rejected: 1}},
		{"it cannot be counted", "collection", false, "Sent 0/1", increment.Output{Collections: keys("a", "b"),
			Counted: 1, Duplicates: 2, Rejected: 1}},
		{"it is counted and the answer is lost", "collection", true, "Sent 0/1",
			increment.Output{Collections: keys("a", "b"), Duplicates: 3, Rejected: 1}},
		{"its row is adopted and the answer is lost", "row", true, "Sent 0/1",
			increment.Output{Collections: keys("a", "b"), Counted: 1, Duplicates: 2, Rejected: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.Put("a", tasktest.Sent(1))
			fx.Put("b", tasktest.Sent(1))
			fx.Put("c", tasktest.Sent(2))
			messages := tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")),
				tasktest.Message("m2", tasktest.Body("b", "1")), tasktest.Message("m3", "x"),
				tasktest.Message("m4", tasktest.Body("c", "1")))
			if fx.DB.Before = fx.fails(test.part, "a"); test.lost {
				fx.DB.Before, fx.DB.After = nil, fx.DB.Before
			}
			if _, err := fx.handle(t, messages); !errors.Is(err, errDown) || !strings.Contains(err.Error(), "of a:") {
				t.Errorf("got %v, want an error that names the collection and wraps its cause", err)
			}
			if diff := cmp.Diff([]string{test.during, "Sent 1/1", "Sent 1/2"}, []string{fx.Row("a"), fx.Row("b"),
				fx.Row("c")}); diff != "" {
				t.Error("rows:", diff)
			}
			if len(fx.rejected.rejected) != 0 {
				t.Errorf("rejected %q by a call that is to be repeated", fx.rejected.rejected)
			}
			fx.DB.Before, fx.DB.After = nil, nil
			for range 2 { // the second time everything is a duplicate
				got, err := fx.handle(t, messages)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.again, got); diff != "" {
					t.Error(diff)
				}
				if len(fx.rejected.rejected) == 0 {
					t.Error("the bad message was not rejected")
				}
				test.again.Counted, test.again.Duplicates = 0, 3
				if diff := cmp.Diff([]string{"Sent 1/1", "Sent 1/1", "Sent 1/2"}, []string{fx.Row("a"), fx.Row("b"),
					fx.Row("c")}); diff != "" {
					t.Error("rows:", diff)
				}
			}
		})
	}
}

// Rows that cannot be read are not taken for absent rows.
func TestAFailureToReadTheRows(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(1))
	messages := tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")), tasktest.Message("m2", "x"))
	fx.DB.Before = func(call tabletest.Call) error {
		if call.Operation == "GetMany" {
			return errDown
		}
		return nil
	}
	if _, err := fx.handle(t, messages); !errors.Is(err, errDown) {
		t.Errorf("got %v", err)
	}
	if len(fx.rejected.rejected) != 0 {
		t.Errorf("rejected %q by a call that is to be repeated", fx.rejected.rejected)
	}
	fx.DB.Before = nil
	got, err := fx.handle(t, messages)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys("a"), Counted: 1, Rejected: 1}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsCountedBeforeItsRunIsRegistered(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(2))
	fx.DB.Before = func(call tabletest.Call) error {
		if call.Refs[0].Partition == "run" {
			return errDown
		}
		return nil
	}
	messages := tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")))
	if _, err := fx.handle(t, messages); !errors.Is(err, errDown) {
		t.Errorf("got %v", err)
	}
	if got := fx.Row("a"); got != "Sent 0/2" {
		t.Errorf("counted without a registered run: %s", got)
	}
	fx.DB.Before = nil
	registered := fx.registrations()
	got, err := fx.handle(t, messages)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys(), Counted: 1}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{tasktest.Run}, registered()); diff != "" {
		t.Error("a registration that failed was remembered:", diff)
	}
}

func TestMessagesAreRejectedAfterCounting(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(3))
	var rows []string
	fx.rejected.before = func(snapshot.Receipt) error {
		rows = append(rows, fx.Row("a"))
		return nil
	}
	if _, err := fx.handle(t, tasktest.Batch(tasktest.Message("m1", "x"),
		tasktest.Message("m2", tasktest.Body("a", "1")), tasktest.Message("m3", "y"),
		tasktest.Message("m4", tasktest.Body("a", "2")))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Sent 2/3", "Sent 2/3"}, rows); diff != "" {
		t.Error("the row while each bad message was rejected:", diff)
	}
}

func TestAFailureToRejectOneMessage(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(1))
	fx.rejected.before = func(r snapshot.Receipt) error {
		if r.Identity == "m1" {
			return errDown
		}
		return nil
	}
	messages := tasktest.Batch(tasktest.Message("m1", "x"), tasktest.Message("m2", tasktest.Body("a", "1")),
		tasktest.Message("m3", "y"))
	if _, err := fx.handle(t, messages); !errors.Is(err, errDown) {
		t.Errorf("got %v: a message that is not rejected is lost", err)
	}
	if diff := cmp.Diff([]string{"m3 NOT_JSON"}, fx.rejected.rejected); diff != "" {
		t.Error(diff)
	}
	fx.rejected.before = nil
	got, err := fx.handle(t, messages)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys("a"), Duplicates: 1, Rejected: 2}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"m3 NOT_JSON", "m1 NOT_JSON", "m3 NOT_JSON"}, fx.rejected.rejected); diff != "" {
		t.Error(diff)
	}
}

// The messages of a malformed row are rejected, by a call that need not be repeated. Other collections are counted and
// reconciled.
func TestAMalformedRowAffectsNoOtherCollection(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Put("a", table.Item{"CollectionStatus": "Sent", "FilesSent": "three"})
	fx.Put("b", tasktest.Sent(1))
	var reason string
	fx.rejected.before = func(r snapshot.Receipt) error {
		reason = r.Rejection.Detail
		return nil
	}
	messages := tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")),
		tasktest.Message("m2", tasktest.Body("b", "1")), tasktest.Message("m3", tasktest.Body("a", "2")))
	fx.DB.Before = fx.fails("collection", "b")
	if _, err := fx.handle(t, messages); !errors.Is(err, errDown) || len(fx.rejected.rejected) != 0 {
		t.Errorf("got %v and rejected %q, want b's error and nothing rejected by a call that is to be "+
			"repeated", err, fx.rejected.rejected)
	}
	fx.DB.Before = nil
	got, err := fx.handle(t, messages)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys("b"), Counted: 1, Rejected: 2}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"m1 NOT_COUNTED", "m3 NOT_COUNTED"}, fx.rejected.rejected); diff != "" {
		t.Error("rejected:", diff)
	}
	if !strings.Contains(reason, "FilesSent") {
		t.Errorf("the reason does not say what is wrong: %q", reason)
	}

	fx.Put("a", tasktest.Sent(2)) // a person repairs the row and replays the messages
	got, err = fx.handle(t, messages)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys("a", "b"), Counted: 2, Duplicates: 1}, got); diff != "" {
		t.Error(diff)
	}
}

// Counting stops for good after the first part of a large group: what that part counted is not rejected.
func TestOnlyUncountedMessagesAreRejected(t *testing.T) {
	t.Parallel()
	const parts, total = 100, 150 // a part is what one update of the ledger counts
	for _, test := range []struct {
		name   string
		part   string
		stop   func(fx *fixture, call tabletest.Call)
		want   increment.Output
		reason string
	}{
		{"the row is gone and the ledger is new", "collection", func(fx *fixture, call tabletest.Call) {
			fx.Put("a", nil)
			fx.PutAt(call.Refs[0], nil)
		}, increment.Output{Collections: keys(), Counted: parts, Rejected: total - parts}, "UNKNOWN_COLLECTION"},
		{"the ledger's collection is malformed", "collection", func(fx *fixture, call tabletest.Call) {
			fx.PutAt(call.Refs[0], table.Item{"Pages": "two"})
		}, increment.Output{Collections: keys(), Counted: parts, Rejected: total - parts}, "NOT_COUNTED"},
		{"the row is malformed when all is counted", "row", func(fx *fixture, call tabletest.Call) {
			fx.Put("a", table.Item{"CollectionStatus": "Sent", "FilesSent": "three"})
		}, increment.Output{Collections: keys(), Counted: total}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.Put("a", tasktest.Sent(total))
			fx.Count(tasktest.Message("m0", tasktest.Body("a", "0")))
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
			var messages []string
			for i := range total {
				messages = append(messages, tasktest.Message(fmt.Sprint("n", i), tasktest.Body("a", fmt.Sprint(i))))
			}
			got, err := fx.handle(t, tasktest.Batch(messages...))
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Error(err, diff)
			}
			if len(fx.rejected.rejected) != test.want.Rejected {
				t.Errorf("rejected %d messages, want %d", len(fx.rejected.rejected), test.want.Rejected)
			}
			for i, rejected := range fx.rejected.rejected {
				if want := fmt.Sprint("n", parts+i, " ", test.reason); rejected != want {
					t.Fatalf("rejected %s, want %s", rejected, want)
				}
			}
		})
	}
}
