package snapshot_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// Reasons lists every declared reason: the runbook, the alarms and the dashboard follow from it.
func TestReasonsListsAll(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []snapshot.Reason
	for _, found := range regexp.MustCompile(`\sReason += "(.+)"`).FindAllSubmatch(source, -1) {
		declared = append(declared, snapshot.Reason(found[1]))
	}
	if diff := cmp.Diff(declared, snapshot.Reasons); diff != "" || len(declared) == 0 {
		t.Error(diff)
	}
}
