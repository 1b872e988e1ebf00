package increment_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
)

// byFile is a fixture whose task counts each file once, with a collection of two files.
func byFile(t *testing.T) *fixture {
	fx := newFixture(t)
	fx.Store.CountBy = snapshot.ByFile
	fx.Put("a", tasktest.Sent(2))
	return fx
}

func TestFilesThatComeAgain(t *testing.T) {
	t.Parallel()
	fx := byFile(t)
	fx.Count(tasktest.Message("m1", tasktest.Body("a", "x")))
	got := fx.counts(t, tasktest.Message("m2", tasktest.Body("a", "x")), tasktest.Message("m3", tasktest.Body("a", "y")),
		tasktest.Message("m1", tasktest.Body("a", "x")), tasktest.Message("m4", tasktest.Body("a", "y")))
	want := map[string]float64{"FilesReceived": 1, "RepeatedFiles": 2, "DuplicateMessages": 1, "MessageProcessingTime": 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if row := fx.Row("a"); row != "Sent 2/2" {
		t.Errorf("the row is %s", row)
	}
	logged := fx.Logged("repeated file")
	for i, identity := range []string{"m2", "m4"} {
		if len(logged) != 2 || logged[i]["identity"] != identity || logged[i]["file_name"] == "" {
			t.Fatalf("logged %v", logged)
		}
	}
}

// The execution that counted a file may have died before it reconciled: the file that comes again reconciles.
func TestAFileThatComesAgainReconciles(t *testing.T) {
	t.Parallel()
	fx := byFile(t)
	fx.Count(tasktest.Message("m1", tasktest.Body("a", "x")), tasktest.Message("m2", tasktest.Body("a", "y")))
	out, err := fx.handle(t, tasktest.Batch(tasktest.Message("m3", tasktest.Body("a", "x"))))
	want := increment.Output{Collections: []snapshot.CollectionKey{tasktest.Key("a")}, Repeated: 1}
	if diff := cmp.Diff(want, out); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestAFileWithoutANameIsRejected(t *testing.T) {
	t.Parallel()
	fx := byFile(t)
	nameless := strings.Replace(tasktest.Body("a", "x"), `"filename":"x"`, `"filename":null`, 1)
	messages := tasktest.Batch(tasktest.Message("m1", nameless), tasktest.Message("m2", tasktest.Body("a", "y")),
		tasktest.Message("m3", strings.Replace(nameless, "}", ","+tasktest.SuccessFile+"}", 1)))
	if out, err := fx.handle(t, messages); err != nil || out.Counted != 2 || out.Rejected != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
	if diff := cmp.Diff([]string{"m1 FIELD_MISSING"}, fx.rejected.rejected); diff != "" {
		t.Error(diff)
	}
	if row := fx.Row("a"); row != "Sent 1/2" {
		t.Errorf("the row is %s", row)
	}
}
