package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

const owner = tasktest.Execution + "/a"

var (
	errDown = errors.New("service is down")
	said    = snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true, ReprocessFiles: true}
)

// sent is a message that was sent, with its Export.
type sent struct {
	Over string // "request" or "notify": which way
	Out  snapshot.Outgoing
	Said snapshot.Export
}

// outbox records what is sent to sender and monitoring.
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

type fixture struct {
	*tasktest.Tables
	out  *outbox
	task *notify.Task
}

func newFixture(t *testing.T) *fixture {
	ts, out := tasktest.New(t), &outbox{fail: map[snapshot.Kind]error{}}
	return &fixture{ts, out, notify.New(ts.Store, out, out, ts.Log)}
}

func (fx *fixture) handle(t *testing.T, pending ...snapshot.Outgoing) (notify.Output, error) {
	t.Helper()
	return fx.task.Handle(t.Context(), notify.Input{Owner: owner, Pending: pending})
}

// pending enqueues the request and the notification of a run that this collection completes.
func (fx *fixture) pending(t *testing.T, owner string) (request, notification snapshot.Outgoing) {
	t.Helper()
	fx.Receive("a", owner)
	checked, err := fx.Store.Check(t.Context(), tasktest.Key("a"), owner, true, []snapshot.Kind{snapshot.AllReceived})
	if err != nil || len(checked.Pending) != 1 {
		t.Fatalf("got %+v, %v", checked, err)
	}
	return requestFor("a"), checked.Pending[0]
}

func requestFor(collection string) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: tasktest.Key(collection)}
}

func TestHandleDelivers(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	request, notification := fx.pending(t, owner)
	for i, delivered := range []int{2, 0, 0} { // and not again
		got, err := fx.handle(t, request, notification)
		if err != nil {
			t.Fatal(err)
		}
		if got.Delivered != delivered {
			t.Errorf("call %d delivered %d, want %d", i, got.Delivered, delivered)
		}
	}
	if diff := cmp.Diff([]sent{{"request", request, said}, {"notify", notification, said}}, fx.out.sent); diff != "" {
		t.Error(diff)
	}
}

func TestHandleDeliversBothNotifications(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Receive("a", "other")
	fx.Change("a", table.Item{"CollectionStatus": "Success"})
	checked, err := fx.Store.Check(t.Context(), tasktest.Key("a"), owner, true, snapshot.Notifications)
	if err != nil {
		t.Fatal(err)
	}
	got, err := fx.handle(t, checked.Pending...)
	if err != nil || got.Delivered != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
	var kinds []snapshot.Kind
	for _, s := range fx.out.sent {
		kinds = append(kinds, s.Out.Kind)
	}
	if diff := cmp.Diff([]snapshot.Kind{snapshot.AllReceived, snapshot.AllSuccessful}, kinds); diff != "" {
		t.Error(diff)
	}
}

// A request has the Export of the last counted message.
func TestRequestHasTheLatestExport(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(2))
	fx.Count(tasktest.Message("m1", tasktest.Body("a", "1")))
	fx.Count(tasktest.Message("m2", strings.Replace(tasktest.Body("a", "2", `"shutdown_flag":"False"`,
		`"reprocess_files":false`),
		"2020-01-01", "2020-01-02", 1)))
	fx.Reconcile("a", owner)
	request := requestFor("a")
	if _, err := fx.handle(t, request); err != nil {
		t.Fatal(err)
	}
	want := []sent{{"request", request, snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-02"}}}
	if diff := cmp.Diff(want, fx.out.sent); diff != "" {
		t.Error(diff)
	}
}

func TestHandleLeavesOtherOwnersMessages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		given func(*testing.T, *fixture) []snapshot.Outgoing
	}{
		{"of another", func(t *testing.T, fx *fixture) []snapshot.Outgoing {
			request, notification := fx.pending(t, "other")
			return []snapshot.Outgoing{request, notification}
		}},
		{"taken over by another, because our lease was over", func(t *testing.T, fx *fixture) []snapshot.Outgoing {
			request, notification := fx.pending(t, owner)
			fx.Now = fx.Now.Add(store.DefaultLease)
			fx.Reconcile("a", "other")
			if _, err := fx.Store.Check(t.Context(), tasktest.Key("a"), "other", false,
				snapshot.Notifications); err != nil {
				t.Fatal(err)
			}
			return []snapshot.Outgoing{request, notification}
		}},
		{"of another version", func(t *testing.T, fx *fixture) []snapshot.Outgoing {
			request, notification := fx.pending(t, owner)
			request.Version, notification.Version = 1, 1
			return []snapshot.Outgoing{request, notification}
		}},
		{"the other notification", func(t *testing.T, fx *fixture) []snapshot.Outgoing {
			_, notification := fx.pending(t, owner)
			notification.Kind = snapshot.AllSuccessful
			return []snapshot.Outgoing{notification}
		}},
		{"never enqueued, of a run that is not known", func(*testing.T, *fixture) []snapshot.Outgoing {
			return []snapshot.Outgoing{requestFor("a"), {Kind: snapshot.AllReceived, CollectionKey: tasktest.Key("")}}
		}},
		{"nothing", func(*testing.T, *fixture) []snapshot.Outgoing { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			pending := test.given(t, fx)
			got, err := fx.handle(t, pending...)
			if err != nil {
				t.Fatal(err)
			}
			if got.Delivered != 0 || len(fx.out.sent) > 0 {
				t.Errorf("delivered %d: %+v", got.Delivered, fx.out.sent)
			}
			if lines := fx.Logged("no longer pending"); len(lines) != len(pending) {
				t.Errorf("%d of %d are logged", len(lines), len(pending))
			}
		})
	}
}

// Input and output, exactly as the state machine passes them.
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
	fx := newFixture(t)
	fx.Receive("db.a.b", tasktest.Execution+"/db.a.b")
	out, err := fx.task.Handle(t.Context(), in)
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
	lines := fx.Logged("delivered")
	if len(lines) != 1 {
		t.Fatalf("logged %s", fx.LogText())
	}
	for key, want := range map[string]any{"correlation_id": tasktest.Run, "collection_name": "db.a.b",
		"kind": "SUCCESS_FILE_REQUEST", "version": 0.0, "event_id": in.Pending[0].EventID()} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
}
