package rejected

import (
	"context"
	"errors"
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
	for _, batch := range batches(fit, func(i int) int { return len(messages[i].Envelope()) }) {
		if err := ctx.Err(); err != nil {
			fail(outcomes, batch, "it was not replayed", err, nil)
			continue
		}
		sent := r.queues.send(ctx, outcomes, batch)
		r.delete(ctx, outcomes, sent,
			"it was replayed and counts once, but is still "+r.queues.state()+"; replay it again or delete it")
	}
	return outcomes, nil
}

// WouldReplay says what Replay would do, and does nothing.
func (r *Reading) WouldReplay(ctx context.Context, messages []*Message) ([]Outcome, error) {
	outcomes, fit, err := r.queues.fit(ctx, messages)
	for _, i := range fit {
		outcomes[i].Done = true
	}
	return outcomes, err
}

// fit returns the indices of the messages that the file-received queue accepts; the others are too large.
func (q Queues) fit(ctx context.Context, messages []*Message) (outcomes []Outcome, fit []int, err error) {
	most, err := q.MostBytes(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i, message := range messages {
		outcome := Outcome{Message: message}
		if size := len(message.Envelope()); size > most {
			outcome.Err = &TooLargeError{Size: size, Most: most}
		} else {
			fit = append(fit, i)
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, fit, nil
}

// TooLargeError says that a message in its envelope is too large for the file-received queue.
type TooLargeError struct{ Size, Most int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("in its envelope it has %d bytes, but the file-received queue accepts at most %d", e.Size,
		e.Most)
}

// MostBytes asks how large a message the file-received queue accepts.
func (q Queues) MostBytes(ctx context.Context) (int, error) {
	name := types.QueueAttributeNameMaximumMessageSize
	got, err := q.SQS.GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: &q.FileReceived, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return 0, fmt.Errorf("reading the maximum message size of the file-received queue: %w", err)
	}
	most, err := strconv.Atoi(got.Attributes[string(name)])
	if err != nil {
		return 0, fmt.Errorf("reading the maximum message size of the file-received queue: %w", err)
	}
	return most, nil
}

// batches groups messages for calls.
func batches(all []int, size func(int) int) [][]int {
	var grouped [][]int
	bytes := 0
	for _, i := range all {
		if last := len(grouped) - 1; last < 0 || len(grouped[last]) == perCall || bytes+size(i) > mostPerBatch {
			grouped, bytes = append(grouped, nil), 0
		}
		grouped[len(grouped)-1] = append(grouped[len(grouped)-1], i)
		bytes += size(i)
	}
	return grouped
}

// send sends a batch and returns the messages that were sent.
func (q Queues) send(ctx context.Context, outcomes []Outcome, batch []int) (taken []int) {
	entries := make([]types.SendMessageBatchRequestEntry, 0, len(batch))
	for _, i := range batch {
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(outcomes[i].Envelope()),
		})
	}
	sent, err := q.SQS.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.FileReceived, Entries: entries})
	doing := "it was not replayed"
	if err != nil && !deployment.Refused(err) {
		doing = "it may have been replayed, and is still " + q.state() + "; it counts once if you replay it again"
	}
	failed := fail(outcomes, batch, doing, err, func() []types.BatchResultErrorEntry { return sent.Failed })
	return slices.DeleteFunc(slices.Clone(batch), func(i int) bool { return failed[i] })
}

// Delete deletes messages of the reading for good, until the context ends.
func (r *Reading) Delete(ctx context.Context, messages []*Message) []Outcome {
	outcomes := make([]Outcome, len(messages))
	all := make([]int, len(messages))
	for i, message := range messages {
		outcomes[i].Message, all[i] = message, i
	}
	for batch := range slices.Chunk(all, perCall) {
		if err := ctx.Err(); err != nil {
			fail(outcomes, batch, "it was not deleted", err, nil)
			continue
		}
		r.delete(ctx, outcomes, batch, "it may still be "+r.queues.state()+"; delete it again")
	}
	return outcomes
}

// delete deletes a batch from the queue that was read, also when the context has ended: its messages may have been
// replayed. A message that cannot be deleted is held until it is released; its error begins with stays.
func (r *Reading) delete(ctx context.Context, outcomes []Outcome, batch []int, stays string) {
	if len(batch) == 0 {
		return
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, 0, len(batch))
	for _, i := range batch {
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
			ReceiptHandle: outcomes[i].handle})
	}
	deleted, err := r.queues.SQS.DeleteMessageBatch(context.WithoutCancel(ctx),
		&sqs.DeleteMessageBatchInput{QueueUrl: &r.queues.Rejected, Entries: entries})
	failed := fail(outcomes, batch, stays, err, func() []types.BatchResultErrorEntry { return deleted.Failed })
	for _, i := range batch {
		if !failed[i] {
			outcomes[i].Done = true
			delete(r.byID, outcomes[i].id)
		}
	}
}

// fail records the errors of a batch, each after its meaning, and returns the messages that failed.
func fail(
	outcomes []Outcome, batch []int, meaning string, err error, entries func() []types.BatchResultErrorEntry,
) map[int]bool {
	failed := map[int]bool{}
	note := func(i int, cause error) {
		failed[i] = true
		outcomes[i].Err = errors.Join(outcomes[i].Err, fmt.Errorf("%s: %w", meaning, cause))
	}
	if err != nil {
		for _, i := range batch {
			note(i, err)
		}
		return failed
	}
	for _, entry := range entries() {
		if i, err := strconv.Atoi(aws.ToString(entry.Id)); err == nil {
			note(i, entryError(entry))
		}
	}
	return failed
}
