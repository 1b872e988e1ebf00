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
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/local"
)

// world is the deployed stack with its neighbours. Only the functions meet the faults; all else talks to the engine
// directly.
type world struct {
	Options
	plan   *plan
	faults *faults
	engine *local.TestEngine

	config   aws.Config
	stack    string
	outputs  local.Outputs
	table    *dynamodb.Client
	queues   *sqs.Client
	machines *sfn.Client
	newsURL  string // of a queue that is subscribed to the monitoring topic

	begun time.Time
	busy  busy
	rows  atomic.Pointer[map[string]row] // by collection, as last seen
	seen  seen
}

func setUp(ctx context.Context, project local.Project, o Options) (w *world, err error) {
	w = &world{Options: o, plan: newPlan(o.Seed, o.Collections, o.Messages)}
	defer func() {
		if err != nil {
			w.tearDown()
		}
	}()
	if w.faults, err = newFaults(o.LongestHang, o.KillEvery); err != nil {
		return w, err
	}
	log := local.Log{Steps: o.Log, Output: io.Discard}
	fmt.Fprintln(o.Log, "starting an engine of its own")
	if w.engine, err = project.StartTestEngine(ctx, o.Dir, log,
		"AWS_ENDPOINT_URL="+w.faults.endpoint(),
		"SFN_WAIT_SCALE="+strconv.FormatFloat(o.WaitScale, 'g', -1, 64)); err != nil {
		return w, err
	}
	if err = w.faults.leadTo(w.engine.Endpoint); err != nil {
		return w, err
	}
	outputs := filepath.Join(o.Dir, "outputs.json")
	if err = project.Deploy(ctx, w.engine.Endpoint, outputs,
		[]string{"batchSize=" + strconv.Itoa(o.BatchSize), "sweepEveryMinutes=1"}, log); err != nil {
		return w, err
	}
	if w.stack, w.outputs, err = local.ReadOutputs(outputs); err != nil {
		return w, err
	}
	w.config = local.Config(w.engine.Endpoint)
	w.table, w.queues, w.machines = dynamodb.NewFromConfig(w.config), sqs.NewFromConfig(w.config),
		sfn.NewFromConfig(w.config)
	w.faults.sharedTable.Store(&w.outputs.ExportStatusTableName)
	if err = w.subscribe(ctx); err != nil {
		return w, err
	}
	return w, w.putRows(ctx)
}

func (w *world) tearDown() {
	if w.engine != nil {
		if err := w.engine.Stop(context.Background()); err != nil {
			fmt.Fprintln(w.Log, err)
		}
	}
	if w.faults != nil {
		w.faults.stop()
	}
}

// subscribe makes a queue that gets the monitoring topic's messages as they were published.
func (w *world) subscribe(ctx context.Context) error {
	made, err := w.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("chaos-news")})
	if err != nil {
		return fmt.Errorf("making a queue for the news: %w", err)
	}
	w.newsURL = aws.ToString(made.QueueUrl)
	name := sqstypes.QueueAttributeNameQueueArn
	got, err := w.queues.GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: &w.newsURL, AttributeNames: []sqstypes.QueueAttributeName{name}})
	if err != nil {
		return fmt.Errorf("making a queue for the news: %w", err)
	}
	if _, err := sns.NewFromConfig(w.config).Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &w.outputs.MonitoringTopicArn, Protocol: aws.String("sqs"),
		Endpoint:   aws.String(got.Attributes[string(name)]),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	}); err != nil {
		return fmt.Errorf("subscribing to the news: %w", err)
	}
	return nil
}

func (w *world) servePipes(ctx context.Context) error {
	pipes, err := local.Pipes(ctx, w.config, w.stack)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return local.RunPipes(ctx, w.config, pipes, log)
}

// every does the task again and again until it fails or the context is done.
func every(ctx context.Context, interval time.Duration, task func() error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := task(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// tell says from time to time how far it is.
func (w *world) tell(ctx context.Context) error {
	return every(ctx, 15*time.Second, func() error {
		if rows := w.rows.Load(); rows != nil {
			fmt.Fprintf(w.Log, "%4.0f s: %d messages sent, %d of %d counted, %d connections cut, "+
				"%d processes killed, slowed down %.1f times\n",
				time.Since(w.begun).Seconds(), w.seen.sendings.Load(), received(*rows), w.Messages,
				w.faults.cut(), w.seen.killed.Load(), w.busy.now())
		}
		return nil
	})
}
