package deployment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// The settings are those of the sweep's environment.
func TestSettingsOf(t *testing.T) {
	t.Parallel()
	variables := map[string]string{"LEDGER_TABLE_NAME": "l", "STATE_MACHINE_ARN": "m", "MONITORING_SNS_TOPIC_ARN": "t",
		"PIPE_NAMES": "p", "EXEMPT_STATUSES": "Blocked_Topic", "STALLED_AFTER_MINUTES": "90",
		"LATE_AFTER_MINUTES": "full=480", "COUNT_BY": "file"}
	want := Settings{ExemptStatuses: []snapshot.Status{"Blocked_Topic"}, StalledAfter: 90 * time.Minute,
		LateAfter: snapshot.LateAfter{"full": 8 * time.Hour}, CountBy: snapshot.ByFile}
	got, err := SettingsOf(variables)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	variables["LATE_AFTER_MINUTES"] = "soon"
	if _, err := SettingsOf(variables); err == nil {
		t.Error("an unreadable setting is no error")
	}
}
