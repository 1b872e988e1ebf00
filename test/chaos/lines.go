package chaos

import (
	"context"
	"errors"
	"time"

	lines "snapshot-status-checker/operator/history"
	"snapshot-status-checker/operator/logs"
)

// checkLines checks the log lines that the functions wrote, as snapshot-status verify --history does. Killed processes
// have lost some.
func (r *Report) checkLines(ctx context.Context) error {
	checker, client := lines.New(r.plan.run.CorrelationID, lines.Knowledge{}), logs.New(r.config)
	var unreadable error
	for _, task := range lines.Tasks {
		err := logs.OfRun(ctx, client, "/aws/lambda/"+r.stack+"-"+task, r.plan.run.CorrelationID, time.Time{},
			func(line []byte) {
				event, err := lines.Parse(r.plan.run.CorrelationID, line)
				unreadable = errors.Join(unreadable, err)
				checker.Line(event)
			})
		if err != nil && !errors.Is(err, logs.ErrNoGroup) {
			return err
		}
	}
	report := checker.Report()
	if unreadable != nil {
		r.broken("log lines cannot be read: %v", unreadable)
	}
	for _, violation := range report.Violations {
		r.broken("the log lines contradict a guarantee: %s", violation)
	}
	if r.lines = report.Examined; r.lines.Messages == 0 {
		r.broken("no chaos: no log line says what was counted")
	}
	return nil
}
