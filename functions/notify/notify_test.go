package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

const owner = Execution + "/a"

var (
	errDown = errors.New("service is down")
	said    = snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true, ReprocessFiles: true}
)

// sent is one message that left, and what it says of the export.
type sent struct {
	Over string // "request" or "notify": which way
	Out  snapshot.Outgoing
	Said snapshot.Export
}

// outbox records what is sent over both ways.
type outbox struct {
	sent []sent
	fail map[snapshot.Kind]error // before it is sent
}

func (o *outbox) Request(_ context.Context, out snapshot.Outgoing, export snapshot.Export) error {
	return o.send(sent{"request", out, export})
}

func (o *outbox) Notify(_ context.Context, out snapshot.Outgoing, export snapshot.Export) error {
	return o.send(sent{"notify", out, export})
}

func (o *outbox) send(s sent) error {
	if err := o.fail[s.Out.Kind]; err != nil {
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
	w, out := New(t), &outbox{fail: map[snapshot.Kind]error{}}
	return &bench{w, out, notify.New(w.Store, out, out, w.Log)}
}

func (b *bench) handle(t *testing.T, pending ...snapshot.Outgoing) (notify.Output, error) {
	t.Helper()
	return b.task.Handle(t.Context(), notify.Input{Owner: owner, Pending: pending})
}

// pending enqueues the request and the notification of a run that this collection completes.
func (b *bench) pending(t *testing.T, owner string) (request, notification snapshot.Outgoing) {
	t.Helper()
	b.Receive("a", owner)
	checked, err := b.Store.Check(t.Context(), Key("a"), owner, true, []snapshot.Kind{snapshot.AllReceived})
	if err != nil || len(checked.Pending) != 1 {
		t.Fatalf("got %+v, %v", checked, err)
	}
	return requestFor("a"), checked.Pending[0]
}

func requestFor(collection string) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: Key(collection)}
}

func TestHandleDelivers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	request, notification := b.pending(t, owner)
	for i, delivered := range []int{2, 0, 0} { // and not again
		got, err := b.handle(t, request, notification)
		if err != nil {
			t.Fatal(err)
		}
		if got.Delivered != delivered {
			t.Errorf("call %d delivered %d, want %d", i, got.Delivered, delivered)
		}
	}
	if diff := cmp.Diff([]sent{{"request", request, said}, {"notify", notification, said}}, b.out.sent); diff != "" {
		t.Error(diff)
	}
}

func TestHandleDeliversBothNotifications(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Receive("a", "other")
	b.Change("a", table.Item{"CollectionStatus": "Success"})
	checked, err := b.Store.Check(t.Context(), Key("a"), owner, true, snapshot.Notifications)
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.handle(t, checked.Pending...)
	if err != nil || got.Delivered != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
	var kinds []snapshot.Kind
	for _, s := range b.out.sent {
		kinds = append(kinds, s.Out.Kind)
	}
	if diff := cmp.Diff([]snapshot.Kind{snapshot.AllReceived, snapshot.AllSuccessful}, kinds); diff != "" {
		t.Error(diff)
	}
}

// A request repeats what the last counted message said.
func TestRequestSaysWhatTheLatestMessageSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(2))
	b.Count(Message("m1", Body("a", "1")))
	b.Count(Message("m2", strings.Replace(Body("a", "2", `"shutdown_flag":"False"`, `"reprocess_files":false`),
		"2020-01-01", "2020-01-02", 1)))
	b.Reconcile("a", owner)
	request := requestFor("a")
	if _, err := b.handle(t, request); err != nil {
		t.Fatal(err)
	}
	want := []sent{{"request", request, snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-02"}}}
	if diff := cmp.Diff(want, b.out.sent); diff != "" {
		t.Error(diff)
	}
}

func TestHandleLeavesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		given func(*testing.T, *bench) []snapshot.Outgoing
	}{
		{"of another", func(t *testing.T, b *bench) []snapshot.Outgoing {
			request, notification := b.pending(t, "other")
			return []snapshot.Outgoing{request, notification}
		}},
		{"taken over by another, because our lease was over", func(t *testing.T, b *bench) []snapshot.Outgoing {
			request, notification := b.pending(t, owner)
			b.Now = b.Now.Add(store.DefaultLease)
			b.Reconcile("a", "other")
			if _, err := b.Store.Check(t.Context(), Key("a"), "other", false, snapshot.Notifications); err != nil {
				t.Fatal(err)
			}
			return []snapshot.Outgoing{request, notification}
		}},
		{"of another version", func(t *testing.T, b *bench) []snapshot.Outgoing {
			request, notification := b.pending(t, owner)
			request.Version, notification.Version = 1, 1
			return []snapshot.Outgoing{request, notification}
		}},
		{"the other notification", func(t *testing.T, b *bench) []snapshot.Outgoing {
			_, notification := b.pending(t, owner)
			notification.Kind = snapshot.AllSuccessful
			return []snapshot.Outgoing{notification}
		}},
		{"never enqueued, of a run that is not known", func(*testing.T, *bench) []snapshot.Outgoing {
			return []snapshot.Outgoing{requestFor("a"), {Kind: snapshot.AllReceived, CollectionKey: Key("")}}
		}},
		{"nothing", func(*testing.T, *bench) []snapshot.Outgoing { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			pending := test.given(t, b)
			got, err := b.handle(t, pending...)
			if err != nil {
				t.Fatal(err)
			}
			if got.Delivered != 0 || len(b.out.sent) > 0 {
				t.Errorf("delivered %d: %+v", got.Delivered, b.out.sent)
			}
			if lines := b.Logged("not pending any more"); len(lines) != len(pending) {
				t.Errorf("%d of %d are logged", len(lines), len(pending))
			}
		})
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	fails := func(operation string) func(tabletest.Call) error {
		return func(call tabletest.Call) error {
			if call.Operation == operation {
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
		{"it is sent, and cannot be marked: sent again with the same event id",
			func(b *bench) { b.DB.Before = fails("Update") }, 1, 1, 1},
		{"it is marked, and the answer is lost", func(b *bench) { b.DB.After = fails("Update") }, 1, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			request, _ := b.pending(t, owner)
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
				if s.Out.EventID() != request.EventID() {
					t.Errorf("sent with the event id of %+v", s.Out)
				}
			}
		})
	}
}

func TestWhatWasDeliveredBeforeTroubleIsNotDeliveredAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	request, notification := b.pending(t, owner)
	b.out.fail[notification.Kind] = errDown
	if got, err := b.handle(t, request, notification); !errors.Is(err, errDown) || !strings.Contains(err.Error(),
		"ALL_RECEIVED") || got.Delivered != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	b.out.fail = nil
	if got, err := b.handle(t, request, notification); err != nil || got.Delivered != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(b.out.sent) != 2 || b.out.sent[0].Out != request || b.out.sent[1].Out != notification {
		t.Errorf("sent %+v", b.out.sent)
	}
}

func TestUnknownKind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, kind := range []snapshot.Kind{"ALL_LOST", "", snapshot.RunStalled} {
		_, err := b.handle(t, snapshot.Outgoing{Kind: kind, CollectionKey: Key("a")})
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), strconv.Quote(string(kind))) {
			t.Errorf("got %v, want Malformed and the kind", err)
		}
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
	for key, want := range map[string]any{"correlation_id": Run, "collection_name": "db.a.b",
		"kind": "SUCCESS_FILE_REQUEST", "version": 0.0, "event_id": in.Pending[0].EventID()} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
}
