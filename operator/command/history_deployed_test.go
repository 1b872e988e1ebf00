package command

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/operator/history"
	"snapshot-status-checker/operator/logs"
)

// The functions' own lines of a run hold, and a line that says that a message was counted again does not.
func TestVerifyHistoryOnTheStack(t *testing.T) {
	s := deployed(t)
	s.succeeds("simulate", "--yes-really", "--run", "history", "--collections", "3", "--files", "4", "--duplicates",
		"0.3",
		"--seed", "7")
	want := history.Counts{Messages: 15, Moves: 6, Requests: 3, Notifications: 2}
	var got checkedHistory
	s.until(func(last said) bool { // the lines are written after the calls
		got = checkedHistory{}
		if json.Unmarshal([]byte(last.out), &got) != nil {
			return false
		}
		got.Examined.Lines = 0
		return last.code == exitOK && cmp.Equal(want, got.Examined)
	}, "verify", "history", "--history", "-o", "json")
	if len(got.Notes) > 0 || got.Collections != 3 {
		t.Errorf("%+v", got)
	}

	group := "/aws/lambda/" + s.Name + "-increment"
	var counted string
	if err := logs.OfRun(t.Context(), logs.New(s.Config), group, "history", time.Time{}, func(line []byte) {
		if strings.Contains(string(line), `"message":"counted","service":"increment"`) &&
			strings.Contains(string(line), `"correlation_id":"history"`) {
			counted = string(line)
		}
	}); err != nil || counted == "" {
		t.Fatalf("no line: %v", err)
	}
	s.writes(group, counted)
	s.succeeds("verify", "history", "--history") // CloudWatch may have a line twice
	s.writes(group, strings.Replace(counted, `"timestamp":"20`, `"timestamp":"21`, 1))
	if again := s.says("verify", "history", "--history"); again.code != exitNotDone ||
		!strings.Contains(again.out, "was counted twice") {
		t.Errorf("%+v", again)
	}
	var out, errOut strings.Builder
	if code := run(t.Context(), []string{"verify", "history", "--history", "--export-status-table",
		s.Outputs.ExportStatusTableName, "--ledger-table", s.Outputs.LedgerTableName}, strings.NewReader(""), &out,
		&errOut); code != exitFailed || !strings.Contains(errOut.String(), "--state-machine") {
		t.Errorf("without a stack: %d, %s", code, &errOut)
	}
}

// writes writes a line into the log group of a function.
func (s onStack) writes(group, line string) {
	s.Helper()
	client, stream := cloudwatchlogs.NewFromConfig(s.Config), time.Now().Format(time.RFC3339Nano)
	_, err := client.CreateLogStream(s.Context(),
		&cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream})
	if err == nil {
		_, err = client.PutLogEvents(s.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group,
			LogStreamName: &stream, LogEvents: []types.InputLogEvent{{Message: &line,
				Timestamp: aws.Int64(time.Now().UnixMilli())}}})
	}
	if err != nil {
		s.Fatal(err)
	}
}
