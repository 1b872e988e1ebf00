package rejected_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/operator/rejected"
)

// Each text is replayed exactly. One that does not fit in its envelope stays, and says so; its neighbours go.
func TestReplay(t *testing.T) {
	t.Parallel()
	f := newSQS()
	q := f.with(none)
	tooLarge := strings.Repeat(`"`, largest/2)
	all := append(texts(20), " {\r\n\t\"a\": \"</b> é \U0001F600 \\u00e9\u2028\"\n}\n", "\"oh", tooLarge,
		strings.Repeat(`\"`, 45_000), "a\x00\uFFFFé")
	reject(t, q, all...)
	reading := read(t, q)
	outcomes, err := reading.Replay(t.Context(), reading.Messages)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		if stays := errors.As(o.Err, new(*rejected.TooLargeError)); stays != (o.Text == tooLarge) || stays == o.Done {
			t.Errorf("%s: done %t, %v", o.Identity, o.Done, o.Err)
		}
	}
	if err := reading.Release(t.Context()); err != nil {
		t.Error(err)
	}
	wantCount(t, q, 1, 0)
	want := map[string]string{}
	for i, text := range all {
		if text != tooLarge {
			want[fmt.Sprintf("id-%02d", i)] = text
		}
	}
	if diff := cmp.Diff(want, f.arrived(t)); diff != "" {
		t.Error(diff)
	}
}

var (
	sends     = &sqs.SendMessageBatchInput{}
	deletes   = &sqs.DeleteMessageBatchInput{}
	errLost   = errors.New("connection reset") // after the call took effect
	errDenied = &smithyhttp.ResponseError{Err: errors.New("denied"),
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusForbidden}}}
)

// failing lets calls of a kind fail.
func failing(kind any, err error) fault {
	return func(_ context.Context, in any, next func() (any, error)) (any, error) {
		if reflect.TypeOf(in) != reflect.TypeOf(kind) {
			return next()
		}
		if err == errLost {
			_, _ = next()
		}
		return nil, err
	}
}

// refusing refuses the first message of calls of a kind.
func refusing(kind any) fault {
	refused := []types.BatchResultErrorEntry{{Id: aws.String("0"), Code: aws.String("InternalError"),
		Message: aws.String("try again")}}
	return func(_ context.Context, in any, next func() (any, error)) (any, error) {
		if reflect.TypeOf(in) != reflect.TypeOf(kind) {
			return next()
		}
		if in, sends := in.(*sqs.SendMessageBatchInput); sends {
			in.Entries = in.Entries[1:]
			_, err := next()
			return &sqs.SendMessageBatchOutput{Failed: refused}, err
		}
		in.(*sqs.DeleteMessageBatchInput).Entries = in.(*sqs.DeleteMessageBatchInput).Entries[1:]
		_, err := next()
		return &sqs.DeleteMessageBatchOutput{Failed: refused}, err
	}
}

// A call fails before or after its effect, or SQS refuses one message of it: each message says what took effect, and
// whether trying again is safe. What was not sent is not deleted.
func TestCallsThatFail(t *testing.T) {
	t.Parallel()
	replay := (*rejected.Reading).Replay
	deleteOnly := func(r *rejected.Reading, ctx context.Context, all []*rejected.Message) ([]rejected.Outcome, error) {
		return r.Delete(ctx, all), nil
	}
	const notSent, deleted = "it was not replayed: ", "it may still be rejected; delete it again: "
	const maySent = "it may have been replayed, and is still rejected; it counts once if you replay it again: "
	const sent = "it was replayed and counts once, but is still rejected; replay it again or delete it: "
	for name, c := range map[string]struct {
		before         fault
		do             func(*rejected.Reading, context.Context, []*rejected.Message) ([]rejected.Outcome, error)
		first, second  string // what the messages say; "" if it is done
		arrived, stays int
	}{
		"SendDenied":       {failing(sends, errDenied), replay, notSent, notSent, 0, 2},
		"SendLost":         {failing(sends, errLost), replay, maySent, maySent, 2, 2},
		"SendRefused":      {refusing(sends), replay, notSent + "InternalError: try again", "", 1, 1},
		"DeleteDenied":     {failing(deletes, errDenied), replay, sent, sent, 2, 2},
		"DeleteLost":       {failing(deletes, errLost), replay, sent, sent, 2, 0},
		"DeleteRefused":    {refusing(deletes), replay, sent + "InternalError: try again", "", 2, 1},
		"DeleteOnlyDenied": {failing(deletes, errDenied), deleteOnly, deleted, deleted, 0, 2},
		"DeleteOnlyLost":   {failing(deletes, errLost), deleteOnly, deleted, deleted, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newSQS()
			q := f.with(c.before)
			reject(t, q, texts(2)...)
			reading := read(t, q)
			outcomes, err := c.do(reading, t.Context(), reading.Messages)
			if err != nil || len(outcomes) != 2 {
				t.Fatal(err, outcomes)
			}
			for i, says := range []string{c.first, c.second} {
				o := outcomes[i]
				if o.Done != (says == "") || o.Done != (o.Err == nil) || o.Err != nil &&
					!strings.HasPrefix(o.Err.Error(),
						says) {
					t.Errorf("%s: done %t, %v; want: %s", o.Identity, o.Done, o.Err, says)
				}
			}
			if err := reading.Release(t.Context()); err != nil {
				t.Error(err)
			}
			wantCount(t, q, c.stays, 0)
			if got := len(f.arrived(t)); got != c.arrived {
				t.Errorf("%d messages arrived, want %d", got, c.arrived)
			}
		})
	}
}

// Errors name the dead letters.
func TestErrorsNameTheDeadLetters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before fault
		says   string
	}{
		{failing(sends, errLost), "it may have been replayed, and is still a dead letter; "},
		{failing(deletes, errLost), "it was replayed and counts once, but is still a dead letter; "},
		{failing(&sqs.ReceiveMessageInput{}, errDenied), "reading the dead letters: "},
	} {
		f := newSQS()
		f.die(fileReceived, "text")
		reading, err := readDead(t, f.with(c.before))
		if err == nil {
			var outcomes []rejected.Outcome
			if outcomes, err = reading.Replay(t.Context(), reading.Messages); err == nil {
				err = outcomes[0].Err
			}
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%v, want: %s", err, c.says)
		}
	}
}
