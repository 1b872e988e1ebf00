package trace

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/operator/report"
)

// Found are executions that worked on a run, the newest first.
type Found struct {
	Executions []Execution
	Note       string // which executions were searched
}

// How many executions are searched for those of a run: their inputs are read one by one.
const (
	newest       = 100
	newestFailed = 25
	concurrent   = 8
)

// OfRun finds executions that worked on a run: those that the ledger names (in receipts and outbox entries), and of the
// newest ones those whose input names the run.
func (r *Reader) OfRun(ctx context.Context, run string, known []string) (Found, error) {
	found := Found{Note: fmt.Sprintf(
		"Executions that the ledger names, and of the newest %d executions (and the newest "+
			"%d that failed) those whose input names the run.", newest, newestFailed)}
	wanted, err := r.list(ctx)
	switch {
	case errors.As(err, new(*types.StateMachineTypeNotSupported)):
		found.Note = "Step Functions does not list EXPRESS executions: see those that a collection's messages name. " +
			"The log group " + r.LogGroup + " has the failed ones."
		wanted = map[string]bool{}
	case err != nil:
		return found, err
	}
	for _, id := range known {
		if r.Ours(id) && !express(id) {
			wanted[id] = true
		}
	}
	found.Executions, err = r.naming(ctx, run, wanted)
	return found, err
}

// Failed finds failed executions that worked on a run: of the newest failures of each kind those whose input names the
// run. It finds no EXPRESS executions.
func (r *Reader) Failed(ctx context.Context, run string) ([]Execution, error) {
	wanted, err := r.listFailed(ctx)
	if errors.As(err, new(*types.StateMachineTypeNotSupported)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.naming(ctx, run, wanted)
}

// naming describes executions concurrently. It returns those that the ledger (see wanted) or their input names, the
// newest first.
func (r *Reader) naming(ctx context.Context, run string, wanted map[string]bool) ([]Execution, error) {
	executions := []Execution{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrent)
	for id, known := range wanted {
		group.Go(func() error {
			execution, err := r.describe(ctx, id)
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			if err == nil && (known || names(execution.Input, run, 0)) {
				mu.Lock()
				defer mu.Unlock()
				executions = append(executions, execution)
			}
			return err
		})
	}
	err := group.Wait()
	slices.SortFunc(executions, func(a, b Execution) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(a.ID, b.ID))
	})
	return executions, err
}

// deepest is how deep texts may be nested; increment reads envelopes no deeper.
const deepest = 10

// names reports whether a string in a JSON text, or in a JSON text inside it, is the run's name.
func names(text, run string, depth int) bool {
	var value any
	if depth > deepest || json.Unmarshal([]byte(text), &value) != nil {
		return strings.Contains(text, strconv.Quote(run)) // a text that is not JSON
	}
	return named(value, run, depth)
}

func named(value any, run string, depth int) bool {
	within := func(value any) bool { return named(value, run, depth) }
	switch value := value.(type) {
	case string:
		return value == run || names(value, run, depth+1)
	case []any:
		return slices.ContainsFunc(value, within)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), within)
	}
	return false
}

// list lists the newest executions and the newest of each kind of failure. It does not know which of them the ledger
// names, and so has false for each.
func (r *Reader) list(ctx context.Context) (map[string]bool, error) {
	listed, err := r.listFailed(ctx)
	if err != nil {
		return nil, err
	}
	return listed, r.listSome(ctx, listed, "", newest)
}

func (r *Reader) listFailed(ctx context.Context) (map[string]bool, error) {
	listed := map[string]bool{}
	for _, status := range []Status{types.ExecutionStatusFailed, types.ExecutionStatusTimedOut,
		types.ExecutionStatusAborted} {
		if err := r.listSome(ctx, listed, status, newestFailed); err != nil {
			return nil, err
		}
	}
	return listed, nil
}

func (r *Reader) listSome(ctx context.Context, listed map[string]bool, status Status, limit int32) error {
	page, err := r.SFN.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &r.Machine, StatusFilter: status,
		MaxResults: limit})
	if err != nil {
		return fmt.Errorf("listing the executions of %s: %w", Name(r.Machine), err)
	}
	for _, execution := range page.Executions {
		listed[aws.ToString(execution.ExecutionArn)] = false
	}
	return nil
}

// Around reads what may explain why a run makes no progress: how many messages the deployment's queues have, and the
// failed executions that worked on the run. It receives no message.
func (r *Reader) Around(ctx context.Context, run string) (report.Evidence, error) {
	around, err := queues(ctx, r.deployment)
	if err != nil || r.Machine == "" {
		return around, err
	}
	failed, err := r.Failed(ctx, run)
	for _, execution := range failed {
		failure := report.Failure{Execution: execution.Name(), At: execution.Started, Cause: execution.Cause,
			Error: cmp.Or(execution.Error, string(execution.Status))}
		if execution.Stopped != nil {
			failure.At = *execution.Stopped
		}
		around.Failed = append(around.Failed, failure)
	}
	return around, err
}

func queues(ctx context.Context, d deployment.Deployment) (around report.Evidence, err error) {
	client := sqs.NewFromConfig(d.Config)
	var redrivePolicy, deadLetters string
	if around.Waiting, redrivePolicy, err = holds(ctx, client, d.FileReceivedQueueUrl); err != nil {
		return around, err
	}
	if deadLetters, err = rejected.DeadLetterQueue(ctx, client, redrivePolicy); err != nil {
		return around, err
	}
	if around.DeadLetters, _, err = holds(ctx, client, deadLetters); err != nil {
		return around, err
	}
	around.Rejected, _, err = holds(ctx, client, d.RejectedMessagesQueueUrl)
	return around, err
}

// holds counts a queue's messages, visible ones and those in flight. The queue "" has none.
func holds(ctx context.Context, client *sqs.Client, url string) (messages int, redrivePolicy string, err error) {
	if url == "" {
		return 0, "", nil
	}
	got, err := rejected.Attributes(ctx, client, url, "reading the attributes of queue "+url[strings.LastIndex(url,
		"/")+1:], sqstypes.QueueAttributeNameApproximateNumberOfMessages,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible, sqstypes.QueueAttributeNameRedrivePolicy)
	waiting, _ := strconv.Atoi(got[string(sqstypes.QueueAttributeNameApproximateNumberOfMessages)])
	inFlight, _ := strconv.Atoi(got[string(sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible)])
	return waiting + inFlight, got[string(sqstypes.QueueAttributeNameRedrivePolicy)], err
}
