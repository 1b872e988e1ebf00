package notify_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
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
	fail snapshot.Kind // what cannot be sent
}

func (o *outbox) Request(_ context.Context, out snapshot.Outgoing, export snapshot.Export) error {
	return o.send(sent{"request", out, export})
}

func (o *outbox) Notify(_ context.Context, out snapshot.Outgoing, export snapshot.Export) error {
	return o.send(sent{"notify", out, export})
}

func (o *outbox) send(s sent) error {
	if s.Out.Kind == o.fail {
		return errDown
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
	ts, out := tasktest.New(t), &outbox{}
	return &fixture{ts, out, notify.New(ts.Store, out, out, ts.Log)}
}

func (fx *fixture) handle(t *testing.T, pending ...snapshot.Outgoing) (notify.Output, error) {
	t.Helper()
	return fx.task.Handle(t.Context(), notify.Input{Owner: owner, Pending: pending})
}

// delivers handles messages without failures and wants so many delivered.
func (fx *fixture) delivers(t *testing.T, want int, pending ...snapshot.Outgoing) {
	t.Helper()
	if got, err := fx.handle(t, pending...); err != nil || got.Delivered != want {
		t.Errorf("delivered %d, %v, want %d", got.Delivered, err, want)
	}
}

// pending enqueues the request and the notification of a run that this collection completes.
func (fx *fixture) pending(owner string) (request, notification snapshot.Outgoing) {
	fx.Receive("a", owner)
	return tasktest.Request("a"), fx.Check("a", owner, snapshot.AllReceived)[0]
}

func TestHandleDelivers(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	request, notification := fx.pending(owner)
	fx.delivers(t, 2, request, notification)
	fx.delivers(t, 0, request, notification)
	if diff := cmp.Diff([]sent{{"request", request, said}, {"notify", notification, said}}, fx.out.sent); diff != "" {
		t.Error(diff)
	}
}

func TestHandleLeavesOtherOwnersMessages(t *testing.T) {
	t.Parallel()
	others, unknown := newFixture(t), newFixture(t) // the second has no run
	request, notification := others.pending("other")
	for _, fx := range []*fixture{others, unknown} {
		fx.delivers(t, 0, request, notification)
		fx.WantLogged("no longer pending", tasktest.Fields{"kind": "SUCCESS_FILE_REQUEST"},
			tasktest.Fields{"kind": "ALL_RECEIVED"})
		if len(fx.out.sent) > 0 {
			t.Errorf("sent %+v", fx.out.sent)
		}
	}
}

// Input and output, exactly as the state machine passes them.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Receive("db.a.b", tasktest.Execution+"/db.a.b")
	if diff := cmp.Diff(`{"delivered":1}`, tasktest.Invoke(t, fx.task.Handle)); diff != "" {
		t.Error(diff)
	}
	fx.WantLogged("delivered", tasktest.Fields{"correlation_id": tasktest.Run, "collection_name": "db.a.b",
		"kind": "SUCCESS_FILE_REQUEST", "version": 0.0, "event_id": tasktest.Request("db.a.b").EventID()})
}

// A message that was delivered before a failure is not repeated. It is counted once, by the call that delivered it.
func TestDeliveredMessagesAreNotRepeatedAfterAFailure(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	request, received := fx.pending(owner)
	for _, step := range []struct {
		fail      snapshot.Kind
		delivered int
		want      map[string]float64
	}{
		{snapshot.AllReceived, 1, map[string]float64{"RequestsSent": 1}},
		{"", 1, map[string]float64{"RunsReceived": 1}},
		{"", 0, map[string]float64{}},
	} {
		fx.out.fail = step.fail
		measured := fx.Counted(func(ctx context.Context) {
			got, err := fx.task.Handle(ctx, notify.Input{Owner: owner, Pending: []snapshot.Outgoing{request, received}})
			failed := errors.Is(err, errDown) && strings.Contains(err.Error(), string(step.fail))
			if got.Delivered != step.delivered || failed != (step.fail != "") {
				t.Errorf("%+v: got %+v, %v", step, got, err)
			}
		})
		if diff := cmp.Diff(step.want, measured); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]sent{{"request", request, said}, {"notify", received, said}}, fx.out.sent); diff != "" {
		t.Error(diff)
	}
	line := tasktest.Fields{"execution_id": tasktest.Execution, "correlation_id": tasktest.Run}
	fx.WantLogged("delivered", line, line)
	fx.WantLogged("metrics", line, line)
	fx.Change("a Success -/-")
	successful := fx.Check("a", owner, snapshot.Notifications...)
	measured := fx.Counted(func(ctx context.Context) {
		if _, err := fx.task.Handle(ctx, notify.Input{Owner: owner, Pending: successful}); err != nil {
			t.Error(err)
		}
	})
	if diff := cmp.Diff(map[string]float64{"RunsSuccessful": 1}, measured); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownKind(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	for _, kind := range []snapshot.Kind{"ALL_LOST", snapshot.RunStalled} {
		_, err := fx.handle(t, snapshot.Outgoing{Kind: kind, CollectionKey: tasktest.Key("a")})
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), strconv.Quote(string(kind))) {
			t.Errorf("got %v, want Malformed and the kind", err)
		}
	}
	if len(fx.out.sent) > 0 {
		t.Errorf("sent %+v", fx.out.sent)
	}
}
