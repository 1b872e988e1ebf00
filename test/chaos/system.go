package chaos

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local"
	"snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/test/scenario"
)

// system is the deployed stack and the systems around it. Only the functions meet the faults; everything else calls the
// engine directly.
type system struct {
	Options
	plan   *plan
	faults *faults
	engine *local.TestEngine

	config           aws.Config
	stack            string
	outputs          local.Outputs
	player           *scenario.Player
	queues           *sqs.Client
	notificationsURL string // of a queue subscribed to the monitoring topic
	deadLettersURL   string // of the file-received queue

	begun time.Time
	rows  atomic.Pointer[rows] // as last seen
	seen  seen
}

func setUp(ctx context.Context, project local.Project, o Options) (s *system, err error) {
	s = &system{Options: o}
	if s.plan, err = newPlan(o); err != nil {
		return s, err
	}
	defer func() {
		if err != nil {
			s.tearDown()
		}
	}()
	if s.faults, err = newFaults(o.LongestHang, o.KillEvery); err != nil {
		return s, err
	}
	log := local.Log{Steps: o.Log, Output: io.Discard}
	fmt.Fprintln(o.Log, "starting an engine")
	if s.engine, err = project.StartTestEngine(ctx, o.Dir, log,
		"AWS_ENDPOINT_URL="+s.faults.endpoint(),
		"SFN_WAIT_SCALE="+strconv.FormatFloat(o.WaitScale, 'g', -1, 64)); err != nil {
		return s, err
	}
	if err = s.faults.forwardTo(s.engine.Endpoint); err != nil {
		return s, err
	}
	outputs := filepath.Join(o.Dir, "outputs.json")
	settings := []string{"batchSize=" + strconv.Itoa(o.BatchSize), "sweepEveryMinutes=1",
		"countBy=" + string(o.CountBy)}
	if err = project.Deploy(ctx, s.engine.Endpoint, outputs, settings, log); err != nil {
		return s, err
	}
	if s.stack, s.outputs, err = local.ReadOutputs(outputs); err != nil {
		return s, err
	}
	s.config = local.Config(s.engine.Endpoint)
	s.player = scenario.NewPlayer(s.config, s.outputs)
	s.queues = sqs.NewFromConfig(s.config)
	deadLetters, err := rejected.Queues{SQS: s.queues, FileReceived: s.outputs.FileReceivedQueueUrl}.DeadLetters(ctx)
	if err != nil {
		return s, err
	}
	s.deadLettersURL = deadLetters.Rejected
	notifications := scenario.NewSubscription(s.config, "chaos-notifications", s.outputs.MonitoringTopicArn)
	if err = notifications.Begin(ctx); err != nil {
		return s, err
	}
	s.notificationsURL = notifications.URL
	return s, s.player.PutRows(ctx, s.plan.run)
}

func (s *system) tearDown() {
	if s.engine != nil {
		if err := s.engine.Stop(context.Background()); err != nil {
			fmt.Fprintln(s.Log, err)
		}
	}
	if s.faults != nil {
		s.faults.stop()
	}
}

func (s *system) servePipes(ctx context.Context) error {
	pipes, err := local.Pipes(ctx, s.config, s.stack)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return local.RunPipes(ctx, s.config, pipes, log)
}

// every repeats the task until it is done or fails, or the context is done.
func every(ctx context.Context, interval time.Duration, task func() (done bool, err error)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if done, err := task(); err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// logProgress logs every 15 seconds.
func (s *system) logProgress(ctx context.Context) error {
	return every(ctx, 15*time.Second, func() (done bool, err error) {
		if rows := s.rows.Load(); rows != nil {
			fmt.Fprintf(s.Log, "%4.0f s: %d messages sent, %d of %d counted, %d connections cut, %d processes killed\n",
				time.Since(s.begun).Seconds(), s.seen.sendings.Load(), received(*rows), s.plan.files, s.faults.cut(),
				s.seen.killed.Load())
		}
		return false, nil
	})
}
