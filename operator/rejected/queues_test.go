package rejected_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/operator/rejected"
)

func TestMain(m *testing.M) { localtest.Main(m) }

// fault stands between a test and the engine: it sees each call's input, may change it, and may change the answer.
type fault func(ctx context.Context, in any, next func() (any, error)) (any, error)

func (f fault) option(o *sqs.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Fault", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
			out.Result, err = f(ctx, in.Parameters, func() (any, error) {
				var got middleware.InitializeOutput
				got, meta, err = next.HandleInitialize(ctx, in)
				return got.Result, err
			})
			return out, meta, err
		}), middleware.Before)
	})
}

// queues makes queues of the test's own; what the file-received queue takes is bounded.
func queues(t *testing.T, largest string, faults ...fault) rejected.Queues {
	t.Helper()
	client := sqs.NewFromConfig(localtest.Config(localtest.Engine(t)))
	queue := func(suffix string, attributes map[string]string) string {
		name := strings.ReplaceAll(t.Name(), "/", "-") + suffix
		made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		return *made.QueueUrl
	}
	options := make([]func(*sqs.Options), len(faults))
	for i, f := range faults {
		options[i] = f.option
	}
	return rejected.Queues{
		SQS:      sqs.NewFromConfig(localtest.Config(localtest.Engine(t)), options...),
		Rejected: queue("-rejected", nil), FileReceived: queue("-in", map[string]string{"MaximumMessageSize": largest}),
	}
}

func reject(t *testing.T, q rejected.Queues, texts ...string) {
	t.Helper()
	rejecter := delivery.Rejected{SQS: q.SQS, QueueURL: q.Rejected}
	for i, text := range texts {
		receipt := snapshot.Receipt{Identity: fmt.Sprintf("id-%02d", i), Raw: text,
			Rejection: &snapshot.Rejection{Reason: snapshot.ReasonNotCounted, Detail: "because"}}
		if err := rejecter.Reject(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(n int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf(`{"correlation_id":"run-%d"}`, i))
	}
	return texts
}

func read(t *testing.T, q rejected.Queues) *rejected.Reading {
	t.Helper()
	reading, err := q.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return reading
}

func wantCount(t *testing.T, q rejected.Queues, visible, hidden int) {
	t.Helper()
	gotVisible, gotHidden, err := q.Count(t.Context())
	if err != nil || gotVisible != visible || gotHidden != hidden {
		t.Errorf("%d messages visible and %d hidden (%v), want %d and %d", gotVisible, gotHidden, err, visible, hidden)
	}
}

func TestReadAndRelease(t *testing.T) {
	t.Parallel()
	q := queues(t, "1024")
	reject(t, q, texts(25)...)
	reading := read(t, q)
	wantCount(t, q, 0, 25)
	var got []string
	for _, m := range reading.Messages {
		if m.Reason != snapshot.ReasonNotCounted || m.Detail != "because" || m.SentAt.IsZero() {
			t.Errorf("read %+v", m)
		}
		got = append(got, m.Identity+" "+m.Text+" "+strings.Join(m.Runs, ","))
	}
	slices.Sort(got)
	var want []string
	for i, text := range texts(25) {
		want = append(want, fmt.Sprintf("id-%02d %s run-%d", i, text, i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if second := read(t, q); len(second.Messages) != 0 || second.InFlight != 25 {
		t.Errorf("a second reader got %d messages, and %d in flight; want 0 and 25", len(second.Messages),
			second.InFlight)
	}
	if err := reading.Release(t.Context()); err != nil {
		t.Error(err)
	}
	wantCount(t, q, 25, 0)
}

// After an interrupt or an error, messages that were received are visible again.
func TestInterruptedReadReleases(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		stop func(cancel func()) error
	}{
		{"Ctrl-C", func(cancel func()) error { cancel(); return nil }},
		{"an error", func(func()) error { return errors.New("no connection") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			receives := 0
			q := queues(t, "1024", func(_ context.Context, in any, next func() (any, error)) (any, error) {
				if _, receive := in.(*sqs.ReceiveMessageInput); receive {
					if receives++; receives == 2 {
						if err := test.stop(cancel); err != nil {
							return nil, err
						}
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

func TestReplayExactly(t *testing.T) {
	t.Parallel()
	q := queues(t, "262144")
	all := []string{" {\r\n\t\"a\": \"</b> é \U0001F600 \\u00e9\u2028\"\n}\n", "\"oh", strings.Repeat(`\"`, 60_000),
		"a\x00\uFFFFé"}
	all = append(all, texts(20)...)
	reject(t, q, all...)
	reading := read(t, q)
	outcomes, err := reading.Replay(t.Context(), reading.Messages)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		if !o.Done || o.Err != nil {
			t.Errorf("%s: done %t, %v", o.Identity, o.Done, o.Err)
		}
	}
	wantCount(t, q, 0, 0)
	want := map[string]string{}
	for i, text := range all {
		want[fmt.Sprintf("id-%02d", i)] = text
	}
	got := map[string]string{}
	for _, envelope := range arrived(t, q) {
		got[envelope.Records[0].MessageID] = envelope.Records[0].Body
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type envelope struct {
	Records []struct{ MessageID, Body string }
}

// arrived takes everything out of the file-received queue.
func arrived(t *testing.T, q rejected.Queues) (all []envelope) {
	t.Helper()
	for {
		got, err := q.SQS.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.FileReceived,
			MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return all
		}
		for _, m := range got.Messages {
			var e envelope
			if err := json.Unmarshal([]byte(*m.Body), &e); err != nil || len(e.Records) != 1 {
				t.Fatalf("%s: %v", *m.Body, err)
			}
			all = append(all, e)
		}
	}
}

// A message that does not fit in its envelope stays, and says so; its neighbours go.
func TestReplayTooLarge(t *testing.T) {
	t.Parallel()
	q := queues(t, "1024")
	reject(t, q, "small", strings.Repeat(`"`, 1000), "small too")
	reading := read(t, q)
	outcomes, err := reading.Replay(t.Context(), reading.Messages)
	if err != nil {
		t.Fatal(err)
	}
	tooLarge := (*rejected.TooLargeError)(nil)
	for _, o := range outcomes {
		if large := len(o.Text) == 1000; large != errors.As(o.Err, &tooLarge) || large == o.Done {
			t.Errorf("%s: done %t, %v", o.Identity, o.Done, o.Err)
		}
	}
	if err := reading.Release(t.Context()); err != nil {
		t.Error(err)
	}
	wantCount(t, q, 1, 0)
	if got := len(arrived(t, q)); got != 2 {
		t.Errorf("%d messages arrived, want 2", got)
	}
}

// SQS may refuse single messages of a batch, to take them or to delete them. What was not sent is not deleted.
func TestReplayRefusedByEntry(t *testing.T) {
	t.Parallel()
	refused := types.BatchResultErrorEntry{Code: aws.String("InternalError"), Message: aws.String("try again")}
	q := queues(t, "1024", func(_ context.Context, in any, next func() (any, error)) (any, error) {
		switch in := in.(type) {
		case *sqs.SendMessageBatchInput: // refuses the first
			entry := refused
			entry.Id = in.Entries[0].Id
			in.Entries = in.Entries[1:]
			out, err := next()
			out.(*sqs.SendMessageBatchOutput).Failed = append(out.(*sqs.SendMessageBatchOutput).Failed, entry)
			return out, err
		case *sqs.DeleteMessageBatchInput: // refuses the last
			last := len(in.Entries) - 1
			entry := refused
			entry.Id = in.Entries[last].Id
			in.Entries = in.Entries[:last]
			out, err := next()
			out.(*sqs.DeleteMessageBatchOutput).Failed = append(out.(*sqs.DeleteMessageBatchOutput).Failed, entry)
			return out, err
		}
		return next()
	})
	reject(t, q, texts(4)...)
	reading := read(t, q)
	outcomes, err := reading.Replay(t.Context(), reading.Messages)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range outcomes {
		got = append(got, fmt.Sprintf("%t %v", o.Done, o.Err))
	}
	want := []string{"false it was not replayed: InternalError: try again", "true <nil>", "true <nil>",
		"false it was replayed and counts once, but is still rejected; replay it again or delete it: " +
			"InternalError: try again"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := reading.Release(t.Context()); err != nil {
		t.Error(err)
	}
	wantCount(t, q, 2, 0)
	if got := len(arrived(t, q)); got != 3 {
		t.Errorf("%d messages arrived, want 3", got)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	q := queues(t, "1024")
	reject(t, q, texts(12)...)
	reading := read(t, q)
	for _, o := range reading.Delete(t.Context(), reading.Messages[:11]) {
		if !o.Done || o.Err != nil {
			t.Errorf("%s: done %t, %v", o.Identity, o.Done, o.Err)
		}
	}
	if err := reading.Release(t.Context()); err != nil {
		t.Error(err)
	}
	wantCount(t, q, 1, 0)
}
