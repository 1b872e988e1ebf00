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

	"snapshot-status-checker/operator/effect"
)

// Outcome is what became of a message.
type Outcome struct {
	*Message
	Done bool // it was put back, and is kept no more; or it was deleted
	Err  error
}

// mostPerBatch is how many bytes SQS takes in one call, all messages together, in every region.
const mostPerBatch = 256 * 1024

// Replay puts messages of the reading back on the file-received queue, and then deletes those that it took from the
// queue of kept messages. Doing it again, or dying in between, changes nothing: they count once. A message that cannot
// be put back stays kept, and its neighbours do not suffer. An error is one of all messages.
func (r *Reading) Replay(ctx context.Context, messages []*Message) ([]Outcome, error) {
	outcomes, fit, err := r.queues.fit(ctx, messages)
	if err != nil {
		return nil, err
	}
	for _, batch := range batches(fit, func(i int) int { return len(messages[i].Envelope()) }) {
		if err := ctx.Err(); err != nil {
			fail(outcomes, batch, "it was not put back", err, nil)
			continue
		}
		sent := r.queues.send(ctx, outcomes, batch)
		r.delete(ctx, outcomes, sent,
			"it was put back and counts once, but is still kept here, so it may be put back again or dropped")
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

// fit returns the indices of the messages that the file-received queue takes, and notes the others as too large.
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

// TooLargeError says that a message does not fit into the file-received queue inside of its envelope.
type TooLargeError struct{ Size, Most int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("in its envelope it has %d bytes, and the file-received queue takes %d", e.Size, e.Most)
}

// MostBytes asks how large a message the file-received queue takes.
func (q Queues) MostBytes(ctx context.Context) (int, error) {
	name := types.QueueAttributeNameMaximumMessageSize
	got, err := q.SQS.GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: &q.FileReceived, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return 0, fmt.Errorf("asking the file-received queue how large messages may be: %w", err)
	}
	most, err := strconv.Atoi(got.Attributes[string(name)])
	if err != nil {
		return 0, fmt.Errorf("asking the file-received queue how large messages may be: %w", err)
	}
	return most, nil
}

// batches groups what is small enough for one call.
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

// send sends a batch and returns those that the queue took.
func (q Queues) send(ctx context.Context, outcomes []Outcome, batch []int) (taken []int) {
	entries := make([]types.SendMessageBatchRequestEntry, 0, len(batch))
	for _, i := range batch {
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(outcomes[i].Envelope()),
		})
	}
	sent, err := q.SQS.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.FileReceived, Entries: entries})
	doing := "it was not put back"
	if err != nil && !effect.Refused(err) {
		doing = "it may have been put back, and is still kept here; it counts once if it is put back again"
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
		r.delete(ctx, outcomes, batch, "it may be kept here still, and may be dropped again")
	}
	return outcomes
}

// delete deletes a batch from the queue of kept messages. What was put back is deleted even when the context ends just
// then. A message that cannot be deleted is still kept, and held until it is given back; its error begins with stays.
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

// fail notes what went wrong with which messages of a batch, behind what that means for each, and returns which.
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
