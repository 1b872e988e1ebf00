package snapshot_test

import (
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func TestValidateByFile(t *testing.T) {
	t.Parallel()
	const missing, invalid = snapshot.ReasonFieldMissing, snapshot.ReasonFieldNotString
	for text, want := range map[string]struct {
		reason snapshot.Reason // "" for a message that counts
		detail string
	}{
		body("filename", `"a"`):                            {},
		body("file_name", `"a"`):                           {},
		body("filename", `null`, "file_name", `"a"`):       {},
		body("filename", `"NOT_SET"`, "file_name", `"a"`):  {},
		body("is_success_file", `true`):                    {},
		body():                                             {missing, "countBy=file"},
		body("filename", `""`):                             {missing, "filename is missing"},
		body("filename", `"NOT_SET"`):                      {missing, "filename is missing"},
		body("filename", `"a\ud800"`):                      {invalid, "filename contains U+FFFD"},
		body("file_name", `"a\ufffd"`):                     {invalid, "file_name contains U+FFFD"},
		body("filename", `1`):                              {invalid, "filename is not a string"},
		`{"filename":"b",` + body("filename", `"a"`)[1:]:   {snapshot.ReasonRepeatedKey, "filename"},
		body("export_date", `""`, "filename", `"a\ud800"`): {missing, "export_date"},
	} {
		receipts := []snapshot.Receipt{one(t, text)}
		before := receipts[0]
		got := snapshot.ByFile.Validate(receipts)[0]
		if want.reason != "" {
			rejectedFor(t, got.Rejection, want.reason, want.detail)
		} else if got.Rejection != nil {
			t.Errorf("%s: rejected: %v", text, got.Rejection)
		}
		if receipts[0] != before || snapshot.ByMessage.Validate(receipts)[0] != before {
			t.Errorf("%s: the receipts were changed, or are others by message", text)
		}
	}
}

// A file is another one in another epoch, in full length, and never a message.
func TestFileDigest(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", snapshot.MaxFilename)
	digest := func(name string, epoch int64) string {
		return snapshot.Receipt{Message: snapshot.Message{Filename: name}}.FileDigest(epoch)
	}
	seen := map[string]string{}
	for what, got := range map[string]string{
		"a": digest("a", 0), "b": digest("b", 0), "a in epoch 1": digest("a", 1), "a in epoch -1": digest("a", -1),
		"long": digest(long, 0), "longer": digest(long+"x", 0), "repeat": snapshot.RepeatDigest(digest("a", 0)),
	} {
		if other, known := seen[got]; known || len(got) != 12 {
			t.Errorf("%s has the digest %x of %q", what, got, other)
		}
		seen[got] = what
	}
	if snapshot.ByMessage.MaxDigests() != 1 || snapshot.ByFile.MaxDigests() != 2 {
		t.Error("a message adds one digest, and by file another for its file")
	}
}

func TestCountByOfAText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]snapshot.CountBy{"": snapshot.ByMessage, "message": snapshot.ByMessage,
		"file": snapshot.ByFile} {
		var by snapshot.CountBy
		if err := by.UnmarshalText([]byte(text)); err != nil || by != want {
			t.Errorf("%q: %q, %v", text, by, err)
		}
	}
	var by snapshot.CountBy
	if err := by.UnmarshalText([]byte("name")); err == nil || !strings.Contains(err.Error(),
		"neither message nor file") {
		t.Errorf("got %v", err)
	}
}
