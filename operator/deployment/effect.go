package deployment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"snapshot-status-checker/functions/sweep"
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

// Sweep calls the deployed sweep and waits for its answer. An error says what took effect.
func (d Deployment) Sweep(ctx context.Context, executionID string) (sweep.Output, error) {
	const perhaps = "it may have run; trying again is safe: it takes only the steps that are due"
	return d.callSweep(ctx, sweep.Input{ExecutionID: executionID}, "it did not run", perhaps)
}

// Abandon has the sweep end a run by hand. An error says why not, and what took effect.
func (d Deployment) Abandon(ctx context.Context, run, reason string) (sweep.Answer, error) {
	return d.byHand(ctx, sweep.Input{Abandon: &sweep.Abandon{CorrelationID: run, Reason: reason}})
}

// Resume has the sweep take up a run again that was ended by hand. An error says why not, and what took effect.
func (d Deployment) Resume(ctx context.Context, run string) (sweep.Answer, error) {
	return d.byHand(ctx, sweep.Input{Resume: &sweep.Resume{CorrelationID: run}})
}

func (d Deployment) byHand(ctx context.Context, in sweep.Input) (sweep.Answer, error) {
	out, err := d.callSweep(ctx, in, "nothing was changed", "it may have taken effect; trying again is safe")
	switch {
	case err != nil:
		return sweep.Answer{}, err
	case out.ByHand == nil: // it ignored what it does not know
		return sweep.Answer{}, errors.New("the deployed sweep is of an earlier version, which only swept; " +
			"deploy this version")
	case out.ByHand.Refused != "":
		return *out.ByHand, AfterEffect(errors.New(out.ByHand.Refused), "nothing was changed")
	}
	return *out.ByHand, nil
}

func (d Deployment) callSweep(
	ctx context.Context, in sweep.Input, nothing, perhaps string,
) (out sweep.Output, err error) {
	name := d.FunctionName("sweep")
	input, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("calling %s: %w", name, err)
	}
	done, err := lambda.NewFromConfig(d.Config).Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: input})
	if err != nil {
		return out, EffectOf(fmt.Errorf("calling %s: %w", name, err), nothing, perhaps)
	}
	if done.FunctionError != nil {
		return out, AfterEffect(fmt.Errorf("%s failed: %s", name, done.Payload), perhaps)
	}
	if err := json.Unmarshal(done.Payload, &out); err != nil {
		return out, AfterEffect(fmt.Errorf("reading the answer of %s: %w", name, err), perhaps)
	}
	return out, nil
}
