package deployment_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/deployment"
)

// Only an answer that refuses tells that nothing was done.
func TestRefused(t *testing.T) {
	t.Parallel()
	answered := func(status int) error {
		return fmt.Errorf("sending: %w", &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: errors.New("no")}})
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{answered(400), true}, {answered(499), true}, {answered(500), false},
		{answered(200), false}, // such as another digest of the message
		{context.DeadlineExceeded, false},
	} {
		want := map[bool]string{true: "nothing", false: "perhaps"}[c.want]
		got := deployment.EffectOf(c.err, "nothing", "perhaps")
		if deployment.Refused(c.err) != c.want || !errors.Is(got, c.err) || got.Error() != c.err.Error()+"; "+want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	if deployment.AfterEffect(nil, "done") != nil || deployment.AfterEffect(context.Canceled,
		"done").Error() != "context canceled; done" {
		t.Error("after")
	}
}

// Each collection is reconciled once, in executions as large as they may be. An error says how many were started.
func TestReconcile(t *testing.T) {
	t.Parallel()
	const most = snapshot.MaxRequested
	lost := errors.New("no right")
	for _, c := range []struct {
		collections, fails int // at this execution
		executions         int
		says               string
	}{
		{0, 0, 0, ""}, {1, 0, 1, ""}, {most, 0, 1, ""}, {most + 1, 0, 2, ""},
		{2 * most, 1, 1, "0 of 2 executions were started before. Trying again is safe"},
		{3 * most, 2, 2, "1 of 3 executions"},
	} {
		var want, got []snapshot.CollectionKey
		for i := range c.collections {
			want = append(want, snapshot.CollectionKey{CollectionName: fmt.Sprint(i)})
		}
		executions := 0
		err := deployment.Reconcile(t.Context(), func(_ context.Context, some []snapshot.CollectionKey) error {
			got = append(got, some...)
			if executions++; len(some) > most {
				t.Errorf("%d collections in an execution", len(some))
			}
			if executions == c.fails {
				return lost
			}
			return nil
		}, want)
		if executions != c.executions || errors.Is(err, lost) != (c.fails > 0) || c.fails > 0 &&
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%d collections in %d executions, %v; want %d, %q", c.collections, executions, err, c.executions,
				c.says)
		}
		if c.fails == 0 && !slices.Equal(want, got) {
			t.Errorf("%d of %d collections are reconciled", len(got), len(want))
		}
	}
}

// The settings are those of the sweep's environment, not of this process's.
func TestSettingsOf(t *testing.T) {
	variables := map[string]string{"LEDGER_TABLE_NAME": "l", "STATE_MACHINE_ARN": "m", "MONITORING_SNS_TOPIC_ARN": "t",
		"PIPE_NAMES": "p", "EXEMPT_STATUSES": "Blocked_Topic", "STALLED_AFTER_MINUTES": "90",
		"LATE_AFTER_MINUTES": "full=480", "COUNT_BY": "file"}
	want := deployment.Settings{ExemptStatuses: []snapshot.Status{"Blocked_Topic"}, StalledAfter: 90 * time.Minute,
		LateAfter: snapshot.LateAfter{"full": 8 * time.Hour}, CountBy: snapshot.ByFile}
	got, err := deployment.SettingsOf(variables)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
	if got, err := deployment.SettingsOf(nil); err == nil {
		t.Errorf("no variables are %+v", got)
	}
	variables["LATE_AFTER_MINUTES"] = "soon"
	if _, err := deployment.SettingsOf(variables); err == nil {
		t.Error("an unreadable setting is no error")
	}
}
