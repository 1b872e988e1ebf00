package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/test/scenario"
)

// titles are those of the two notifications about a run of package scenario.
var titles = []string{"Full - All collections received by NiFi", "Full - All collections successful"}

func (t *trial) shape() scenario.Shape {
	return scenario.Shape{Run: t.environment + "-run", Seed: 1, Collections: 5, Files: 4,
		Duplicates: 0.5, Malformed: 1, LateSent: 1}
}

// play plays the run: the sender's rows, a message for each file and half of them twice, a malformed message, a
// collection whose Sent is late, and a _success file for each request.
func (t *trial) play(ctx context.Context) (string, error) {
	plan, err := scenario.NewPlan(t.shape())
	if err != nil {
		return "", err
	}
	progress := scenario.NewProgress(t.progress)
	player := scenario.NewPlayer(t.config, t.outputs)
	played, err := player.Play(ctx, plan, 0, t.timeouts.run, progress.Show, func() (bool, error) {
		count, err := t.hear(ctx, t.monitoring, plan.CorrelationID)
		return count >= len(titles), err
	})
	progress.End()
	if err != nil {
		return "", err
	}
	seen := fmt.Sprintf("%d messages, %d of them duplicates; %s; %d requests",
		len(plan.Messages), plan.Duplicates, scenario.Line(played.Rows), played.Answered)
	var wrong []error
	if !played.Finished {
		wrong = append(wrong, fmt.Errorf("%w: nothing changed for %v", errTimeout, t.timeouts.run))
	}
	if successful := scenario.InStatus(played.Rows, snapshot.Success); successful != len(plan.Collections) {
		wrong = append(wrong, fmt.Errorf("%d collections are successful", successful))
	}
	if played.Answered != len(plan.Collections) {
		wrong = append(wrong, fmt.Errorf("%d requests for %d collections", played.Answered, len(plan.Collections)))
	}
	return seen, errors.Join(wrong...)
}

// notified counts the notifications of the run. SNS may deliver one twice; then the answer is NO.
func (t *trial) notified(ctx context.Context) (string, error) {
	var wrong []error
	for _, title := range titles {
		if count, err := t.hear(ctx, t.monitoring, t.shape().Run, title); err != nil || count != 1 {
			wrong = append(wrong, fmt.Errorf("%q arrived %d times", title, count), err)
		}
	}
	if all, err := t.hear(ctx, t.monitoring, t.shape().Run); err != nil || all != len(titles) {
		wrong = append(wrong, fmt.Errorf("%d messages about the run arrived", all), err)
	}
	return strings.Join(titles, ", "), errors.Join(wrong...)
}

// executions describes the executions of a status, of all for "".
func (t *trial) executions(
	ctx context.Context, status types.ExecutionStatus,
) (all []*sfn.DescribeExecutionOutput, err error) {
	client := sfn.NewFromConfig(t.config)
	pages := sfn.NewListExecutionsPaginator(client,
		&sfn.ListExecutionsInput{StateMachineArn: &t.outputs.StateMachineArn, StatusFilter: status})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing executions: %w", err)
		}
		for _, one := range page.Executions {
			described, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: one.ExecutionArn})
			if err != nil {
				return nil, fmt.Errorf("reading an execution: %w", err)
			}
			all = append(all, described)
		}
	}
	return all, nil
}

// lateSent checks that the stream's pipe, and not the sweep, started an execution for the collection whose Sent was
// late. No other change of that collection passes the filter: its row was created as Exported.
func (t *trial) lateSent(ctx context.Context) (string, error) {
	plan, err := scenario.NewPlan(t.shape())
	if err != nil {
		return "", err
	}
	late := plan.Collections[slices.IndexFunc(plan.Collections,
		func(c scenario.Collection) bool { return c.SentLast })].Name
	all, err := t.executions(ctx, "")
	if err != nil {
		return "", err
	}
	ofMessages, ofChanges, ofLate, failed := 0, 0, 0, 0
	for _, one := range all {
		switch input := *one.Input; {
		case strings.Contains(input, `"aws:sqs"`):
			ofMessages++
		case strings.Contains(input, `"aws:dynamodb"`):
			ofChanges++
			if strings.Contains(input, late) {
				ofLate++
			}
		}
		if one.Status == types.ExecutionStatusFailed {
			failed++
		}
	}
	seen := fmt.Sprintf("%d executions of messages, %d of changes (%d of the late Sent), %d of the sweep",
		ofMessages, ofChanges, ofLate, len(all)-ofMessages-ofChanges)
	switch {
	case failed > 0:
		return seen, fmt.Errorf("%d executions failed", failed)
	case ofLate == 0:
		return seen, errors.New("no execution was started for the late Sent: the sweep found it")
	}
	return seen, nil
}

// verify compares receipts, ledger and table, as `snapshot-status verify` does.
func (t *trial) verify(ctx context.Context) (string, error) {
	reader := t.deployment().Store()
	state, err := reader.Run(ctx, t.shape().Run)
	if err != nil {
		return "", err
	}
	var sum report.Count
	var wrong []error
	for _, one := range state.Collections {
		var count report.Count
		if err := reader.Receipts(ctx, one.Row.CollectionKey, func(receipt store.Receipt) error {
			count.Add(receipt)
			return nil
		}); err != nil {
			return "", err
		}
		for _, difference := range report.Verify(one, count) {
			wrong = append(wrong, fmt.Errorf("%s: %s", difference.Collection, difference.Sentence))
		}
		sum.Files, sum.SuccessFiles = sum.Files+count.Files, sum.SuccessFiles+count.SuccessFiles
	}
	return fmt.Sprintf("receipts of %d files and %d success files", sum.Files, sum.SuccessFiles), errors.Join(wrong...)
}
