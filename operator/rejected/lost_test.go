package rejected_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"snapshot-status-checker/operator/rejected"
)

// A call fails before or after its effect: each message says what took effect, and whether trying again is safe.
func TestCallsThatFail(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection reset")
	denied := &smithyhttp.ResponseError{Err: errors.New("denied"),
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusForbidden}}}
	sending := func(in any) bool { _, is := in.(*sqs.SendMessageBatchInput); return is }
	deleting := func(in any) bool { _, is := in.(*sqs.DeleteMessageBatchInput); return is }
	for name, c := range map[string]struct {
		which             func(in any) bool
		err               error
		delete            bool
		says              string
		arrived, rejected int
	}{
		"SendDenied": {sending, denied, false, "it was not replayed: ", 0, 2},
		"SendLost": {sending, lost, false,
			"it may have been replayed, and is still rejected; it counts once if you replay it again: ", 2, 2},
		"DeleteDenied":         {deleting, denied, false, "it was replayed and counts once, but is still rejected", 2, 2},
		"DeleteLost":           {deleting, lost, false, "it was replayed and counts once, but is still rejected", 2, 0},
		"DeleteRejectedDenied": {deleting, denied, true, "it may still be rejected; delete it again: ", 0, 2},
		"DeleteRejectedLost":   {deleting, lost, true, "it may still be rejected; delete it again: ", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := queues(t, "1024", func(_ context.Context, in any, next func() (any, error)) (any, error) {
				if c.which(in) && c.err == lost {
					_, _ = next() // took effect, and only the answer is lost
				}
				if c.which(in) {
					return nil, c.err
				}
				return next()
			})
			reject(t, q, texts(2)...)
			reading := read(t, q)
			do := reading.Replay
			if c.delete {
				do = func(ctx context.Context, messages []*rejected.Message) ([]rejected.Outcome, error) {
					return reading.Delete(ctx, messages), nil
				}
			}
			outcomes, err := do(t.Context(), reading.Messages)
			if err != nil || len(outcomes) != 2 {
				t.Fatal(err, outcomes)
			}
			for _, o := range outcomes {
				if o.Done || o.Err == nil || !strings.HasPrefix(o.Err.Error(), c.says) {
					t.Errorf("done %t, %v; want: %s", o.Done, o.Err, c.says)
				}
			}
			_ = reading.GiveBack(t.Context()) // of what is gone already it complains
			wantCount(t, q, c.rejected, 0)
			if got := len(arrived(t, q)); got != c.arrived {
				t.Errorf("%d messages arrived, want %d", got, c.arrived)
			}
		})
	}
}
