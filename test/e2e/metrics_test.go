package e2e_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/telemetry/metrics/metricstest"
	"snapshot-status-checker/local/localtest"
)

// The metrics of a run, as CloudWatch would extract them from the logs. The local engine extracts none.
func metricsOfARun(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.metrics.a", "Sent", 3)
	r.put("db.metrics.b", "Sent", 2)
	r.handle(append(r.many(3, "db.metrics.a"), r.many(2, "db.metrics.b")...)...)
	r.wantNotifications(r.allReceived())
	r.handle(r.successFile("db.metrics.a"), r.successFile("db.metrics.b"))
	r.wantNotifications(r.allReceived(), r.allSuccessful())

	want := map[string]float64{"CollectionsReceived": 2, "CollectionsSuccessful": 2, "RequestsSent": 2,
		"RunsReceived": 1, "RunsSuccessful": 1}
	tasks := []string{"check-collection", "check-all", "notify"}
	// A batch of messages of several runs belongs to no run.
	if !strings.HasSuffix(s.outputs.StateMachineArn, "-express") {
		want["FilesReceived"], want["SuccessFilesReceived"] = 5, 2
		tasks = append(tasks, "increment")
	}
	localtest.AwaitNothing(t, func() string { // logs are written after the call
		got := map[string]float64{}
		for _, task := range tasks {
			r.addMetrics(t.Context(), task, got)
		}
		delete(got, "MessageProcessingTime")
		delete(got, "ContentionRetries")
		return cmp.Diff(want, got)
	})
}

// addMetrics sums up the metrics of the run in the log of a function. CloudWatch must accept every line.
func (r *run) addMetrics(ctx context.Context, task string, sums map[string]float64) {
	r.t.Helper()
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(r.stack.Config),
		&cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: aws.String("/aws/lambda/" + r.stack.Name + "-" + task),
		})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, event := range page.Events {
			data, err := metricstest.Extract([]byte(*event.Message))
			if err != nil {
				r.t.Errorf("%s: %v: %s", task, err, *event.Message)
			}
			var line struct {
				CorrelationID string `json:"correlation_id"`
				ExecutionID   string `json:"execution_id"`
			}
			if len(data) == 0 || json.Unmarshal([]byte(*event.Message), &line) != nil || line.CorrelationID != r.id {
				continue
			}
			if line.ExecutionID == "" {
				r.t.Errorf("%s has no execution id: %s", task, *event.Message)
			}
			for _, d := range data {
				sums[d.Name] += d.Value
				if want := "application=snapshot-sender-status-checker environment="; !strings.HasPrefix(d.Dimensions,
					want) {
					r.t.Errorf("%s: dimensions of %s: %s", task, d.Name, d.Dimensions)
				}
			}
		}
	}
}
