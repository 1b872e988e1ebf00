package command

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/operator/report"
)

// A run with a late, a blocked, an incomplete and a failing collection and rejected messages is understood and mended
// by command alone, as docs/snapshot-status.md tells; only rows are set by hand.
func TestANight(t *testing.T) {
	s := deployed(t)
	simulated := s.says("simulate", "--yes-really", "--run", "night", "--collections", "6", "--files", "4",
		"--late-sent", "1",
		"--missing", "1", "--blocked", "1", "--failing", "1", "--malformed", "2", "--duplicates", "0.2", "--seed", "7")
	if simulated.code != exitOK || !strings.Contains(simulated.out, "3 of 6 collections are successful") {
		t.Fatalf("%+v", simulated)
	}
	why := s.says("why", "night")
	for _, sentence := range []string{"in the rejected-messages queue", "status Blocked_Topic is final",
		"waits for files: 3 of 4",
		"FilesSent is a string, not a whole number", "rejected replay --yes --run=night --reason=NOT_COUNTED"} {
		if !strings.Contains(why.out, sentence) {
			t.Errorf("why does not say %q:\n%s", sentence, why.out)
		}
	}
	incomplete, blocked, failing := named(t, simulated.out, "lacks a file:"), named(t, simulated.out, "blocked:"),
		named(t, simulated.out, "bad row:")
	if files := s.says("files", "night", incomplete); strings.Count(files.out, ".txt.gz.enc") != 3 {
		t.Errorf("files: %+v", files)
	}
	if sent := s.says("send", "--run", "night", "--collection", incomplete, "--file", "the-lost-one",
		"--yes"); sent.code != exitOK {
		t.Fatalf("%+v", sent)
	}
	s.row("night", failing, "Sent", "4")
	if replayed := s.says("rejected", "replay", "--run", "night", "--reason", "NOT_COUNTED",
		"--yes"); replayed.code != exitOK {
		t.Fatalf("%+v", replayed)
	}
	for _, name := range []string{incomplete, failing} {
		s.until("night", func(run report.Run) bool { return one(run, name).WaitsFor == report.ForSuccessFile })
		if sent := s.says("send", "--run", "night", "--collection", name, "--success", "--yes"); sent.code != exitOK {
			t.Fatalf("%+v", sent)
		}
		s.until("night", func(run report.Run) bool { return one(run, name).WaitsFor == report.ForNothing })
	}
	s.status("night", blocked, "Success")
	if looked := s.says("reconcile", "night", "--yes"); looked.code != exitOK {
		t.Fatalf("%+v", looked)
	}
	watched := s.says("watch", "night", "--lines", "--every", "100ms")
	if watched.code != exitOK || !strings.Contains(watched.out,
		"successful: 6 of 6 collections received, 6 successful, 20 of 20 files") {
		t.Errorf("%+v", watched)
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

func one(run report.Run, name string) report.Collection {
	found, _ := new(app).collection(run, name)
	return found
}

// status writes a row's status by hand.
func (s onStack) status(run, collection, status string) {
	s.Helper()
	text := func(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }
	_, err := dynamodb.NewFromConfig(s.Config).UpdateItem(s.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.Outputs.ExportStatusTableName,
		Key: map[string]types.AttributeValue{"CorrelationId": text(run),
			"CollectionName": text(collection)},
		UpdateExpression:          aws.String("SET CollectionStatus = :status"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":status": text(status)},
	})
	if err != nil {
		s.Fatal(err)
	}
}
