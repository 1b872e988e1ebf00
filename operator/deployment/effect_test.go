package deployment_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithyhttp "github.com/aws/smithy-go/transport/http"

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
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"Denied":       {answered(403), true},
		"Invalid":      {answered(400), true},
		"Internal":     {answered(500), false},
		"Unavailable":  {answered(503), false},
		"OtherContent": {answered(200), false}, // such as another digest of the message
		"TimedOut":     {context.DeadlineExceeded, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := deployment.Refused(c.err); got != c.want {
				t.Errorf("%t, want %t", got, c.want)
			}
			want := map[bool]string{true: "nothing", false: "perhaps"}[c.want]
			if got := deployment.EffectOf(c.err, "nothing", "perhaps"); got.Error() != c.err.Error()+"; "+want ||
				!errors.Is(got, c.err) {
				t.Error(got)
			}
		})
	}
	if deployment.AfterEffect(nil, "done") != nil || deployment.AfterEffect(context.Canceled,
		"done").Error() != "context canceled; done" {
		t.Error("after")
	}
}

// Each collection is reconciled once, in executions as large as they may be.
func TestReconcile(t *testing.T) {
	t.Parallel()
	const most = snapshot.MaxRequested
	for n, want := range map[int]int{0: 0, 1: 1, most: 1, most + 1: 2, 3*most + 5: 4} {
		var keys []snapshot.CollectionKey
		for i := range n {
			keys = append(keys, snapshot.CollectionKey{CollectionName: fmt.Sprint(i)})
		}
		executions, reconciled := 0, 0
		err := deployment.Reconcile(t.Context(), func(_ context.Context, some []snapshot.CollectionKey) error {
			for _, key := range some {
				if key != keys[reconciled] || len(some) > most {
					t.Errorf("of %d: %v in an execution of %d", n, key, len(some))
				}
				reconciled++
			}
			executions++
			return nil
		}, keys)
		if err != nil || reconciled != n || executions != want {
			t.Errorf("of %d: %d reconciled in %d executions (%v), want %d", n, reconciled, executions, err, want)
		}
	}
	failed := errors.New("no right")
	calls := 0
	err := deployment.Reconcile(t.Context(), func(context.Context, []snapshot.CollectionKey) error {
		calls++
		return failed
	}, make([]snapshot.CollectionKey, 2*most))
	if !errors.Is(err, failed) || calls != 1 || !strings.Contains(err.Error(),
		"0 of 2 executions were started before. Trying again is safe") {
		t.Errorf("%d calls: %v", calls, err)
	}
	second := func(context.Context, []snapshot.CollectionKey) error {
		if calls++; calls == 3 {
			return failed
		}
		return nil
	}
	if err := deployment.Reconcile(t.Context(), second, make([]snapshot.CollectionKey, 3*most)); !strings.Contains(
		fmt.Sprint(err), "1 of 3 executions") {
		t.Error(err)
	}
}
