package command

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// What the commands say of a run before and after its deadline.
func TestALateRun(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"late": 5 * time.Minute, "in-time": 12 * time.Hour} {
		for _, line := range []string{"runs", "show troubled --limit 1"} {
			t.Run(name+" "+line, func(t *testing.T) {
				t.Parallel()
				n := newTables(t)
				n.late = snapshot.LateAfter{"full": after}
				n.troubled("troubled")
				golden(t, name+"-"+strings.ReplaceAll(line, " ", "-"), n.says("", strings.Fields(line)...).out)
				document := n.says("", wordsOf(".json", line)...).out
				matchesSchema(t, line, document, exitOK)
				for _, want := range []string{fmt.Sprintf(`"late": %t`, name == "late"), `"deadline": "2026-11-23T`} {
					if !strings.Contains(document, want) {
						t.Errorf("no %s in %s", want, document)
					}
				}
			})
		}
	}
}
