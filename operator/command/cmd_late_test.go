package command

import (
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
				words := strings.Fields(line)
				text := n.says("", words...)
				golden(t, name+"-"+strings.Join(words, "-"), text.out)
				document := n.says("", append(words, "--output", "json")...)
				matchesSchema(t, words[0], document.out)
				wantLate := `"late": ` + map[string]string{"late": "true", "in-time": "false"}[name]
				why := n.says("", "why", "troubled")
				if head, _, _ := strings.Cut(why.out, "\n\n"); !strings.Contains(n.says("", "show", "troubled").out,
					head) {
					t.Errorf("why begins with %s", head)
				}
				for _, want := range []string{wantLate, `"deadline": "2026-11-23T`} {
					if !strings.Contains(document.out, want) {
						t.Errorf("no %s in %s", want, document.out)
					}
				}
			})
		}
	}
}
