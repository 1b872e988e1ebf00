package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local"
	"snapshot-status-checker/test/scenario"
)

type demoCommand struct {
	upOptions
	Collections int  `env:"COLLECTIONS" default:"6" help:"Collections of the run."`
	Files       int  `env:"FILES" default:"5" help:"Files of each collection."`
	Keep        bool `env:"KEEP" help:"Keep the page until Ctrl-C."`
}

// Run brings the stack up, plays everybody around it for one run, and checks what came out.
// It returns an error if anything is not as it should be.
func (c *demoCommand) Run(ctx context.Context, project local.Project) error {
	if c.Collections < 1 || c.Files < 1 {
		return errors.New("a run has at least one collection and one file")
	}
	if err := c.up(ctx, project); err != nil {
		return err
	}
	port, err := project.EnginePort()
	if err != nil {
		return err
	}
	_, outputs, err := local.ReadOutputs(project.OutputsFile())
	if err != nil {
		return err
	}
	run := newRun("demo-"+strings.ToLower(rand.Text()[:10]), c.Collections, c.Files)
	fmt.Printf("\nRun %s: %d collections of %d files, with duplicates, a late file, malformed messages, and a "+
		"collection\n"+
		"that the sender marks as Sent only after its last file has arrived\n",
		run.CorrelationID, c.Collections, c.Files)
	stopPage, err := showPage(ctx, run.CorrelationID, os.Stdout)
	if err != nil {
		return err
	}
	began := time.Now()
	seen, err := play(ctx, scenario.NewWorld(local.Config(local.Endpoint(port)), outputs), run, os.Stdout)
	if err == nil {
		err = report(os.Stdout, run, seen, time.Since(began))
	}
	if c.Keep && ctx.Err() == nil {
		fmt.Println("\nThe page stays for a look. End: Ctrl-C")
		<-ctx.Done()
	}
	return errors.Join(err, stopPage())
}

// play puts the run's rows, sends its messages, answers the requests as the sender does, and returns what was seen
// when the stack has come to rest, or when nothing has changed for too long.
func play(ctx context.Context, world *scenario.World, run *run, out io.Writer) (*seen, error) {
	news, closeNews, err := world.Subscribe(ctx, run.Run)
	if err != nil {
		return nil, err
	}
	defer closeNews()
	if err := world.PutRows(ctx, run.Run); err != nil {
		return nil, err
	}
	seen := &seen{run: run}
	group, ctx := errgroup.WithContext(ctx)
	listening, stopListening := context.WithCancel(ctx)
	for _, inbox := range inboxes(world, run, seen, news) {
		group.Go(func() error { return inbox.Listen(listening) })
	}
	group.Go(func() error {
		defer stopListening()
		return send(ctx, world, run, seen, scenario.NewProgress(out))
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return seen, nil
}

// send plays the exporter and the sender in four acts, each when the one before has had its effect.
func send(ctx context.Context, world *scenario.World, run *run, seen *seen, progress *scenario.Progress) error {
	defer progress.End()
	messages := func(some []scenario.Message) func() error {
		return func() error {
			expected, err := world.Send(ctx, some, 0)
			seen.expect(expected)
			return err
		}
	}
	inTime := len(run.Collections) - 1
	acts := []struct {
		play func() error
		done func() bool
	}{
		{messages(run.first), func() bool { return seen.succeeded()+seen.arrived() == inTime }},
		{func() error { return world.WriteSent(ctx, run.Run) }, func() bool { return seen.succeeded() == inTime }},
		{messages(run.late), seen.complete},
		{messages(run.afterwards), func() bool { return true }},
	}
	for _, act := range acts {
		if err := act.play(); err != nil {
			return err
		}
		finished, err := watch(ctx, world, seen, progress, act.done)
		if err != nil || !finished {
			return err // what is missing is reported
		}
	}
	return nil
}

const patience = 45 * time.Second

// watch looks at the run until done, and then until the stack has come to rest. It gives up, and returns false,
// when nothing has changed for a while.
func watch(
	ctx context.Context, world *scenario.World, seen *seen, progress *scenario.Progress, done func() bool,
) (bool, error) {
	return scenario.Watch(ctx, patience, func() (bool, error) {
		rows, err := world.Rows(ctx, seen.run.Run)
		if err != nil {
			return false, err
		}
		seen.setRows(rows)
		progress.Show(seen.String())
		if !done() {
			return false, nil
		}
		return world.AtRest(ctx)
	}, seen.String)
}

// inboxes are the three queues that the run's results come out of. The first one's requests are answered.
func inboxes(world *scenario.World, run *run, seen *seen, news string) []*scenario.Inbox {
	return []*scenario.Inbox{
		world.Sender(run.Run, seen.addRequest),
		world.Inbox(news, run.Run, func(_ context.Context, message sqstypes.Message) error {
			var news struct {
				Title string `json:"title_text"`
			}
			if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &news); err != nil {
				return fmt.Errorf("reading the news: %w", err)
			}
			seen.addNews(news.Title)
			return nil
		}),
		world.Rejected(run.Run, func(message sqstypes.Message) {
			attribute := func(name string) string { return aws.ToString(message.MessageAttributes[name].StringValue) }
			seen.addRejected(rejected{
				Reject: scenario.Reject{Reason: snapshot.Reason(attribute(delivery.AttrReasonCode)),
					Identity: attribute(delivery.AttrIdentity)},
				detail: attribute(delivery.AttrReason), text: aws.ToString(message.Body),
			})
		}),
	}
}
