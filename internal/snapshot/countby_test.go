package snapshot_test

import (
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func TestValidateByFile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body   string
		reason snapshot.Reason // "" for a message that counts
		detail string
	}{
		"named":              {body: body("filename", `"a"`)},
		"named by file_name": {body: body("filename", "", "file_name", `"a"`)},
		"filename null":      {body: body("filename", `null`, "file_name", `"a"`)},
		"both":               {body: body("filename", `"a"`, "file_name", `"b"`)},
		"none":               {body("filename", ""), snapshot.ReasonFieldMissing, "countBy=file"},
		"empty":              {body("filename", `""`), snapshot.ReasonFieldMissing, "filename is missing"},
		"not set":            {body("filename", `"NOT_SET"`), snapshot.ReasonFieldMissing, "filename is missing"},
		"not set, and named": {body: body("filename", `"NOT_SET"`, "file_name", `"a"`)},
		"half a character":   {body("filename", `"a\ud800"`), snapshot.ReasonFieldNotString, "filename contains"},
		"replaced before": {body("file_name", `"a\ufffd"`, "filename", ""), snapshot.ReasonFieldNotString,
			"file_name contains"},
		"number":              {body("filename", `1`), snapshot.ReasonFieldNotString, "filename is not a string"},
		"twice":               {`{"filename":"b",` + body("filename", `"a"`)[1:], snapshot.ReasonRepeatedKey, "filename"},
		"success file":        {body: body("filename", "", "is_success_file", `true`)},
		"rejected for itself": {body("filename", "", "export_date", `""`), snapshot.ReasonFieldMissing, "export_date"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receipts := snapshot.Unwrap([]byte(test.body), execution)
			before := receipts[0]
			got := snapshot.ByFile.Validate(receipts)[0]
			if test.reason != "" {
				rejectedFor(t, got.Rejection, test.reason, test.detail)
			} else if got.Rejection != nil {
				t.Errorf("rejected: %v", got.Rejection)
			} else if !got.Message.IsSuccessFile && got.Message.Filename == snapshot.FilenameNotSet {
				t.Error("counts without a name")
			}
			if receipts[0] != before {
				t.Error("the receipts were changed")
			}
			if got := snapshot.ByMessage.Validate(receipts)[0]; got != before {
				t.Errorf("by message: %+v", got)
			}
		})
	}
}

// A file is another one in another epoch, in full length, and never a message.
func TestFileDigest(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", snapshot.MaxFilename)
	named := func(name string) snapshot.Receipt { return snapshot.Receipt{Message: snapshot.Message{Filename: name}} }
	seen := map[string]string{}
	for what, digest := range map[string]string{
		"a": named("a").FileDigest(0), "b": named("b").FileDigest(0), "a in epoch 1": named("a").FileDigest(1),
		"a in epoch -1": named("a").FileDigest(-1), "long": named(long).FileDigest(0),
		"longer": named(long + "x").FileDigest(0), "repeat": snapshot.RepeatDigest(named("a").FileDigest(0)),
	} {
		if other, known := seen[digest]; known || len(digest) != 12 {
			t.Errorf("%s has the digest %x of %q", what, digest, other)
		}
		seen[digest] = what
	}
	if first, second := named("a").FileDigest(7), named("a").FileDigest(7); first != second {
		t.Error("two digests of one file")
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
	if err := by.UnmarshalText([]byte("name")); err == nil || !strings.Contains(err.Error(), "neither message nor file") {
		t.Errorf("got %v", err)
	}
}
