package simulation

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/statemachine/paths"
)

// The deployed definition passes the same table.
func TestFlowFollowsThePaths(t *testing.T) {
	t.Parallel()
	for _, path := range paths.Table {
		t.Run(path.Name, func(t *testing.T) {
			t.Parallel()
			s := newSchedule(Plan{mutant: &mutant{noStream: true}}, 1, nil)
			s.exempt, s.express, s.countBy = nil, false, snapshot.ByMessage
			for _, row := range path.Rows {
				c := &collection{name: row.Collection, arrived: map[string]bool{}, success: true}
				for i := range 10 {
					c.arrived[fmt.Sprint(i)] = true
				}
				s.collections = append(s.collections, c)
				item := table.Item{"CollectionStatus": row.Status, "FilesSent": row.Sent}
				if row.Malformed {
					item["FilesSent"] = "three"
				}
				s.externalWrite("test makes", row.Collection, item)
			}
			for _, event := range path.Earlier {
				s.start("earlier", "an earlier event", event(run))
				s.runUntilIdle(nil)
			}
			for _, row := range path.Meanwhile {
				if row.Gone {
					s.externalWrite("test removes", row.Collection, nil)
					continue
				}
				s.writeAs(s.find(row.Collection), "test", table.Item{"CollectionStatus": row.Status})
			}
			e := s.start("path", "the event", path.Event(run))
			e.broken = path.Broken
			s.runUntilIdle(nil)
			if diff := cmp.Diff(path.States, e.entered); diff != "" {
				t.Errorf("states entered (-want +got)\n%s", diff)
			}
			if e.failed != path.Fails || s.violation != "" {
				t.Errorf("failed: %v, want %v; violation: %q", e.failed, path.Fails, s.violation)
			}
		})
	}
}
