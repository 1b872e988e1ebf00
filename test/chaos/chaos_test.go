package chaos

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/local"
)

// The short form of `make chaos`.
func TestGuaranteesHold(t *testing.T) {
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []snapshot.CountBy{snapshot.ByMessage, snapshot.ByFile} {
		t.Run("by "+string(by), func(t *testing.T) {
			report, err := Run(t.Context(), project, Options{
				Collections: 10, Messages: 300, Seed: uint64(time.Now().Unix()), BatchSize: 5, CountBy: by,
				KillEvery: 20, LongestHang: 5 * time.Second, WaitScale: 0.2,
				// Most runs finish within seconds. The messages of a dead owner wait for its lease to end.
				Timeout: store.DefaultLease + 5*time.Minute, Dir: t.TempDir(), Log: t.Output(),
			})
			if err != nil {
				t.Fatal(err)
			}
			report.Print(t.Output())
			for _, broken := range report.Broken {
				t.Error(broken)
			}
		})
	}
}
