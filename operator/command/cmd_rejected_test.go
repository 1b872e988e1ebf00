package command

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
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

func newQueues(t *testing.T) queues {
	t.Helper()
	q := queues{T: t, Deployment: deployment.Deployment{Config: localtest.Config(localtest.Engine(t))}}
	q.SQS = sqs.NewFromConfig(q.Config)
	queue := func(name string, attributes map[string]string) string {
		name += regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(t.Name(), "-")
		made, err := q.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(made.QueueUrl)
	}
	q.Rejected, q.FileReceived = queue("rejected-", nil), queue("in-", map[string]string{"MaximumMessageSize": "1024"})
	q.Outputs = local.Outputs{RejectedMessagesQueueUrl: q.Rejected, FileReceivedQueueUrl: q.FileReceived,
		StateMachineArn: "arn:aws:states:eu-west-1:111122223333:stateMachine:checker"}
	return q
}

func (q queues) reject(identity, text string, reason snapshot.Reason, detail string) {
	q.Helper()
	rejecter := delivery.Rejected{SQS: q.SQS, QueueURL: q.Rejected}
	err := rejecter.Reject(q.Context(), snapshot.Receipt{Identity: identity, Raw: text,
		Rejection: &snapshot.Rejection{Reason: reason, Detail: detail}})
	if err != nil {
		q.Fatal(err)
	}
}

func fileMessage(run, name string) string {
	return fmt.Sprintf(`{"correlation_id":%q,"collection_name":"db.core.one","snapshot_type":"full",`+
		`"export_date":"2026-11-22","filename":%q}`, run, name)
}

// some rejects a message of every kind.
func (q queues) some() {
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

// says runs a command line two days after the messages were rejected.
func (q queues) says(in string, args ...string) said {
	q.Helper()
	var out, errOut bytes.Buffer
	code := runWith(args, &app{Context: q.Context(), in: strings.NewReader(in), out: &out, err: &errOut,
		found: &q.Deployment,
		now:   func() time.Time { return time.Now().Add(2*24*time.Hour + 4*time.Hour + 30*time.Minute) }})
	return said{code, out.String(), errOut.String()}
}

func (q queues) wantRejected(want int) {
	q.Helper()
	visible, hidden, err := q.Count(q.Context())
	if err != nil || visible != want || hidden != 0 {
		q.Errorf("%d messages are visible and %d in flight (%v), want %d and 0", visible, hidden, err, want)
	}
}

var aTime = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?`)

// The answers are those of the golden files, and all messages are visible afterwards.
func TestRejectedCommands(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		line, in string
		left     int // messages that are rejected afterwards
	}{
		"rejected-list":            {"rejected list", "", 6},
		"rejected-list.json":       {"rejected list --output json", "", 6},
		"rejected-list-reason":     {"rejected list --reason FIELD_MISSING --limit 1", "", 6},
		"rejected-list-run.json":   {"rejected list --run run-2 --output json", "", 6},
		"rejected-list-none":       {"rejected list --run run-3", "", 6},
		"rejected-list-none.json":  {"rejected list --run run-3 --output json", "", 6},
		"rejected-list-no-reason":  {"rejected list --reason NONSENSE", "", 6},
		"rejected-show":            {"rejected show id-1-missing", "", 6},
		"rejected-show.json":       {"rejected show id-3-unknown --output json", "", 6},
		"rejected-show-envelope":   {"rejected show --envelope id-4-not-json", "", 6},
		"rejected-show-none":       {"rejected show id-unknown", "", 6},
		"rejected-replay-dry":      {"rejected replay --all", "", 6},
		"rejected-replay-dry.json": {"rejected replay --all --output json", "", 6},
		"rejected-replay-one":      {"rejected replay id-3-unknown --yes", "", 5},
		"rejected-replay-as-is":    {"rejected replay --reason FIELD_MISSING --as-is --yes", "", 4},
		"rejected-replay-all":      {"rejected replay --all --yes", "", 5},
		"rejected-replay-all.json": {"rejected replay --all --yes --output json", "", 5},
		"rejected-replay-unknown":  {"rejected replay id-unknown --yes", "", 6},
		"rejected-replay-none":     {"rejected replay --run run-3 --yes", "", 6},
		"rejected-replay-what":     {"rejected replay --yes", "", 6},
		"rejected-replay-too-much": {"rejected replay id-3-unknown --all --yes", "", 6},
		"rejected-delete-asks":     {"rejected delete --run run-1", "3\n", 6},
		"rejected-delete-agreed":   {"rejected delete --run run-1", "4\n", 2},
		"rejected-delete-yes.json": {"rejected delete id-4-not-json --yes --output json", "", 5},
		"rejected-delete-nothing":  {"rejected delete --run run-3", "", 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueues(t)
			q.some()
			said := q.says(test.in, strings.Fields(test.line)...)
			text := fmt.Sprintf("$ snapshot-status %s\n%s", test.line, said.out)
			if said.err != "" {
				text += "[to standard error] " + said.err
			}
			golden(t, name, aTime.ReplaceAllString(text, "<a time>")+fmt.Sprintf("[exit code %d]\n", said.code))
			if strings.HasSuffix(name, ".json") {
				matchesSchema(t, strings.Join(strings.Fields(test.line)[:2], "-"), said.out)
			}
			q.wantRejected(test.left)
		})
	}
}

// The envelope that is shown is the one that is replayed.
func TestReplaySendsTheEnvelope(t *testing.T) {
	t.Parallel()
	q := newQueues(t)
	q.some()
	shown := q.says("", "rejected", "show", "--envelope", "id-3-unknown")
	if said := q.says("", "rejected", "replay", "id-3-unknown", "--yes"); said.code != exitOK {
		t.Fatal(said)
	}
	got, err := q.SQS.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.FileReceived})
	if err != nil || len(got.Messages) != 1 || aws.ToString(got.Messages[0].Body)+"\n" != shown.out {
		t.Errorf("%+v (%v) was replayed, want %s", got.Messages, err, shown.out)
	}
}

// A message whose row is late is replayed twice and counts once.
func TestReplayCountsOnce(t *testing.T) {
	s := deployed(t)
	s.send("late-row", "db.core.one", "one-001")
	reason := []string{"rejected", "replay", "--run", "late-row", "--yes"}
	s.untilSays([]string{"1 of 1 messages were replayed"}, reason...)
	// it was rejected again: there still is no row
	s.untilSays([]string{"UNKNOWN_COLLECTION"}, "rejected", "list", "--run", "late-row")
	s.row("late-row", "db.core.one", "Sent", "2")
	envelope := s.says("rejected", "list", "--run", "late-row", "-o", "json")
	identity := regexp.MustCompile(`"identity": "([^"]*)"`).FindStringSubmatch(envelope.out)
	if identity == nil {
		t.Fatal(envelope)
	}
	text := s.says("rejected", "show", "--envelope", identity[1]).out
	s.untilSays([]string{"1 of 1 messages were replayed"}, reason...)
	must(sqs.NewFromConfig(s.Config).SendMessage(t.Context(),
		&sqs.SendMessageInput{QueueUrl: &s.Outputs.FileReceivedQueueUrl, MessageBody: &text}))
	s.send("late-row", "db.core.one", "one-002")
	s.untilSays([]string{"2 of 2 files"}, "show", "late-row")
	s.succeeds("verify", "late-row")
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
