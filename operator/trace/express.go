package trace

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// logged is an event as Step Functions writes it into the log of a state machine
// (https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html).
type logged struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Previous  string          `json:"previous_event_id"`
	Timestamp string          `json:"event_timestamp"` // milliseconds
	Details   json.RawMessage `json:"details"`
}

// details are the details of events that are used.
type details struct {
	Name         *string `json:"name"`
	Index        int32   `json:"index"`
	Input        *string `json:"input"`
	Output       *string `json:"output"`
	ResourceType *string `json:"resourceType"`
	Error        *string `json:"error"`
	Cause        *string `json:"cause"`
}

// fromLog reads an EXPRESS execution from the log.
func (r *Reader) fromLog(ctx context.Context, id string, near time.Time) (Story, error) {
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
			return Story{}, fmt.Errorf("reading the log of execution %s in %s: %w", Name(id), r.LogGroup, err)
		}
		for _, event := range page.Events {
			lines = append(lines, aws.ToString(event.Message))
		}
	}
	if len(lines) == 0 {
		return Story{}, fmt.Errorf("log group %s has no event of it within an hour of that time: %w", r.LogGroup,
			ErrNotFound)
	}
	events, err := parseLog(lines)
	if err != nil {
		return Story{}, err
	}
	story := storyOf(id, events)
	story.Graph, err = r.Graph(ctx)
	return story, err
}

// storyOf is an execution from its events.
func storyOf(id string, events []types.HistoryEvent) Story {
	story := Story{Express: true, Steps: Steps(events),
		Note: "EXPRESS: read from the log, which has no inputs and outputs (logs contain no data of messages)."}
	story.ID, story.Status = id, types.ExecutionStatusRunning
	for _, event := range events {
		switch failure := ended(event); {
		case event.Type == types.HistoryEventTypeExecutionStarted:
			story.Started = aws.ToTime(event.Timestamp)
		case event.Type == types.HistoryEventTypeExecutionSucceeded:
			story.Status, story.Stopped = types.ExecutionStatusSucceeded, event.Timestamp
		case failure != nil:
			story.Status, story.Stopped = types.ExecutionStatusFailed, event.Timestamp
			story.Error, story.Cause = failure.Error, failure.Cause
		}
	}
	return story
}

// parseLog turns the lines of a log into events of a history, in the order of their ids.
func parseLog(lines []string) ([]types.HistoryEvent, error) {
	var events []types.HistoryEvent
	for _, line := range lines {
		var entry logged
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			return nil, fmt.Errorf("reading a line of the state machine's log: %w", err)
		}
		event, err := entry.event()
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	sortByID(events)
	return events, nil
}

func (l logged) event() (types.HistoryEvent, error) {
	var d details
	if len(l.Details) > 0 {
		if err := json.Unmarshal(l.Details, &d); err != nil {
			return types.HistoryEvent{}, fmt.Errorf("reading event %s of the state machine's log: %w", l.ID, err)
		}
	}
	id, _ := strconv.ParseInt(l.ID, 10, 64)
	previous, _ := strconv.ParseInt(l.Previous, 10, 64)
	milliseconds, _ := strconv.ParseInt(l.Timestamp, 10, 64)
	event := types.HistoryEvent{Id: id, PreviousEventId: previous, Type: types.HistoryEventType(l.Type),
		Timestamp: aws.Time(time.UnixMilli(milliseconds).UTC())}
	d.into(&event)
	return event, nil
}
