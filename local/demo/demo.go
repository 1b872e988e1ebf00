// Package demo sends a run through the local stack and checks the result.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/page"
	"snapshot-status-checker/test/scenario"
)

// Options are the size of the run, and what happens to the page after it.
type Options struct {
	Collections int  `env:"COLLECTIONS" default:"6" help:"Collections of the run."`
	Files       int  `env:"FILES" default:"5" help:"Files of each collection."`
	Keep        bool `env:"KEEP" help:"Leave the page running after the run, until Ctrl-C."`
}

// Check returns an error if no run has this size.
func (o Options) Check() error {
	if o.Collections < 1 || o.Files < 1 {
		return errors.New("COLLECTIONS and FILES must be at least 1")
	}
	return nil
}

// Run plays a run against the local stack, which must be up, and writes progress and result to out. It returns an error
// that lists every difference from the expected result.
func Run(ctx context.Context, project local.Project, options Options, out io.Writer) error {
	port, err := project.EnginePort()
	if err != nil {
		return err
	}
	_, outputs, err := local.ReadOutputs(project.OutputsFile())
	if err != nil {
		return err
	}
	run := newRun("demo-"+strings.ToLower(rand.Text()[:10]), options.Collections, options.Files)
	fmt.Fprintf(out, "\nRun %s: %d collections of %d files, with duplicates, malformed messages, a late file, and a\n"+
		"collection whose status becomes Sent after its last file arrived\n",
		run.CorrelationID, options.Collections, options.Files)
	stopPage, err := showPage(ctx, run.CorrelationID, out)
	if err != nil {
		return err
	}
	began := time.Now()
	result, err := play(ctx, scenario.NewPlayer(local.Config(local.Endpoint(port)), outputs),
		scenario.NewSubscription(local.Config(local.Endpoint(port)), "notifications-"+run.CorrelationID,
			outputs.MonitoringTopicArn), run, out)
	if err == nil {
		err = report(out, run, result, time.Since(began))
	}
	if options.Keep && ctx.Err() == nil {
		fmt.Fprintln(out, "\nThe page is still running. Press Ctrl-C to stop it.")
		<-ctx.Done()
	}
	return errors.Join(err, stopPage())
}

// showPage serves the page for the local stack on a free port of loopback, as `snapshot-status serve` does, and writes
// the address of the run's view to out.
func showPage(ctx context.Context, run string, out io.Writer) (stop func() error, err error) {
	found, err := deployment.Where{Local: true}.Find(ctx)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serving the page: %w", err)
	}
	serving, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- page.Serve(serving, listener, page.NewSource(found),
			page.Options{AllowWrites: true, Hosts: page.HostsOf(listener.Addr(), nil),
				Log: slog.New(slog.DiscardHandler)},
			func(address string) { fmt.Fprintf(out, "\nPage: %srun?id=%s\n", address, url.QueryEscape(run)) })
	}()
	return func() error { cancel(); return <-ended }, nil
}

// play writes the run's rows, sends its messages and answers the requests as the sender does. It returns the result
// when the stack is idle, or when nothing changed for as long as timeout.
func play(ctx context.Context, player *scenario.Player, notifications *scenario.Subscription, run *run,
	out io.Writer,
) (*result, error) {
	// What an error leaves behind ends with the engine.
	defer func() { _ = notifications.End(context.WithoutCancel(ctx)) }()
	if err := notifications.Begin(ctx); err != nil {
		return nil, err
	}
	if err := player.PutRows(ctx, run.Run); err != nil {
		return nil, err
	}
	result := &result{run: run}
	group, ctx := errgroup.WithContext(ctx)
	listening, stopListening := context.WithCancel(ctx)
	for _, inbox := range inboxes(player, run, result, notifications.URL) {
		group.Go(func() error { return inbox.Listen(listening) })
	}
	group.Go(func() error {
		defer stopListening()
		return send(ctx, player, run, result, scenario.NewProgress(out))
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return result, nil
}

// send plays the exporter and the sender in four phases. Each begins when the one before has had its effect.
func send(
	ctx context.Context, player *scenario.Player, run *run, result *result, progress *scenario.Progress,
) error {
	defer progress.End()
	messages := func(some []scenario.Message) func() error {
		return func() error {
			expected, err := player.Send(ctx, some, 0)
			result.locked(func() { result.expected = append(result.expected, expected...) })
			return err
		}
	}
	inTime := len(run.Collections) - 1
	for _, phase := range []struct {
		begin func() error
		done  func() bool
	}{
		{messages(run.first), func() bool { return result.succeeded()+result.arrived() == inTime }},
		{func() error { return player.WriteSent(ctx, run.Run) }, func() bool { return result.succeeded() == inTime }},
		{messages(run.late), result.complete},
		{messages(run.afterwards), func() bool { return true }},
	} {
		if err := phase.begin(); err != nil {
			return err
		}
		finished, err := await(ctx, player, result, progress, phase.done)
		if err != nil || !finished {
			return err // report lists what is missing
		}
	}
	return nil
}

const timeout = 45 * time.Second

// await waits until done, and then until the stack is idle. It returns false after a timeout.
func await(ctx context.Context, player *scenario.Player, result *result, progress *scenario.Progress,
	done func() bool,
) (bool, error) {
	return scenario.Poll(ctx, timeout, func() (bool, error) {
		rows, err := player.Rows(ctx, result.run.Run)
		if err != nil {
			return false, err
		}
		result.locked(func() { result.rows = rows })
		progress.Show(result.String())
		if !done() {
			return false, nil
		}
		return player.Idle(ctx)
	}, result.String)
}

// inboxes receive requests, which the first one answers, notifications and rejected messages.
func inboxes(player *scenario.Player, run *run, result *result, notifications string) []*scenario.Inbox {
	return []*scenario.Inbox{
		player.Sender(run.Run, func(request scenario.Fields) {
			result.locked(func() { result.requests = append(result.requests, request) })
		}),
		player.Inbox(notifications, run.Run, func(_ context.Context, message sqstypes.Message) error {
			var notification struct {
				Title string `json:"title_text"`
			}
			if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &notification); err != nil {
				return fmt.Errorf("reading a notification: %w", err)
			}
			result.locked(func() { result.notifications = append(result.notifications, notification.Title) })
			return nil
		}),
		player.Rejected(run.Run, func(message sqstypes.Message) {
			attribute := func(name string) string { return aws.ToString(message.MessageAttributes[name].StringValue) }
			found := rejected{detail: attribute(delivery.AttrReason), Reject: scenario.Reject{
				Reason:   snapshot.Reason(attribute(delivery.AttrReasonCode)),
				Identity: attribute(delivery.AttrIdentity)}}
			result.locked(func() { result.rejected = append(result.rejected, found) })
		}),
	}
}
