package command

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/rejected"
)

// queues is a deployment that consists of two queues.
type queues struct {
	*testing.T
	deployment.Deployment
	rejected.Queues
}

func newQueues(t *testing.T) *queues {
	t.Helper()
	q := &queues{T: t, Deployment: deployment.Deployment{Config: localtest.Config(localtest.Engine(t))}}
	q.SQS = sqs.NewFromConfig(q.Config)
	queue := func(name string, attributes map[string]string) string {
		name += regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(t.Name(), "-")
		made := must(q.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes}))
		return aws.ToString(made.QueueUrl)
	}
	q.Rejected, q.FileReceived = queue("rejected-", nil), queue("in-", map[string]string{"MaximumMessageSize": "1024"})
	q.Outputs = local.Outputs{RejectedMessagesQueueUrl: q.Rejected, FileReceivedQueueUrl: q.FileReceived,
		StateMachineArn: "arn:aws:states:eu-west-1:111122223333:stateMachine:checker"}
	return q
}

func (q *queues) reject(identity, text string, reason snapshot.Reason, detail string) {
	q.Helper()
	rejecter := delivery.Rejected{SQS: q.SQS, QueueURL: q.Rejected}
	if err := rejecter.Reject(q.Context(), snapshot.Receipt{Identity: identity, Raw: text,
		Rejection: &snapshot.Rejection{Reason: reason, Detail: detail}}); err != nil {
		q.Fatal(err)
	}
}

func fileMessage(run, name string) string {
	return fmt.Sprintf(`{"correlation_id":%q,"collection_name":"db.core.one","snapshot_type":"full",`+
		`"export_date":"2026-11-22","filename":%q}`, run, name)
}

// some rejects a message of every kind.
func (q *queues) some() {
	q.Helper()
	q.reject("id-1-missing", `{"correlation_id":"run-1"}`, snapshot.ReasonFieldMissing,
		"required field collection_name is missing")
	q.reject("id-2-missing", `{"correlation_id":"run-2"}`, snapshot.ReasonFieldMissing,
		"required field collection_name is missing")
	q.reject("id-3-unknown", fileMessage("run-1", "a-001"), snapshot.ReasonUnknownCollection,
		"the export status table has no row for this correlation_id and collection_name")
	q.reject("id-4-not-json", "oh", snapshot.ReasonNotJSON, "the text is not valid JSON")
	q.reject("id-5-large", fileMessage("run-1", strings.Repeat("\\", 450)), snapshot.ReasonNotCounted,
		"counting failed for good: no such table")
	q.reject("id-6-flag", strings.Replace(fileMessage("run-1", "a-002"), "{", `{"shutdown_flag":"perhaps",`, 1),
		snapshot.ReasonFlagInvalid, "flag shutdown_flag is neither true nor false")
}

// deadLetters gives the file-received queue a dead-letter queue with messages of every kind. It is the queue whose
// messages are counted. Golden files have 00000000-… for the identity of the first: replaced and restored exchange
// them.
func (q *queues) deadLetters() (replaced, restored *strings.Replacer) {
	q.Helper()
	attributes := must(q.SQS.GetQueueAttributes(q.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.Rejected,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}}))
	must(q.SQS.SetQueueAttributes(q.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q.FileReceived,
		Attributes: map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"5"}`,
			attributes.Attributes["QueueArn"])}}))
	q.Outputs.RejectedMessagesQueueUrl = "" // is not needed
	var there, back []string
	for i, text := range []string{fileMessage("run-1", "a-001"), fileMessage("run-2", "a-001"),
		`{"Records":[{"body":` + fileMessage("run-1", "a-002") + `}]}`, "oh",
		fileMessage("run-1", strings.Repeat("\\", 450))} {
		sent := must(q.SQS.SendMessage(q.Context(), &sqs.SendMessageInput{QueueUrl: &q.Rejected, MessageBody: &text}))
		shown := fmt.Sprintf("%08d-0000-0000-0000-000000000000", i)
		there, back = append(there, *sent.MessageId, shown), append(back, shown, *sent.MessageId)
		for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; { // the lists are ordered by this time
			runtime.Gosched()
		}
	}
	return strings.NewReplacer(there...), strings.NewReplacer(back...)
}

// says runs a command line two days after the messages were rejected.
func (q *queues) says(in string, args ...string) said {
	q.Helper()
	later := func() time.Time { return time.Now().Add(2*24*time.Hour + 4*time.Hour + 30*time.Minute) }
	return answer(app{Context: q.Context(), found: &q.Deployment, now: later}, in, args...)
}

func (q *queues) wantRejected(want int) {
	q.Helper()
	visible, hidden, err := q.Count(q.Context())
	if err != nil || visible != want || hidden != 0 {
		q.Errorf("%d messages are visible and %d in flight (%v), want %d and 0", visible, hidden, err, want)
	}
}

// ofAQueue reports whether a golden file is the answer about a queue.
func ofAQueue(name string) bool {
	return strings.HasPrefix(name, "rejected-") || strings.HasPrefix(name, "dead-letters-")
}

var aTime = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?`)

// gone is how many messages a command takes out of the queue, by golden file.
var gone = map[string]int{"rejected-replay-one": 1, "rejected-replay-as-is": 2, "rejected-replay-all": 1,
	"rejected-replay-all.json": 1, "rejected-delete-agreed": 4, "rejected-delete-yes.json": 1,
	"dead-letters-replay": 3, "dead-letters-replay.json": 3, "dead-letters-replay-one": 1,
	"dead-letters-replay-run": 1, "dead-letters-replay-as-is": 1, "dead-letters-delete-agreed": 1,
	"dead-letters-delete.json": 1}

// The commands that read a queue answer as their golden files say. Afterwards all messages are visible but those that
// were replayed or deleted.
func TestQueueAnswers(t *testing.T) {
	t.Parallel()
	for name, line := range commandLines(t) {
		if !ofAQueue(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueues(t)
			replaced, restored, all := strings.NewReplacer(), strings.NewReplacer(), 6
			if strings.HasPrefix(name, "dead-letters-") {
				replaced, restored = q.deadLetters()
				all = 5
			} else {
				q.some()
			}
			got := q.says(input[name], wordsOf(name, restored.Replace(line))...)
			golden(t, name, replaced.Replace(aTime.ReplaceAllString(got.transcript(line), "<a time>")))
			if strings.HasSuffix(name, ".json") {
				matchesSchema(t, line, got.out, got.code)
			}
			q.wantRejected(all - gone[name])
		})
	}
}

// An incomplete list says so, to people and to scripts.
func TestRejectedListSaysThatItIsIncomplete(t *testing.T) {
	t.Parallel()
	q := newQueues(t)
	q.some()
	q.Config.APIOptions = append(q.Config.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Overcount", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, meta, err := next.HandleInitialize(ctx, in)
			if said, counted := out.Result.(*sqs.GetQueueAttributesOutput); counted {
				said.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)] = "9"
			}
			return out, meta, err
		}), middleware.Before)
	})
	said := q.says("", "rejected", "list", "-o", "json")
	if said.code != exitOK || !strings.Contains(said.err, "the queue did not return about 9 of its messages") ||
		!strings.Contains(said.out, `"not_received": 9`) {
		t.Errorf("%+v", said)
	}
}
