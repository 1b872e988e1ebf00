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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"golang.org/x/sync/errgroup"
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
	var found Found
	wanted := map[string]bool{} // whether the ledger names it
	for _, id := range known {
		if r.Ours(id) && !r.express(id) {
			wanted[id] = true
		}
	}
	listed, err := r.list(ctx)
	var unsupported *types.StateMachineTypeNotSupported
	switch {
	case errors.As(err, &unsupported):
		found.Note = "Step Functions does not list EXPRESS executions: see those that a collection's messages name. " +
			"The log " +
			"group " + r.LogGroup + " has the failed ones."
	case err != nil:
		return found, err
	default:
		found.Note = fmt.Sprintf(
			"Executions that the ledger names, and of the newest %d executions (and the newest %d that failed) those "+
				"whose input names the run.", newest, newestFailed)
	}
	for _, id := range listed {
		if !wanted[id] {
			wanted[id] = false
		}
	}
	found.Executions, err = r.naming(ctx, run, wanted)
	return found, err
}

// Failed finds failed executions that worked on a run: of the newest failures of each kind those whose input names the
// run. It finds no EXPRESS executions.
func (r *Reader) Failed(ctx context.Context, run string) ([]Execution, error) {
	listed, err := r.listFailed(ctx)
	if unsupported := (*types.StateMachineTypeNotSupported)(nil); errors.As(err, &unsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, id := range listed {
		wanted[id] = false
	}
	return r.naming(ctx, run, wanted)
}

// naming returns the executions that the ledger or their input names, the newest first.
func (r *Reader) naming(ctx context.Context, run string, wanted map[string]bool) ([]Execution, error) {
	executions := make([]Execution, 0, len(wanted))
	err := r.describeAll(ctx, wanted, func(execution Execution, known bool) {
		if known || names(execution.Input, run, 0) {
			executions = append(executions, execution)
		}
	})
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

// describeAll describes executions concurrently and visits them one by one.
func (r *Reader) describeAll(ctx context.Context, wanted map[string]bool, visit func(Execution, bool)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrent)
	results := make(chan func(), len(wanted))
	for id, known := range wanted {
		group.Go(func() error {
			execution, err := r.describe(ctx, id)
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			if err == nil {
				results <- func() { visit(execution, known) }
			}
			return err
		})
	}
	err := group.Wait()
	close(results)
	for result := range results {
		result()
	}
	return err
}

// list lists the newest executions and the newest of each kind of failure.
func (r *Reader) list(ctx context.Context) ([]string, error) {
	all, err := r.listSome(ctx, "", newest)
	if err != nil {
		return nil, err
	}
	failed, err := r.listFailed(ctx)
	return append(all, failed...), err
}

func (r *Reader) listFailed(ctx context.Context) ([]string, error) {
	var ids []string
	for _, status := range []Status{types.ExecutionStatusFailed, types.ExecutionStatusTimedOut,
		types.ExecutionStatusAborted} {
		some, err := r.listSome(ctx, status, newestFailed)
		if err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	return ids, nil
}

func (r *Reader) listSome(ctx context.Context, status Status, limit int32) ([]string, error) {
	listed, err := r.SFN.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &r.Machine, StatusFilter: status,
		MaxResults: limit})
	if err != nil {
		return nil, fmt.Errorf("listing the executions of %s: %w", Name(r.Machine), err)
	}
	var ids []string
	for _, execution := range listed.Executions {
		ids = append(ids, aws.ToString(execution.ExecutionArn))
	}
	return ids, nil
}
