package deployment

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"snapshot-status-checker/internal/snapshot"
)

// Refused reports whether AWS refused a call, so that it had no effect. After any other error it may have had one.
func Refused(err error) bool {
	var answered *smithyhttp.ResponseError
	return errors.As(err, &answered) && answered.HTTPStatusCode() >= http.StatusBadRequest &&
		answered.HTTPStatusCode() < http.StatusInternalServerError
}

// EffectOf adds to a call's error what the call did: nothing if AWS refused it, else perhaps something. perhaps says
// whether it is safe to try again.
func EffectOf(err error, nothing, perhaps string) error {
	if Refused(err) {
		return AfterEffect(err, nothing)
	}
	return AfterEffect(err, perhaps)
}

// AfterEffect adds to an error what was done before it. It is nil if there is none.
func AfterEffect(err error, done string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; %s", err, done)
}

// Reconcile reconciles any number of collections with start, which starts one execution. An error says how many
// executions were started before.
func Reconcile(
	ctx context.Context, start func(context.Context, []snapshot.CollectionKey) error, keys []snapshot.CollectionKey,
) error {
	requests := snapshot.Requests(keys)
	for started, some := range requests {
		if err := start(ctx, some); err != nil {
			return AfterEffect(err, fmt.Sprintf("%d of %d executions were started before. Trying again is safe: a "+
				"reconciliation takes only the steps that are due", started, len(requests)))
		}
	}
	return nil
}
