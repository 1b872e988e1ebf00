package increment_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/table"
)

func TestLog(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-7f3a"
	hidden := `"secret":"` + canary + `"`
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(1))
	_, err := fx.handle(t, tasktest.Batch(
		tasktest.Message("m1", tasktest.Body("a", "f1", hidden)),
		tasktest.Message("m2", tasktest.Body("a", "f2", hidden)), tasktest.Message("m3", canary),
		tasktest.Message("m4", tasktest.Body("unknown", "f4", hidden)),
		tasktest.Message("m5", tasktest.Body("a", "f5", hidden, `"is_success_file":"`+canary+`"`)),
		tasktest.Message("m6", `{"Records":[{"x":"`+
			canary+`"}]}`)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fx.handle(t, tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "f1", hidden)))); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(fx.LogText(), canary) {
		t.Error("something of a body stands in the log:", fx.LogText())
	}
	var got []string
	for _, line := range fx.Logged("") {
		messages, _ := line["messages"].([]any)
		for _, message := range messages {
			message := message.(map[string]any)
			if digest, _ := base64.StdEncoding.DecodeString(message["digest"].(string)); len(digest) != 12 {
				t.Errorf("digest of %d bytes", len(digest))
			}
			message["digest"] = "-"
		}
		text := line["level"].(string) + " " + line["message"].(string)
		for _, key := range []string{"identity", "correlation_id", "collection_name", "file_name", "reason_code",
			"messages", "epoch", "files_received", "files_sent"} {
			if value, ok := line[key]; ok && value != "" {
				text += " " + strings.TrimSuffix(strings.ReplaceAll(jsonText(value), `"`, ""), ".0")
			}
		}
		got = append(got, text)
	}
	want := []string{
		"INFO counted run-1 a [{digest:-,file_name:f1,identity:m1},{digest:-,file_name:f2,identity:m2}] 0",
		"WARN more files received than sent run-1 a 2 1", "WARN rejected m3 NOT_JSON", "WARN rejected m5 FLAG_INVALID",
		"WARN rejected m6/0 NO_BODY", "WARN rejected m4 run-1 unknown f4 UNKNOWN_COLLECTION",
		"INFO duplicate m1 run-1 a f1", "WARN more files received than sent run-1 a 2 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FilesSent is not final, or is 0 for a collection without files: no file is in excess.
func TestNoWarningWithoutExcess(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]table.Item{"not known": {"CollectionStatus": "Exported"},
		"still growing": {"CollectionStatus": "Exported", "FilesSent": int64(1), "FilesReceived": int64(5)},
		"no files":      tasktest.Sent(0), "as many as sent": tasktest.Sent(1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.Put("a", row)
			if _, err := fx.handle(t, tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")))); err != nil {
				t.Fatal(err)
			}
			if warned := fx.Logged("more files received than sent"); len(warned) > 0 {
				t.Errorf("warned: %v", warned)
			}
		})
	}
}
