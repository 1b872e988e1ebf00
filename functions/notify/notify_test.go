package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

const claimer = Execution + "/a"

var (
	errDown = errors.New("service is down")
	said    = snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true, ReprocessFiles: true}
)

// sent is one message that left: a request or a piece of news.
type sent struct {
	Debt snapshot.Debt
	Said snapshot.Export // by a request
	Run  about           // by news
}

type about struct{ CorrelationID, SnapshotType, ExportDate string }

// outbox records what is sent over both ways.
type outbox struct {
	sent []sent
	fail map[snapshot.DebtKind]error // before it is sent
}

func (o *outbox) Request(_ context.Context, debt snapshot.Debt, said snapshot.Export) error {
	return o.send(sent{Debt: debt, Said: said})
}

func (o *outbox) News(_ context.Context, debt snapshot.Debt, run snapshot.Run) error {
	return o.send(sent{Debt: debt, Run: about{run.CorrelationID, run.SnapshotType, run.ExportDate}})
}

func (o *outbox) send(s sent) error {
	if err := o.fail[s.Debt.Kind]; err != nil {
		return err
	}
	o.sent = append(o.sent, s)
	return nil
}

type bench struct {
	*World
	out  *outbox
	task *notify.Task
}

func newBench(t *testing.T) *bench {
	w, out := New(t), &outbox{fail: map[snapshot.DebtKind]error{}}
	return &bench{w, out, notify.New(w.Debts(), out, out, w.Log)}
}

func (b *bench) handle(t *testing.T, owed ...snapshot.Debt) (notify.Output, error) {
	t.Helper()
	return b.task.Handle(t.Context(), notify.Input{Claimer: claimer, Owed: owed})
}

// claimed claims the request and the news of a run that this collection completes.
func (b *bench) claimed(t *testing.T, claimer string) (request, news snapshot.Debt) {
	t.Helper()
	b.Receive("a", claimer)
	verdict, err := b.Runs().Check(t.Context(), Run, claimer, snapshot.Received)
	if err != nil || len(verdict.Claimed) != 1 {
		t.Fatalf("claimed %+v, %v", verdict, err)
	}
	return snapshot.Debt{Kind: snapshot.SuccessFileRequest, CollectionKey: Key("a")}, verdict.Claimed[0]
}

func TestHandlePays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	request, news := b.claimed(t, claimer)
	for i, delivered := range []int{2, 0, 0} { // and does not pay again
		got, err := b.handle(t, request, news)
		if err != nil {
			t.Fatal(err)
		}
		if got.Delivered != delivered {
			t.Errorf("call %d delivered %d, want %d", i, got.Delivered, delivered)
		}
	}
	want := []sent{{Debt: request, Said: said}, {Debt: news, Run: about{Run, "full", "2020-01-01"}}}
	if diff := cmp.Diff(want, b.out.sent); diff != "" {
		t.Error(diff)
	}
}

func TestHandlePaysBothPiecesOfNews(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Receive("a", "other")
	b.Change("a", table.Item{"CollectionStatus": "Success"})
	verdict, err := b.Runs().Check(t.Context(), Run, claimer, snapshot.Received)
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.handle(t, verdict.Claimed...)
	if err != nil || got.Delivered != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
	var kinds []snapshot.DebtKind
	for _, s := range b.out.sent {
		kinds = append(kinds, s.Debt.Kind)
	}
	if diff := cmp.Diff([]snapshot.DebtKind{snapshot.AllReceived, snapshot.AllSuccessful}, kinds); diff != "" {
		t.Error(diff)
	}
}

// A request repeats what the last counted message said.
func TestRequestSaysWhatTheLatestMessageSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(2))
	b.Count(Message("m1", Body("a", "1")))
	b.Count(Message("m2", strings.Replace(Body("a", "2", `"shutdown_flag":"False"`, `"reprocess_files":false`), "2020-01-01", "2020-01-02", 1)))
	b.Look("a", claimer)
	request := snapshot.Debt{Kind: snapshot.SuccessFileRequest, CollectionKey: Key("a")}
	if _, err := b.handle(t, request); err != nil {
		t.Fatal(err)
	}
	want := []sent{{Debt: request, Said: snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-02"}}}
	if diff := cmp.Diff(want, b.out.sent); diff != "" {
		t.Error(diff)
	}
}

func TestHandleLeavesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		given func(*testing.T, *bench) []snapshot.Debt
	}{
		{"claimed by another", func(t *testing.T, b *bench) []snapshot.Debt {
			request, news := b.claimed(t, "other")
			return []snapshot.Debt{request, news}
		}},
		{"claimed by another since, because our lease was over", func(t *testing.T, b *bench) []snapshot.Debt {
			request, news := b.claimed(t, claimer)
			b.Now = b.Now.Add(snapshot.Lease)
			b.Look("a", "other")
			if _, err := b.Runs().Check(t.Context(), Run, "other", snapshot.Received); err != nil {
				t.Fatal(err)
			}
			return []snapshot.Debt{request, news}
		}},
		{"of another attempt", func(t *testing.T, b *bench) []snapshot.Debt {
			request, news := b.claimed(t, claimer)
			request.Attempt, news.Attempt = 1, 1
			return []snapshot.Debt{request, news}
		}},
		{"news of the other kind", func(t *testing.T, b *bench) []snapshot.Debt {
			_, news := b.claimed(t, claimer)
			news.Kind = snapshot.AllSuccessful
			return []snapshot.Debt{news}
		}},
		{"never claimed, of a run that is not known", func(*testing.T, *bench) []snapshot.Debt {
			return []snapshot.Debt{{Kind: snapshot.SuccessFileRequest, CollectionKey: Key("a")}, {Kind: snapshot.AllReceived, CollectionKey: Key("")}}
		}},
		{"nothing", func(*testing.T, *bench) []snapshot.Debt { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			owed := test.given(t, b)
			got, err := b.handle(t, owed...)
			if err != nil {
				t.Fatal(err)
			}
			if got.Delivered != 0 || len(b.out.sent) > 0 {
				t.Errorf("delivered %d: %+v", got.Delivered, b.out.sent)
			}
			if lines := b.Logged("not owed any more"); len(lines) != len(owed) {
				t.Errorf("%d of %d are logged", len(lines), len(owed))
			}
		})
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	fails := func(op string) func(string, ...table.Ref) error {
		return func(called string, _ ...table.Ref) error {
			if called == op {
				return errDown
			}
			return nil
		}
	}
	for _, test := range []struct {
		name      string
		breaks    func(*bench)
		first     int // messages sent while in trouble
		delivered int // by the call after it
		again     int // messages sent by that
	}{
		{"the ledger cannot be read", func(b *bench) { b.DB.Before = fails("Get") }, 0, 1, 1},
		{"the message cannot be sent", func(b *bench) { b.out.fail[snapshot.SuccessFileRequest] = errDown }, 0, 1, 1},
		{"it is sent, and cannot be marked: sent again with the same identity", func(b *bench) { b.DB.Before = fails("Update") }, 1, 1, 1},
		{"it is marked, and the answer is lost", func(b *bench) { b.DB.After = fails("Update") }, 1, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			request, _ := b.claimed(t, claimer)
			test.breaks(b)
			if got, err := b.handle(t, request); !errors.Is(err, errDown) || got.Delivered != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
			if len(b.out.sent) != test.first {
				t.Errorf("sent %d messages, want %d", len(b.out.sent), test.first)
			}
			b.DB.Before, b.DB.After, b.out.fail = nil, nil, nil
			got, err := b.handle(t, request)
			if err != nil || got.Delivered != test.delivered {
				t.Errorf("then delivered %d, %v, want %d", got.Delivered, err, test.delivered)
			}
			if again := len(b.out.sent) - test.first; again != test.again {
				t.Errorf("then sent %d messages, want %d", again, test.again)
			}
			for _, s := range b.out.sent {
				if s.Debt.EventID() != request.EventID() {
					t.Errorf("sent with the identity of %+v", s.Debt)
				}
			}
		})
	}
}

func TestWhatWasPaidBeforeTroubleIsNotPaidAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	request, news := b.claimed(t, claimer)
	b.out.fail[news.Kind] = errDown
	if got, err := b.handle(t, request, news); !errors.Is(err, errDown) || !strings.Contains(err.Error(), "ALL_RECEIVED") || got.Delivered != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	b.out.fail = nil
	if got, err := b.handle(t, request, news); err != nil || got.Delivered != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(b.out.sent) != 2 || b.out.sent[0].Debt != request || b.out.sent[1].Debt != news {
		t.Errorf("sent %+v", b.out.sent)
	}
}

func TestUnknownKindOfDebt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.handle(t, snapshot.Debt{Kind: "ALL_LOST", CollectionKey: Key("a")})
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "ALL_LOST") {
		t.Errorf("got %v, want Malformed and the kind", err)
	}
	if len(b.out.sent) > 0 {
		t.Errorf("sent %+v", b.out.sent)
	}
}

// What the state machine passes in and gets back, to the letter.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	var in notify.Input
	if err := json.Unmarshal(text, &in); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.Receive("db.a.b", Execution+"/db.a.b")
	out, err := b.task.Handle(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"delivered":1}`, string(got)); diff != "" {
		t.Error(diff)
	}
	lines := b.Logged("delivered")
	if len(lines) != 1 {
		t.Fatalf("logged %s", b.LogText())
	}
	for key, want := range map[string]any{"correlation_id": Run, "collection_name": "db.a.b", "kind": "SUCCESS_FILE_REQUEST", "attempt": 0.0, "event_id": in.Owed[0].EventID()} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
}
