package rejected_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/rejected"
)

// What is read is hidden from other readers until it is released or deleted.
func TestReadDeleteAndRelease(t *testing.T) {
	t.Parallel()
	q := newSQS().with(none)
	reject(t, q, texts(25)...)
	reading := read(t, q)
	var got, want []string
	for i, m := range reading.Messages {
		if m.Reason != snapshot.ReasonNotCounted || m.Detail != "because" || m.SentAt.IsZero() {
			t.Errorf("read %+v", m)
		}
		got = append(got, m.Identity+" "+m.Text+" "+strings.Join(m.Runs, ","))
		want = append(want, fmt.Sprintf("id-%02d %s run-%d", i, texts(25)[i], i))
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 25 || reading.NotReceived != 0 {
		t.Errorf("%d messages, %d not received; %s", len(got), reading.NotReceived, diff)
	}
	if second := read(t, q); len(second.Messages) != 0 || second.InFlight != 25 {
		t.Errorf("a second reader got %d messages, and %d in flight; want 0 and 25", len(second.Messages),
			second.InFlight)
	}
	for _, o := range reading.Delete(t.Context(), reading.Messages[:11]) {
		if !o.Done || o.Err != nil {
			t.Errorf("%s: done %t, %v", o.Identity, o.Done, o.Err)
		}
	}
	wantCount(t, q, 0, 14)
	if err := reading.Release(t.Context()); err != nil {
		t.Error(err)
	}
	wantCount(t, q, 14, 0)
}

// After an interrupt or an error, messages that were received are visible again.
func TestInterruptedReadReleases(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]error{"Ctrl-C": nil, "an error": errors.New("no connection")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			receives := 0
			q := newSQS().with(func(_ context.Context, in any, next func() (any, error)) (any, error) {
				if _, receive := in.(*sqs.ReceiveMessageInput); receive {
					if receives++; receives == 2 && lost != nil {
						return nil, lost
					} else if receives == 2 {
						cancel()
					}
				}
				return next()
			})
			reject(t, q, texts(25)...)
			if reading, err := q.Read(ctx); err == nil {
				t.Errorf("no error, and %d messages", len(reading.Messages))
			}
			wantCount(t, q, 25, 0)
		})
	}
}

// A list that lacks messages says so.
func TestIncompleteReading(t *testing.T) {
	t.Parallel()
	f := newSQS()
	f.unseen = 3
	reject(t, f.with(none), texts(12)...)
	if reading := read(t, f.with(none)); reading.NotReceived != 3 || len(reading.Messages) != 12 {
		t.Errorf("read %d messages, %d not received, want 12 and 3", len(reading.Messages), reading.NotReceived)
	}
}

// Many messages are released in 8 concurrent calls, of which each has its own timeout.
func TestReleaseMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 72
		q := newSQS().with(func(ctx context.Context, in any, next func() (any, error)) (any, error) {
			if _, release := in.(*sqs.ChangeMessageVisibilityBatchInput); release {
				if deadline, _ := ctx.Deadline(); time.Until(deadline) != 30*time.Second {
					t.Errorf("a call ends at %s, want 30 s after %s", deadline, time.Now())
				}
				time.Sleep(time.Second)
			}
			return next()
		})
		reject(t, q, texts(10*calls)...)
		reading, began := read(t, q), time.Now()
		if err := reading.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != calls/8*time.Second {
			t.Errorf("%d calls of 1 s took %s, want 8 at a time", calls, took)
		}
	})
}

// Messages that could not be released are counted.
func TestReleaseFails(t *testing.T) {
	t.Parallel()
	q := newSQS().with(func(_ context.Context, in any, next func() (any, error)) (any, error) {
		release, is := in.(*sqs.ChangeMessageVisibilityBatchInput)
		if !is {
			return next()
		}
		for _, entry := range release.Entries {
			if strings.HasPrefix(*entry.ReceiptHandle, "sqs-07-") {
				return nil, errors.New("no connection")
			}
		}
		return &sqs.ChangeMessageVisibilityBatchOutput{Failed: []types.BatchResultErrorEntry{
			{Code: aws.String("InternalError"), Message: aws.String("try again")}}}, nil
	})
	reject(t, q, texts(41)...)
	reading := read(t, q)
	err := reading.Release(t.Context(), reading.Messages[0])
	if err == nil || !strings.HasPrefix(err.Error(), "13 of 40 messages could not be made visible again: ") ||
		!strings.HasSuffix(err.Error(), "within 1m4.1s") {
		t.Error(err)
	}
}

// Dead letters are read with their SQS message ids. Those of other queues are no business of this system: they stay,
// and are visible again. Those that a person put there do not say where they are from.
func TestReadDeadLetters(t *testing.T) {
	t.Parallel()
	f := newSQS()
	want := f.die(fileReceived, append(texts(12), " {\n\"correlation_id\": \"a b\" }\t")...)
	f.die("other", "not ours", "not ours either")
	want["by hand"] = *f.put(rejectedQueue, "by hand").MessageId
	q := f.with(none)
	reading, err := readDead(t, q)
	if err != nil {
		t.Fatal(err)
	}
	wantCount(t, q, 0, 16)
	got := map[string]string{}
	for _, m := range reading.Messages {
		got[m.Text] = m.Identity
		if m.Reason != "" || !m.DeadLetter() || m.SentAt.IsZero() ||
			!strings.HasPrefix(m.WouldBeRejected(), "would be rejected: ") {
			t.Errorf("read %+v with the text %q", m, m.Text)
		}
		if m.Text == "by hand" {
			continue
		}
		if m.Receives != 3 || m.Detail != "receives: 3, the first at 2026-11-23 01:30:00 UTC" || !m.FirstReceivedAt.
			Equal(began) {
			t.Errorf("read %+v, first received at %s", m, m.FirstReceivedAt)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || reading.OfOtherQueues != 2 || reading.NotReceived != 0 {
		t.Errorf("%d of other queues, %d not received; %s", reading.OfOtherQueues, reading.NotReceived, diff)
	}
	if !slices.ContainsFunc(reading.Messages, func(m *rejected.Message) bool {
		return slices.Equal(m.Runs, []string{"run-7"})
	}) {
		t.Error("no message names its run")
	}
	if err := reading.Release(t.Context()); err != nil {
		t.Error(err)
	}
	wantCount(t, q, 16, 0)
}

// Without a dead-letter queue, or if it cannot be found, the error says so, and nothing is read.
func TestNoDeadLetterQueue(t *testing.T) {
	t.Parallel()
	const unreadable = "reading the file-received queue's redrive policy: "
	for policy, says := range map[string]string{
		"": rejected.ErrNoDeadLetterQueue.Error(), "no JSON": unreadable, "{}": unreadable,
		`{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:111122223333:gone"}`: "finding dead-letter queue gone: ",
	} {
		f := newSQS()
		f.redrive = policy
		if _, err := f.with(none).DeadLetters(t.Context()); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%s: %v, want %s", policy, err, says)
		}
	}
}
