package e2e

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/test/scenario"
)

// run is a run of a scenario: its rows and messages.
type run struct {
	*system
	t    *testing.T
	id   string   // the correlation id
	sent []string // SQS ids of the messages, and ids of the executions started by hand
}

func (s *system) newRun(t *testing.T) *run {
	return &run{system: s, t: t, id: "e2e-" + rand.Text()}
}

type item = localtest.Item

func text(value string) types.AttributeValue { return localtest.Text(value) }

func number(value int) types.AttributeValue { return localtest.Number(value) }

// put writes a collection's row, as the exporter does: without FilesReceived unless it is among further.
func (r *run) put(collection, status string, sent int, further ...item) {
	r.t.Helper()
	r.stack.PutRow(r.t, r.id, collection, status, number(sent), further...)
}

// set writes one attribute of a row without a condition, as the sender does.
func (r *run) set(collection, attribute string, value types.AttributeValue) {
	r.t.Helper()
	r.stack.SetRow(r.t, r.id, collection, attribute, value)
}

// remove deletes a row, as a person or TTL does, and waits until the executions of the removal have ended.
func (r *run) remove(collection string) {
	r.t.Helper()
	r.stack.RemoveRow(r.t, r.id, collection)
	localtest.AwaitNothing(r.t, func() string { return r.executions.missing(r.id, `"REMOVE"`, encode(collection)) })
	r.settle(nil)
}

// row reads a collection's row, empty if there is none.
func (r *run) row(collection string) item {
	r.t.Helper()
	return r.stack.Row(r.t, r.id, collection)
}

// send sends messages to the file-received queue and returns their ids.
func (r *run) send(messages ...string) (ids []string) {
	r.t.Helper()
	for batch := range slices.Chunk(messages, 10) {
		sent, err := scenario.Post(r.t.Context(), r.queues, r.outputs.FileReceivedQueueUrl, batch...)
		if err != nil {
			r.t.Fatal(err)
		}
		ids = append(ids, sent...)
	}
	r.sent = append(r.sent, ids...)
	return ids
}

// handle sends messages and settles.
func (r *run) handle(messages ...string) []string {
	r.t.Helper()
	ids := r.send(messages...)
	r.settle(ids)
	return ids
}

// settle waits until the executions of the messages have ended, the source queue is empty, and all outgoing messages
// are collected. Nothing happens after that without another event.
func (r *run) settle(messageIDs []string) {
	r.t.Helper()
	localtest.AwaitNothing(r.t, func() string { return r.executions.unfinished(r.id, messageIDs) })
	localtest.Await(r.t, "the end of the file-received queue", func() bool {
		return localtest.Waiting(r.t, r.stack.Config, r.outputs.FileReceivedQueueUrl) == 0
	})
	for _, box := range []*inbox{r.requests, r.notifications, r.rejected} {
		localtest.Await(r.t, "collecting all messages of "+box.url, func() bool {
			return localtest.Waiting(r.t, r.stack.Config, box.url) == 0
		})
	}
}

// becomes waits until a collection has the status, and then settles.
func (r *run) becomes(collection, status string) {
	r.t.Helper()
	localtest.AwaitNothing(r.t, func() string {
		state := r.stack.RowState(r.t, r.id, collection)
		if strings.HasPrefix(state, status+" ") {
			return ""
		}
		return status + ": " + state
	})
	if err := r.executions.refresh(r.t.Context()); err != nil { // the execution that moved the row may be unknown yet
		r.t.Fatal(err)
	}
	r.settle(nil)
}

// start starts executions concurrently by hand, settles, and returns their results.
func (r *run) start(inputs ...string) []*sfn.DescribeExecutionOutput {
	r.t.Helper()
	started := make([]string, len(inputs))
	var starting errgroup.Group
	for i, input := range inputs {
		starting.Go(func() error {
			execution, err := r.machines.StartExecution(r.t.Context(),
				&sfn.StartExecutionInput{StateMachineArn: &r.outputs.StateMachineArn, Input: &input})
			if err == nil {
				started[i] = *execution.ExecutionArn
			}
			return err
		})
	}
	if err := starting.Wait(); err != nil {
		r.t.Fatal(err)
	}
	r.sent = append(r.sent, started...)
	var endings []*sfn.DescribeExecutionOutput
	for _, arn := range started {
		endings = append(endings, localtest.Ended(r.t, r.stack.Config, arn))
	}
	r.settle(nil)
	return endings
}

// sentRequests, sentNotifications and rejectedMessages are the messages of this run so far. A rejected message that
// does not name its run has the identity of a message that the run sent.
func (r *run) sentRequests() []outMessage      { return r.requests.pick(r.names) }
func (r *run) sentNotifications() []outMessage { return r.notifications.pick(r.names) }

func (r *run) rejectedMessages() []outMessage {
	return r.rejected.pick(func(m outMessage) bool {
		return r.names(m) || strings.Contains(m.attributes["identity"], r.id) ||
			slices.ContainsFunc(r.sent, func(id string) bool { return strings.HasPrefix(m.attributes["identity"], id) })
	})
}

func (r *run) names(m outMessage) bool { return strings.Contains(m.text, r.id) }
