package rejected

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/operator/deployment"
)

// Outcome is the result for a message.
type Outcome struct {
	*Message
	Done bool // it was replayed or deleted
	Err  error
}

// mostPerBatch is how many bytes SQS takes in one call in every region.
const mostPerBatch = 256 * 1024

// Replay sends messages to the file-received queue and then deletes them from the queue that was read. They count once,
// also if Replay runs again or is interrupted. A message that cannot be replayed stays there and does not affect the
// others. An error concerns all messages.
func (r *Reading) Replay(ctx context.Context, messages []*Message) ([]Outcome, error) {
	outcomes, fit, err := r.queues.fit(ctx, messages)
	if err != nil {
		return nil, err
	}
	for _, some := range batches(fit, func(o *Outcome) int { return len(o.Envelope()) }) {
		if err := ctx.Err(); err != nil {
			some.succeeded("it was not replayed", err, nil)
			continue
		}
		r.delete(ctx, r.queues.send(ctx, some),
			"it was replayed and counts once, but is still "+r.queues.state()+"; replay it again or delete it")
	}
	return outcomes, nil
}

// WouldReplay says what Replay would do, and does nothing.
func (r *Reading) WouldReplay(ctx context.Context, messages []*Message) ([]Outcome, error) {
	outcomes, fit, err := r.queues.fit(ctx, messages)
	for _, o := range fit {
		o.Done = true
	}
	return outcomes, err
}

// fit returns the outcomes of the messages that the file-received queue accepts; the others are too large.
func (q Queues) fit(ctx context.Context, messages []*Message) (outcomes []Outcome, fit batch, err error) {
	most, err := q.MostBytes(ctx)
	if err != nil {
		return nil, nil, err
	}
	outcomes = make([]Outcome, len(messages))
	for i, message := range messages {
		outcomes[i].Message = message
		if size := len(message.Envelope()); size > most {
			outcomes[i].Err = &TooLargeError{Size: size, Most: most}
		} else {
			fit = append(fit, &outcomes[i])
		}
	}
	return outcomes, fit, nil
}

// MostBytes asks how large a message the file-received queue accepts.
func (q Queues) MostBytes(ctx context.Context) (int, error) {
	const doing = "reading the maximum message size of the file-received queue"
	got, err := Attributes(ctx, q.SQS, q.FileReceived, doing, types.QueueAttributeNameMaximumMessageSize)
	if err != nil {
		return 0, err
	}
	most, err := strconv.Atoi(got[string(types.QueueAttributeNameMaximumMessageSize)])
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	return most, nil
}

// TooLargeError says that a message in its envelope is too large for the file-received queue.
type TooLargeError struct{ Size, Most int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("in its envelope it has %d bytes, but the file-received queue accepts at most %d", e.Size,
		e.Most)
}

// batch are the outcomes of messages that are in one call. An entry's id is its message's position.
type batch []*Outcome

func batches(all batch, size func(*Outcome) int) (grouped []batch) {
	bytes := 0
	for _, o := range all {
		if last := len(grouped) - 1; last < 0 || len(grouped[last]) == perCall || bytes+size(o) > mostPerBatch {
			grouped, bytes = append(grouped, nil), 0
		}
		grouped[len(grouped)-1] = append(grouped[len(grouped)-1], o)
		bytes += size(o)
	}
	return grouped
}

// send returns the messages that were sent.
func (q Queues) send(ctx context.Context, all batch) batch {
	entries := make([]types.SendMessageBatchRequestEntry, 0, len(all))
	for i, o := range all {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
			MessageBody: aws.String(o.Envelope())})
	}
	sent, err := q.SQS.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.FileReceived, Entries: entries})
	meaning := "it was not replayed"
	if err != nil && !deployment.Refused(err) {
		meaning = "it may have been replayed, and is still " + q.state() + "; it counts once if you replay it again"
	}
	return all.succeeded(meaning, err, cmp.Or(sent, &sqs.SendMessageBatchOutput{}).Failed)
}

// Delete deletes messages of the reading for good, until the context ends.
func (r *Reading) Delete(ctx context.Context, messages []*Message) []Outcome {
	outcomes, all := make([]Outcome, len(messages)), make(batch, len(messages))
	for i, message := range messages {
		outcomes[i].Message, all[i] = message, &outcomes[i]
	}
	for some := range slices.Chunk(all, perCall) {
		if err := ctx.Err(); err != nil {
			some.succeeded("it was not deleted", err, nil)
			continue
		}
		r.delete(ctx, some, "it may still be "+r.queues.state()+"; delete it again")
	}
	return outcomes
}

// delete deletes a batch from the queue that was read, also when the context has ended: its messages may have been
// replayed. A message that cannot be deleted is held until it is released; its error begins with stays.
func (r *Reading) delete(ctx context.Context, all batch, stays string) {
	if len(all) == 0 {
		return
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, 0, len(all))
	for i, o := range all {
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
			ReceiptHandle: o.handle})
	}
	deleted, err := r.queues.SQS.DeleteMessageBatch(context.WithoutCancel(ctx),
		&sqs.DeleteMessageBatchInput{QueueUrl: &r.queues.Rejected, Entries: entries})
	for _, o := range all.succeeded(stays, err, cmp.Or(deleted, &sqs.DeleteMessageBatchOutput{}).Failed) {
		o.Done = true
		delete(r.byID, o.id)
	}
}

// succeeded returns the messages for which a call succeeded. It records the error of the others, the call's or SQS's,
// after its meaning.
func (b batch) succeeded(meaning string, err error, refused []types.BatchResultErrorEntry) (done batch) {
	causes := make([]error, len(b))
	for _, entry := range refused {
		if i, err := strconv.Atoi(aws.ToString(entry.Id)); err == nil {
			causes[i] = entryError(entry)
		}
	}
	for i, o := range b {
		if cause := cmp.Or(err, causes[i]); cause != nil {
			o.Err = fmt.Errorf("%s: %w", meaning, cause)
		} else {
			done = append(done, o)
		}
	}
	return done
}
