package notify_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

func TestFailures(t *testing.T) {
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
		breaks    func(*fixture)
		first     int // messages sent during the failure
		delivered int // by the call after it
		again     int // messages sent by that
	}{
		{"the ledger cannot be read", func(fx *fixture) { fx.DB.Before = fails("Get") }, 0, 1, 1},
		{"the message cannot be sent", func(fx *fixture) { fx.out.fail[snapshot.SuccessFileRequest] = errDown }, 0, 1,
			1},
		{"it is sent, and cannot be marked: sent again with the same event id",
			func(fx *fixture) { fx.DB.Before = fails("Update") }, 1, 1, 1},
		{"it is marked, and the answer is lost", func(fx *fixture) { fx.DB.After = fails("Update") }, 1, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			request, _ := fx.pending(t, owner)
			test.breaks(fx)
			if got, err := fx.handle(t, request); !errors.Is(err, errDown) || got.Delivered != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
			if len(fx.out.sent) != test.first {
				t.Errorf("sent %d messages, want %d", len(fx.out.sent), test.first)
			}
			fx.DB.Before, fx.DB.After, fx.out.fail = nil, nil, nil
			got, err := fx.handle(t, request)
			if err != nil || got.Delivered != test.delivered {
				t.Errorf("then delivered %d, %v, want %d", got.Delivered, err, test.delivered)
			}
			if again := len(fx.out.sent) - test.first; again != test.again {
				t.Errorf("then sent %d messages, want %d", again, test.again)
			}
			for _, s := range fx.out.sent {
				if s.Out.EventID() != request.EventID() {
					t.Errorf("sent with the event id of %+v", s.Out)
				}
			}
		})
	}
}

func TestDeliveredMessagesAreNotRepeatedAfterAFailure(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	request, notification := fx.pending(t, owner)
	fx.out.fail[notification.Kind] = errDown
	if got, err := fx.handle(t, request, notification); !errors.Is(err, errDown) || !strings.Contains(err.Error(),
		"ALL_RECEIVED") || got.Delivered != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	fx.out.fail = nil
	if got, err := fx.handle(t, request, notification); err != nil || got.Delivered != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(fx.out.sent) != 2 || fx.out.sent[0].Out != request || fx.out.sent[1].Out != notification {
		t.Errorf("sent %+v", fx.out.sent)
	}
}

func TestUnknownKind(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	for _, kind := range []snapshot.Kind{"ALL_LOST", "", snapshot.RunStalled} {
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
