package increment_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

var errDown = errors.New("service is down")

// fails makes updates of a collection's part fail; see isUpdate.
func (b *bench) fails(part, collection string) func(tabletest.Call) error {
	return func(call tabletest.Call) error {
		if b.isUpdate(part, collection)(call) {
			return errDown
		}
		return nil
	}
}

// One collection that cannot be counted holds back no other, and the repeated call counts it.
func TestTroubleWithOneCollection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		part   string
		lost   bool   // it takes effect, and its answer is lost
		during string // row of a, while in trouble
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
			b := newBench(t)
			b.Put("a", Sent(1))
			b.Put("b", Sent(1))
			b.Put("c", Sent(2))
			messages := Batch(Message("m1", Body("a", "1")), Message("m2", Body("b", "1")), Message("m3", "x"),
				Message("m4", Body("c", "1")))
			if b.DB.Before = b.fails(test.part, "a"); test.lost {
				b.DB.Before, b.DB.After = nil, b.DB.Before
			}
			if _, err := b.handle(t, messages); !errors.Is(err, errDown) || !strings.Contains(err.Error(), "of a:") {
				t.Errorf("got %v, want an error that names the collection and keeps its cause", err)
			}
			if diff := cmp.Diff([]string{test.during, "Sent 1/1", "Sent 1/2"}, []string{b.Row("a"), b.Row("b"),
				b.Row("c")}); diff != "" {
				t.Error("rows:", diff)
			}
			if len(b.rejected.rejected) != 0 {
				t.Errorf("rejected %q by a call that is to be repeated", b.rejected.rejected)
			}
			b.DB.Before, b.DB.After = nil, nil
			for range 2 { // the second time everything is a duplicate
				got, err := b.handle(t, messages)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.again, got); diff != "" {
					t.Error(diff)
				}
				if len(b.rejected.rejected) == 0 {
					t.Error("the bad message was not rejected")
				}
				test.again.Counted, test.again.Duplicates = 0, 3
				if diff := cmp.Diff([]string{"Sent 1/1", "Sent 1/1", "Sent 1/2"}, []string{b.Row("a"), b.Row("b"),
					b.Row("c")}); diff != "" {
					t.Error("rows:", diff)
				}
			}
		})
	}
}

// Rows that could not be read are not rows that are missing.
func TestTroubleReadingTheRows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(1))
	messages := Batch(Message("m1", Body("a", "1")), Message("m2", "x"))
	b.DB.Before = func(call tabletest.Call) error {
		if call.Operation == "GetMany" {
			return errDown
		}
		return nil
	}
	if _, err := b.handle(t, messages); !errors.Is(err, errDown) {
		t.Errorf("got %v", err)
	}
	if len(b.rejected.rejected) != 0 {
		t.Errorf("rejected %q by a call that is to be repeated", b.rejected.rejected)
	}
	b.DB.Before = nil
	got, err := b.handle(t, messages)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys("a"), Counted: 1, Rejected: 1}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsCountedBeforeItsRunIsRegistered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(2))
	b.DB.Before = func(call tabletest.Call) error {
		if call.Refs[0].Partition == "run" {
			return errDown
		}
		return nil
	}
	messages := Batch(Message("m1", Body("a", "1")))
	if _, err := b.handle(t, messages); !errors.Is(err, errDown) {
		t.Errorf("got %v", err)
	}
	if got := b.Row("a"); got != "Sent 0/2" {
		t.Errorf("counted without a registered run: %s", got)
	}
	b.DB.Before = nil
	registered := b.registrations()
	got, err := b.handle(t, messages)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys(), Counted: 1}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{Run}, registered()); diff != "" {
		t.Error("a registration that failed was remembered:", diff)
	}
}

func TestMessagesAreRejectedAfterCounting(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(3))
	var rows []string
	b.rejected.before = func(snapshot.Receipt) error {
		rows = append(rows, b.Row("a"))
		return nil
	}
	if _, err := b.handle(t, Batch(Message("m1", "x"), Message("m2", Body("a", "1")), Message("m3", "y"),
		Message("m4", Body("a", "2")))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Sent 2/3", "Sent 2/3"}, rows); diff != "" {
		t.Error("the row while each bad message was rejected:", diff)
	}
}

func TestTroubleRejectingOneMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(1))
	b.rejected.before = func(r snapshot.Receipt) error {
		if r.Identity == "m1" {
			return errDown
		}
		return nil
	}
	messages := Batch(Message("m1", "x"), Message("m2", Body("a", "1")), Message("m3", "y"))
	if _, err := b.handle(t, messages); !errors.Is(err, errDown) {
		t.Errorf("got %v: a message that is not rejected is lost", err)
	}
	if diff := cmp.Diff([]string{"m3 NOT_JSON"}, b.rejected.rejected); diff != "" {
		t.Error(diff)
	}
	b.rejected.before = nil
	got, err := b.handle(t, messages)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys("a"), Duplicates: 1, Rejected: 2}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"m3 NOT_JSON", "m1 NOT_JSON", "m3 NOT_JSON"}, b.rejected.rejected); diff != "" {
		t.Error(diff)
	}
}

// Somebody wrote a row that no retry can read: its messages are rejected, by the call that need not be repeated, and
// its neighbours are counted and reconciled.
func TestMalformedRowHoldsNobodyBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", table.Item{"CollectionStatus": "Sent", "FilesSent": "three"})
	b.Put("b", Sent(1))
	var reason string
	b.rejected.before = func(r snapshot.Receipt) error {
		reason = r.Rejection.Detail
		return nil
	}
	messages := Batch(Message("m1", Body("a", "1")), Message("m2", Body("b", "1")), Message("m3", Body("a", "2")))
	b.DB.Before = b.fails("collection", "b")
	if _, err := b.handle(t, messages); !errors.Is(err, errDown) || len(b.rejected.rejected) != 0 {
		t.Errorf("got %v and rejected %q, want the neighbour's trouble and nothing rejected by a call that is to be "+
			"repeated", err, b.rejected.rejected)
	}
	b.DB.Before = nil
	got, err := b.handle(t, messages)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys("b"), Counted: 1, Rejected: 2}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"m1 NOT_COUNTED", "m3 NOT_COUNTED"}, b.rejected.rejected); diff != "" {
		t.Error("rejected:", diff)
	}
	if !strings.Contains(reason, "FilesSent") {
		t.Errorf("the reason does not say what is wrong: %q", reason)
	}

	b.Put("a", Sent(2)) // a person mends the row and replays the messages
	got, err = b.handle(t, messages)
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
		stop   func(b *bench, call tabletest.Call)
		want   increment.Output
		reason string
	}{
		{"the row is gone and the ledger is new", "collection", func(b *bench, call tabletest.Call) {
			b.Put("a", nil)
			b.PutAt(call.Refs[0], nil)
		}, increment.Output{Collections: keys(), Counted: parts, Rejected: total - parts}, "UNKNOWN_COLLECTION"},
		{"the ledger's collection is malformed", "collection", func(b *bench, call tabletest.Call) {
			b.PutAt(call.Refs[0], table.Item{"Pages": "two"})
		}, increment.Output{Collections: keys(), Counted: parts, Rejected: total - parts}, "NOT_COUNTED"},
		{"the row is malformed when all is counted", "row", func(b *bench, call tabletest.Call) {
			b.Put("a", table.Item{"CollectionStatus": "Sent", "FilesSent": "three"})
		}, increment.Output{Collections: keys(), Counted: total}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Put("a", Sent(total))
			b.Count(Message("m0", Body("a", "0")))
			counted := 0
			b.DB.Before = func(call tabletest.Call) error {
				if b.isUpdate("collection", "a")(call) && call.Write.Add != nil {
					counted++
				}
				if b.isUpdate(test.part, "a")(call) && counted == 2 {
					b.DB.Before = nil
					test.stop(b, call)
				}
				return nil
			}
			var messages []string
			for i := range total {
				messages = append(messages, Message(fmt.Sprint("n", i), Body("a", fmt.Sprint(i))))
			}
			got, err := b.handle(t, Batch(messages...))
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Error(err, diff)
			}
			for i, rejected := range b.rejected.rejected {
				if want := fmt.Sprint("n", parts+i, " ", test.reason); rejected != want {
					t.Fatalf("rejected %s, want %s", rejected, want)
				}
			}
		})
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-7f3a"
	hidden := `"secret":"` + canary + `"`
	b := newBench(t)
	b.Put("a", Sent(1))
	_, err := b.handle(t, Batch(
		Message("m1", Body("a", "f1", hidden)), Message("m2", Body("a", "f2", hidden)), Message("m3", canary),
		Message("m4", Body("unknown", "f4", hidden)),
		Message("m5", Body("a", "f5", hidden, `"is_success_file":"`+canary+`"`)), Message("m6", `{"Records":[{"x":"`+
			canary+`"}]}`)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.handle(t, Batch(Message("m1", Body("a", "f1", hidden)))); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.LogText(), canary) {
		t.Error("something of a body stands in the log:", b.LogText())
	}
	var got []string
	for _, line := range b.Logged("") {
		text := line["level"].(string) + " " + line["message"].(string)
		for _, key := range []string{"identity", "correlation_id", "collection_name", "file_name", "reason_code",
			"messages", "files_received", "files_sent"} {
			if value, ok := line[key]; ok && value != "" {
				text += " " + strings.TrimSuffix(strings.ReplaceAll(jsonText(value), `"`, ""), ".0")
			}
		}
		got = append(got, text)
	}
	want := []string{
		"INFO counted run-1 a [{file_name:f1,identity:m1},{file_name:f2,identity:m2}]",
		"WARN more files received than sent run-1 a 2 1",
		"WARN rejected m3 NOT_JSON",
		"WARN rejected m5 FLAG_INVALID",
		"WARN rejected m6/0 NO_BODY",
		"WARN rejected m4 run-1 unknown f4 UNKNOWN_COLLECTION",
		"INFO duplicate m1 run-1 a f1",
		"WARN more files received than sent run-1 a 2 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FilesSent is not known yet, or 0 for a collection without files: then nothing was received in excess.
func TestNoWarningWithoutExcess(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]table.Item{"not known": {"CollectionStatus": "Exported"},
		"still growing": {"CollectionStatus": "Exported", "FilesSent": int64(1), "FilesReceived": int64(5)},
		"no files":      Sent(0), "as many as sent": Sent(1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Put("a", row)
			if _, err := b.handle(t, Batch(Message("m1", Body("a", "1")))); err != nil {
				t.Fatal(err)
			}
			if warned := b.Logged("more files received than sent"); len(warned) > 0 {
				t.Errorf("warned: %v", warned)
			}
		})
	}
}
