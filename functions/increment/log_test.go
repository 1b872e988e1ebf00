package increment_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
)

func TestLog(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-7f3a"
	hidden := func(message string, fields ...string) string {
		identity, about, _ := strings.Cut(message, " ")
		return tasktest.Record(identity, tasktest.Body(about, append(fields, `"secret":"`+canary+`"`)...))
	}
	fx := newFixture(t, "a Sent 0/1")
	for _, event := range [][]string{
		{hidden("m1 a/f1"), hidden("m2 a/f2"), tasktest.Record("m3", canary), hidden("m4 unknown/f4"),
			hidden("m5 a/f5", `"is_success_file":"`+canary+`"`),
			tasktest.Record("m6", `{"Records":[{"x":"`+canary+`"}]}`)},
		{hidden("m1 a/f1")},
	} {
		if _, err := handle(t.Context(), fx.task, batch(event...)); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(fx.LogText(), canary) {
		t.Error("something of a body stands in the log:", fx.LogText())
	}
	var got []string
	for _, line := range fx.Logged("") {
		text := fmt.Sprint(line["level"], " ", line["message"])
		for _, key := range []string{"identity", "correlation_id", "collection_name", "file_name", "reason_code",
			"epoch",
			"files_received", "files_sent"} {
			if value, ok := line[key]; ok && value != "" {
				text += fmt.Sprint(" ", value)
			}
		}
		messages, _ := line["messages"].([]any)
		for _, message := range messages {
			fields := message.(map[string]any)
			digest, _ := base64.StdEncoding.DecodeString(fields["digest"].(string))
			text += fmt.Sprint(", ", fields["identity"], " ", fields["file_name"], " ", len(digest))
		}
		got = append(got, text)
	}
	want := []string{
		"INFO counted run-1 a 0, m1 f1 12, m2 f2 12", "WARN more files received than sent run-1 a 2 1",
		"WARN rejected m3 NOT_JSON", "WARN rejected m5 FLAG_INVALID", "WARN rejected m6/0 NO_BODY",
		"WARN rejected m4 run-1 unknown f4 UNKNOWN_COLLECTION",
		"INFO duplicate m1 run-1 a f1", "WARN more files received than sent run-1 a 2 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FilesSent is not final, or is 0 for a collection without files: no file is in excess.
func TestNoWarningWithoutExcess(t *testing.T) {
	t.Parallel()
	for _, row := range []string{"a Exported -/-", "a Exported 5/1", "a Sent 0/0", "a Sent 0/1"} {
		fx := newFixture(t, row)
		if _, err := handle(t.Context(), fx.task, batch("m1 a/1")); err != nil {
			t.Fatal(err)
		}
		fx.WantNotLogged("more files received than sent")
	}
}
