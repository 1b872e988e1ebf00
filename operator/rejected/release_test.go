package rejected_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"snapshot-status-checker/operator/rejected"
)

// fakeQueue gives its messages once, ten at a time, and says that it has some more.
type fakeQueue struct {
	messages, given, more int
	release               func(context.Context, *sqs.ChangeMessageVisibilityBatchInput) (
		*sqs.ChangeMessageVisibilityBatchOutput, error)
}

func (f *fakeQueue) queues() rejected.Queues {
	answer := fault(func(ctx context.Context, in any, _ func() (any, error)) (any, error) {
		switch in := in.(type) {
		case *sqs.GetQueueAttributesInput:
			return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{
				string(types.QueueAttributeNameApproximateNumberOfMessages): strconv.Itoa(
					f.messages - f.given + f.more),
				string(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible): "0",
			}}, nil
		case *sqs.ReceiveMessageInput:
			out := &sqs.ReceiveMessageOutput{}
			for ; len(out.Messages) < 10 && f.given < f.messages; f.given++ {
				out.Messages = append(out.Messages, types.Message{MessageId: aws.String(fmt.Sprint(f.given)),
					ReceiptHandle: aws.String(fmt.Sprint(f.given))})
			}
			return out, nil
		case *sqs.ChangeMessageVisibilityBatchInput:
			return f.release(ctx, in)
		}
		return nil, fmt.Errorf("unexpected %T", in)
	})
	return rejected.Queues{SQS: sqs.New(sqs.Options{Region: "eu-west-1"}, answer.option)}
}

// Many messages are released in concurrent batches, of which each has its own timeout.
func TestReleaseMany(t *testing.T) {
	t.Parallel()
	const atOnce, calls = 8, 30
	var mu sync.Mutex
	running, most := 0, 0
	deadlines := map[time.Time]bool{}
	full, once := make(chan struct{}), sync.Once{}
	f := &fakeQueue{messages: 10 * calls}
	f.release = func(ctx context.Context, _ *sqs.ChangeMessageVisibilityBatchInput) (
		*sqs.ChangeMessageVisibilityBatchOutput, error) {
		mu.Lock()
		running++
		if most = max(most, running); running == atOnce {
			once.Do(func() { close(full) })
		}
		deadline, _ := ctx.Deadline()
		deadlines[deadline] = true
		mu.Unlock()
		defer func() { mu.Lock(); running--; mu.Unlock() }()
		select { // the first ones wait for each other
		case <-full:
			time.Sleep(5 * time.Millisecond) // time for one too many
			return &sqs.ChangeMessageVisibilityBatchOutput{}, nil
		case <-time.After(time.Minute):
			once.Do(func() { close(full) })
			return nil, fmt.Errorf("no concurrent call")
		}
	}
	if err := read(t, f.queues()).Release(t.Context()); err != nil {
		t.Error(err)
	}
	if most != atOnce || len(deadlines) < 2 {
		t.Errorf("%d calls at a time, with %d deadlines; want %d, each with its own", most, len(deadlines), atOnce)
	}
}

// Messages that could not be released are counted.
func TestReleaseFails(t *testing.T) {
	t.Parallel()
	f := &fakeQueue{messages: 41}
	f.release = func(_ context.Context, in *sqs.ChangeMessageVisibilityBatchInput) (
		*sqs.ChangeMessageVisibilityBatchOutput, error) {
		for _, entry := range in.Entries {
			if *entry.ReceiptHandle == "7" {
				return nil, fmt.Errorf("no connection")
			}
		}
		return &sqs.ChangeMessageVisibilityBatchOutput{Failed: []types.BatchResultErrorEntry{
			{Code: aws.String("InternalError"), Message: aws.String("try again")}}}, nil
	}
	reading := read(t, f.queues())
	except := reading.Messages[0] // message 0, by its identity that all lack
	err := reading.Release(t.Context(), except)
	if err == nil || !strings.HasPrefix(err.Error(), "13 of 40 messages could not be made visible again: ") ||
		!strings.HasSuffix(err.Error(), "within 1m4.1s") {
		t.Error(err)
	}
}

// A list that lacks messages says so.
func TestAnIncompleteReadingSaysSo(t *testing.T) {
	t.Parallel()
	for more, want := range map[int]int{0: 0, 3: 3} {
		f := &fakeQueue{messages: 12, more: more}
		if reading := read(t, f.queues()); reading.NotReceived != want || len(reading.Messages) != 12 {
			t.Errorf("read %d messages, %d unseen, want 12 and %d", len(reading.Messages), reading.NotReceived, want)
		}
	}
}

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
		"DeleteDenied": {deleting, denied, false, "it was replayed and counts once, but is still rejected", 2,
			2},
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
			_ = reading.Release(t.Context()) // of what is gone already it complains
			wantCount(t, q, c.rejected, 0)
			if got := len(arrived(t, q)); got != c.arrived {
				t.Errorf("%d messages arrived, want %d", got, c.arrived)
			}
		})
	}
}
