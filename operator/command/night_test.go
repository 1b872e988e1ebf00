package command

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/operator/report"
)

// The example of docs/snapshot-status.md: a run with a late, a blocked, an incomplete and a failing collection and
// rejected messages is repaired with commands; only rows are set by hand. The run is late, a file comes again, the
// message of another one is a dead letter, and a second run is abandoned.
func TestANight(t *testing.T) {
	s := deployedWith(t, "environment=night", "countBy=file", "lateAfterMinutes=full=240", "sweepEveryMinutes=60")
	s.StartPipes(t)
	simulated := s.says("simulate", "--yes-really", "--run", "night", "--collections", "6", "--files", "4",
		"--late-sent", "1",
		"--missing", "1", "--blocked", "1", "--failing", "1", "--malformed", "2", "--duplicates", "0.2", "--seed", "7")
	if simulated.code != exitOK || !strings.Contains(simulated.out, "3 of 6 collections are successful") {
		t.Fatalf("%+v", simulated)
	}
	s.answers("why night", "in the rejected-messages queue", "status Blocked_Topic is final",
		"waits for files: 3 of 4", "FilesSent is a string, not a whole number",
		"rejected replay --yes --run=night --reason=NOT_COUNTED")
	incomplete, blocked, failing := named(t, simulated.out, "lacks a file:"), named(t, simulated.out, "blocked:"),
		named(t, simulated.out, "bad row:")

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
	s.untilSays([]string{"not counted: repeats " + first.Identity}, "files", "night", incomplete)
	s.answers("why night "+incomplete, "waits for files: 3 of 4")

	sent := filepath.Join(s.TempDir(), "sent.txt")
	names := []byte("the-lost-one\n")
	for _, file := range s.filesOf("night", incomplete) {
		names = append(names, file.Name+"\n"...)
	}
	if err := os.WriteFile(sent, names, 0o600); err != nil {
		t.Fatal(err)
	}
	s.answers("files --expected="+sent+" night "+incomplete, "missing: the-lost-one")

	s.deadLetter(`{"correlation_id":"night","collection_name":"` + incomplete + `","snapshot_type":"full",` +
		`"export_date":"2026-11-23","filename":"the-lost-one"}`)
	s.answers("rejected list --dead-letters --run night", "receives: 1")
	s.answers("rejected replay --dead-letters --run night --yes", "1 of 1 messages were replayed")

	for _, name := range []string{incomplete, failing} {
		s.untilWaits("night", name, report.ForSuccessFile)
		s.send("night", name, "_success")
		s.untilWaits("night", name, report.ForNothing)
	}
	s.row("night", blocked, "Success", "")
	s.succeeds("reconcile", "night", "--yes")
	s.answers("watch night --lines --every 100ms",
		"successful: 6 of 6 collections received, 6 successful, 20 of 20 files")
	s.answers("verify night", "not counted: 1 repeated file")
	s.answers("verify night --history", "The lines contradict no guarantee.")

	s.row("trial", "db.core.one", "Sent", "9")
	s.send("trial", "db.core.one", "one-001")
	s.untilRun("trial", func(run report.Run) bool { return run.FilesReceived == 1 })
	s.answers("abandon trial --reason stopped_by_hand --yes", "Abandoned trial.")
	s.registeredAt("trial", time.Now().Add(-5*time.Hour))
	s.answers("pending --deliver --yes", "sent 0 alerts")
	s.answers("why trial", "stopped_by_hand")
	s.answers("runs --open", "No run is open.")
}

// answers expects texts in the answer of a command line.
func (s onStack) answers(line string, texts ...string) {
	s.Helper()
	said := s.says(strings.Fields(line)...)
	for _, text := range texts {
		if !strings.Contains(said.out, text) {
			s.Errorf("%s: no %q in %+v", line, text, said)
		}
	}
}

// named finds the collection that simulate names so.
func named(t *testing.T, out, as string) string {
	t.Helper()
	_, rest, found := strings.Cut(out, as)
	if !found {
		t.Fatalf("no %q in:\n%s", as, out)
	}
	return strings.Fields(rest)[0]
}

func (s onStack) filesOf(run, collection string) []file {
	s.Helper()
	var list fileList
	if err := json.Unmarshal([]byte(s.succeeds("files", run, collection, "-o", "json").out), &list); err != nil {
		s.Fatal(err)
	}
	return list.Files
}

// registeredAt sets the time of a run's first message.
func (s onStack) registeredAt(run string, at time.Time) {
	s.Helper()
	text := func(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }
	must(dynamodb.NewFromConfig(s.Config).UpdateItem(s.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.Outputs.LedgerTableName, Key: map[string]types.AttributeValue{"PK": text("run"), "SK": text(run)},
		UpdateExpression: aws.String("SET RegisteredAt = :at"), ConditionExpression: aws.String("attribute_exists(PK)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":at": &types.AttributeValueMemberN{Value: fmt.Sprint(at.Unix())}}}))
}

// deadLetter puts a message where SQS moves one for which no execution could be started.
func (s onStack) deadLetter(body string) {
	s.Helper()
	queue := s.deadLetterQueue()
	must(queue.SQS.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &queue.Rejected, MessageBody: &body}))
}
