package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/operator/logs"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/report"
)

// The example of docs/snapshot-status.md: a run with a late, a blocked, an incomplete and a failing collection and
// rejected messages is repaired with commands; only rows are set by hand. The run is late, a file comes again, the
// message of another one is a dead letter, and a second run is abandoned.
func TestANight(t *testing.T) {
	s := deployed(t)
	var played simulation
	if code := s.read(&played, "simulate", "--yes-really", "--run", "night", "--collections", "6", "--files", "4",
		"--late-sent", "1", "--missing", "1", "--blocked", "1", "--failing", "1", "--malformed", "2", "--duplicates",
		"0.2", "--seed", "7").code; code != exitOK || !played.Finished || played.Successful != 3 ||
		played.Answered != 3 {
		t.Fatalf("exit code %d, %+v", code, played)
	}
	incomplete, blocked, failing := played.Missing[0], played.Blocked[0], played.Failing[0]
	s.answers("why night", "in the rejected-messages queue", "status Blocked_Topic is final",
		"waits for files: 3 of 4", "FilesSent is a string, not a whole number",
		"rejected replay --yes --run=night --reason=NOT_COUNTED")
	s.answers("show night --status success", played.LateSent[0])
	s.answers("rejected list --run night", "FIELD_MISSING")

	s.row("night", failing, "Sent", "4")
	s.succeeds("rejected", "replay", "--run", "night", "--reason", "NOT_COUNTED", "--yes")

	s.registeredAt("night", time.Now().Add(-5*time.Hour))
	s.answers("pending --deliver --yes", "sent 1 alerts")
	s.answers("runs --open", "late")
	s.answers("why night", "late since")
	s.answers("pending --deliver --yes", "sent 0 alerts")

	// By message, the file that comes again would complete the collection.
	first := s.filesOf("night", incomplete)[0]
	s.send("night", incomplete, first.Name)
	s.untilSays("files night "+incomplete, "not counted: repeats "+first.Identity)
	s.answers("why night "+incomplete, "waits for files: 3 of 4")

	expected := "the-lost-one\n"
	for _, file := range s.filesOf("night", incomplete) {
		expected += file.Name + "\n"
	}
	s.answers("files --expected="+s.file(expected)+" night "+incomplete, "missing: the-lost-one")

	dead := s.deadLetter(`{"correlation_id":"night","collection_name":"` + incomplete + `","snapshot_type":"full",` +
		`"export_date":"2026-11-23","filename":"the-lost-one"}`)
	s.answers("rejected list --dead-letters --run night", "receives: 1")
	s.answers("rejected replay --dead-letters --run night --yes", "1 of 1 messages were replayed")
	s.untilSays("files night "+incomplete, dead)

	for _, name := range []string{incomplete, failing} {
		s.untilWaits("night", name, report.ForSuccessFile)
		s.send("night", name, "_success")
		s.untilWaits("night", name, report.ForNothing)
	}
	s.row("night", blocked, "Success", "")
	s.succeeds("reconcile", "night", "--yes")
	s.answers("watch night --lines --every 100ms",
		"successful: 6 of 6 collections received, 6 successful, 20 of 20 files")
	s.answers("verify night", "not counted: 1 repeated file", "Receipts, ledger and table agree.")
	s.answers("verify night --manifest "+s.file(incomplete+",the-lost-one\n"), incomplete+": 3 unexpected")
	s.checkHistory()

	s.row("trial", "db.core.one", "Sent", "9")
	s.send("trial", "db.core.one", "one-001")
	s.untilSays("show trial", "1/9")
	s.answers("abandon trial --reason mistaken --yes", "Abandoned trial.")
	s.answers("reconcile trial --yes", "Taken up again")
	s.answers("why trial", ": in progress")
	s.answers("abandon trial --reason stopped_by_hand --yes", "Abandoned trial.")
	s.registeredAt("trial", time.Now().Add(-5*time.Hour))
	s.answers("pending --deliver --yes", "sent 0 alerts")
	s.answers("why trial", "stopped_by_hand")
	if open := s.says("runs", "--open").out; strings.Contains(open, "trial") || strings.Contains(open, "night") {
		t.Errorf("open: %s", open)
	}
}

// checkHistory checks the history of the night: the functions' own lines hold, and one that says that a message was
// counted again does not.
func (s onStack) checkHistory() {
	s.Helper()
	localtest.Await(s.T, "lines of each kind", func() bool { // a busy engine may lose some
		var got checkedHistory
		s.read(&got, "verify", "night", "--history")
		n := got.Examined
		return n.Messages > 0 && n.Moves > 0 && n.Requests > 0 && n.Notifications > 0
	})
	s.answers("verify night --history", "The lines contradict no guarantee.")

	group := "/aws/lambda/" + s.Name + "-increment"
	var counted string
	err := logs.OfRun(s.Context(), logs.New(s.Config), group, "night", time.Time{}, func(line []byte) {
		if strings.Contains(string(line), `"message":"counted","service":"increment"`) {
			counted = string(line)
		}
	})
	if err != nil || counted == "" {
		s.Fatalf("no line: %v", err)
	}
	s.writes(group, counted)
	s.succeeds("verify", "night", "--history") // CloudWatch may have a line twice
	s.writes(group, strings.Replace(counted, `"timestamp":"20`, `"timestamp":"21`, 1))
	if again := s.says("verify", "night", "--history"); again.code != exitNotDone ||
		!strings.Contains(again.out, "was counted twice") {
		s.Errorf("%+v", again)
	}
}

// writes writes a line into the log group of a function.
func (s onStack) writes(group, line string) {
	s.Helper()
	client, stream := cloudwatchlogs.NewFromConfig(s.Config), time.Now().Format(time.RFC3339Nano)
	must(client.CreateLogStream(s.Context(),
		&cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream}))
	must(client.PutLogEvents(s.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group,
		LogStreamName: &stream, LogEvents: []logtypes.InputLogEvent{{Message: &line,
			Timestamp: aws.Int64(time.Now().UnixMilli())}}}))
}

// file makes a file of a text.
func (s onStack) file(text string) string {
	s.Helper()
	name := filepath.Join(s.TempDir(), "list")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return name
}

func (s onStack) filesOf(run, collection string) []file {
	s.Helper()
	var list fileList
	s.read(&list, "files", run, collection)
	return list.Files
}

// registeredAt sets the time of a run's first message.
func (s onStack) registeredAt(run string, at time.Time) {
	s.Helper()
	must(dynamodb.NewFromConfig(s.Config).UpdateItem(s.Context(), &dynamodb.UpdateItemInput{
		TableName:        &s.Outputs.LedgerTableName,
		Key:              localtest.Item{"PK": localtest.Text("run"), "SK": localtest.Text(run)},
		UpdateExpression: aws.String("SET RegisteredAt = :at"), ConditionExpression: aws.String("attribute_exists(PK)"),
		ExpressionAttributeValues: localtest.Item{":at": &types.AttributeValueMemberN{Value: fmt.Sprint(at.Unix())}}}))
}

// deadLetter puts a message where SQS moves one for which no execution could be started, and returns its identity.
func (s onStack) deadLetter(body string) string {
	s.Helper()
	queue := must(rejected.Queues{SQS: sqs.NewFromConfig(s.Config),
		FileReceived: s.Outputs.FileReceivedQueueUrl}.DeadLetters(s.Context()))
	return *must(queue.SQS.SendMessage(s.Context(),
		&sqs.SendMessageInput{QueueUrl: &queue.Rejected, MessageBody: &body})).MessageId
}
