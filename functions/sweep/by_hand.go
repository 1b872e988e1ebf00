package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
)

// Abandon asks to end a run by hand. Repeating it replaces the reason and changes nothing else.
type Abandon struct {
	CorrelationID string `json:"correlation_id"`
	Reason        string `json:"reason"` // of up to snapshot.MaxReason bytes
}

// Resume asks to take up a run again that was ended by hand. For another run it does nothing.
type Resume struct {
	CorrelationID string `json:"correlation_id"`
}

// Answer is the result of an Abandon or a Resume. A refusal is no error of the function, which would raise its alarm.
type Answer struct {
	Refused     string     `json:"refused,omitempty"`      // why, if nothing was done
	AbandonedAt *time.Time `json:"abandoned_at,omitempty"` // of an Abandon: when it was asked for first
	Resumed     bool       `json:"resumed,omitempty"`      // of a Resume: the run was ended by hand
}

// byHand does what a person asks for. It sweeps nothing.
func (t *Task) byHand(ctx context.Context, in Input) (Output, error) {
	var answer Answer
	var err error
	switch {
	case in.Abandon != nil && in.Resume != nil:
		err = errors.New("the input asks both to abandon and to resume a run; ask for one")
	case in.Abandon != nil:
		answer, err = t.abandon(ctx, *in.Abandon)
	default:
		answer.Resumed, err = t.store.Resume(ctx, in.Resume.CorrelationID)
		if err == nil {
			t.log.InfoContext(ctx, "taken up again", logging.CorrelationID, in.Resume.CorrelationID, "was_abandoned",
				answer.Resumed)
		}
	}
	if errors.Is(err, store.ErrUnknownRun) || errors.Is(err, store.ErrFinished) {
		answer, err = Answer{Refused: err.Error()}, nil
	}
	return Output{ByHand: &answer}, err
}

func (t *Task) abandon(ctx context.Context, in Abandon) (Answer, error) {
	if err := snapshot.CheckReason(in.Reason); err != nil {
		return Answer{Refused: err.Error()}, nil
	}
	done, err := t.store.Abandon(ctx, in.CorrelationID, in.Reason)
	if err != nil {
		return Answer{}, fmt.Errorf("run %s: %w", in.CorrelationID, err)
	}
	t.log.InfoContext(ctx, "abandoned by hand", logging.CorrelationID, in.CorrelationID, "reason", done.Reason,
		"abandoned_at", done.At)
	return Answer{AbandonedAt: &done.At}, nil
}
