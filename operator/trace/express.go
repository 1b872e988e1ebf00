package trace

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// logged is an event as Step Functions writes it into the log of a state machine
// (https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html).
type logged struct {
	ID        string  `json:"id"`
	Type      string  `json:"type"`
	Previous  string  `json:"previous_event_id"`
	Timestamp string  `json:"event_timestamp"` // milliseconds
	Details   details `json:"details"`
}

// fromLog reads an EXPRESS execution from the log.
func (r *Reader) fromLog(ctx context.Context, id string, near time.Time) (Account, error) {
	from, to := near.Add(-time.Hour), near.Add(time.Hour)
	if near.IsZero() {
		from, to = time.Now().Add(-24*time.Hour), time.Now()
	}
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(r.Logs,
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: &r.LogGroup,
			FilterPattern: aws.String(`{ $.execution_arn = ` + strconv.Quote(id) + ` }`),
			StartTime:     aws.Int64(from.UnixMilli()), EndTime: aws.Int64(to.UnixMilli())})
	var lines []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Account{}, fmt.Errorf("reading the log of execution %s in %s: %w", Name(id), r.LogGroup, err)
		}
		for _, event := range page.Events {
			lines = append(lines, aws.ToString(event.Message))
		}
	}
	if len(lines) == 0 {
		return Account{}, fmt.Errorf("log group %s has no event of it within an hour of that time: %w", r.LogGroup,
			ErrNotFound)
	}
	events, err := parseLog(lines)
	if err != nil {
		return Account{}, err
	}
	account := accountOf(id, events)
	account.Graph, err = r.Graph(ctx)
	return account, err
}

// accountOf is an execution from its events.
func accountOf(id string, events []event) Account {
	account := Account{Express: true, Steps: stepsOf(events),
		Note: "EXPRESS: read from the log, which has no inputs and outputs (logs contain no data of messages)."}
	account.ID, account.Status = id, types.ExecutionStatusRunning
	for _, e := range events {
		switch {
		case e.Type == types.HistoryEventTypeExecutionStarted:
			account.Started = aws.ToTime(e.At)
		case e.Type == types.HistoryEventTypeExecutionSucceeded:
			account.Status, account.Stopped = types.ExecutionStatusSucceeded, e.At
		case e.ended():
			account.Status, account.Stopped = types.ExecutionStatusFailed, e.At
			account.Error, account.Cause = e.failure()
		}
	}
	return account
}

// parseLog turns the lines of a log into events, in the order of their ids.
func parseLog(lines []string) ([]event, error) {
	var events []event
	for _, line := range lines {
		var entry logged
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			return nil, fmt.Errorf("reading a line of the state machine's log: %w", err)
		}
		id, _ := strconv.ParseInt(entry.ID, 10, 64)
		previous, _ := strconv.ParseInt(entry.Previous, 10, 64)
		milliseconds, _ := strconv.ParseInt(entry.Timestamp, 10, 64)
		events = append(events, event{id, previous, types.HistoryEventType(entry.Type),
			aws.Time(time.UnixMilli(milliseconds).UTC()), entry.Details})
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.ID, b.ID) })
	return events, nil
}
