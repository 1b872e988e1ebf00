package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"snapshot-status-checker/local"
	"snapshot-status-checker/operator/deployment"
)

// trial is one deployment that is created, examined and removed.
type trial struct {
	config       aws.Config
	account      string
	environment  string
	stack        string
	cdk          deployer
	deny, allow  func(context.Context) error // revoke and restore increment's right to write
	deleteTables bool
	progress     io.Writer

	timeouts     struct{ run, alarm time.Duration } // without any change, for the run and for alarms
	pollInterval time.Duration

	facts      []fact
	undo       []question // remove what was created, the last first
	deployed   bool
	outputs    local.Outputs
	alarmTopic string
	monitoring *listener
	alarms     *listener
	tables     []string // nil: not known
	refused    *refusal
}

// deployer deploys the CDK app with settings (key=value), and compares it with the deployed stack. serve starts serving
// the stack's pipes where the endpoint does not.
type deployer interface {
	deploy(ctx context.Context, settings []string) error
	diff(ctx context.Context, settings []string) error
	serve(ctx context.Context, stack string) error
}

func newTrial(config aws.Config, account, environment string, cdk deployer) *trial {
	application, _ := strings.CutSuffix(deployment.DefaultStack, "-dev")
	t := &trial{
		config: config, account: account, environment: environment, stack: application + "-" + environment,
		cdk: cdk, progress: os.Stderr,
	}
	t.deny, t.allow = t.denyWrites, t.allowWrites
	t.timeouts.run, t.timeouts.alarm, t.pollInterval = 10*time.Minute, 20*time.Minute, 5*time.Second
	return t
}

// local reports whether the local engine stands in for AWS.
func (t *trial) local() bool { return t.config.BaseEndpoint != nil }

func (t *trial) settings() []string {
	return []string{"environment=" + t.environment, "alarmTopicArn=" + t.alarmTopic}
}

// question has a statement that should be true and a check of it. The check returns what it saw, or an error: missing,
// skipped, or any other, which means no.
type question struct {
	what     string
	deployed bool // asks about the deployed stack
	ask      func(context.Context) (seen string, err error)
}

// questions are all questions in their order.
func (t *trial) questions() []question {
	all := []question{{what: "the definition is valid, STANDARD and EXPRESS", ask: t.validate}}
	for _, state := range stateTests {
		all = append(all, question{what: "TestState: " + state.Name, ask: func(ctx context.Context) (string, error) {
			return t.testState(ctx, state)
		}})
	}
	return append(all,
		question{what: "a topic for alarms and a queue that listens to it are created", ask: t.makeAlarmTopic},
		question{what: "cdk deploy creates the stack", ask: t.deploy},
		question{what: "both pipes are RUNNING", deployed: true, ask: t.pipesRun},
		question{what: "a message on the monitoring topic arrives", deployed: true, ask: t.publish},
		question{what: "doctor reports no error", deployed: true, ask: t.examine},
		question{what: "a run of 5 collections ends successful", deployed: true, ask: t.play},
		question{what: "monitoring gets each notification once", deployed: true, ask: t.notified},
		question{what: "the stream delivers the late Sent, and no execution failed", deployed: true, ask: t.lateSent},
		question{what: "verify: receipts, ledger and table agree", deployed: true, ask: t.verify},
		question{what: "an alarm reaches the topic for alarms", deployed: true, ask: t.alarmHeard},
		question{what: "a rejected message sets off RejectedMessages", deployed: true, ask: t.rejectedAlarm},
		question{what: "without its right to write, increment counts nothing", deployed: true, ask: t.refuse},
		question{what: strings.Join(alarmsOfRefusal, " and ") + " go off", deployed: true, ask: t.refusedAlarms},
		question{what: "the message is rejected, and counts when replayed", deployed: true, ask: t.replay},
		question{what: "the redrive of dead letters is denied", deployed: true, ask: t.redrive},
		question{what: "cdk diff shows no difference", deployed: true, ask: t.diff},
	)
}

// run asks all questions and then removes what was created, also if the context ends or a question panics.
func (t *trial) run(ctx context.Context) { t.askAll(ctx, t.questions()) }

func (t *trial) askAll(ctx context.Context, questions []question) {
	defer t.cleanUp(context.WithoutCancel(ctx))
	for _, q := range questions {
		t.ask(ctx, q)
	}
}

func (t *trial) ask(ctx context.Context, q question) {
	f := fact{what: q.what}
	fmt.Fprintf(t.progress, "\n%s  %s …\n", time.Now().Format(time.TimeOnly), q.what)
	start := time.Now()
	var err error
	switch {
	case ctx.Err() != nil:
		err = skipped{"interrupted"}
	case q.deployed && !t.deployed:
		err = skipped{"nothing is deployed"}
	default:
		if f.seen, err = q.ask(ctx); err != nil && ctx.Err() != nil {
			err = skipped{"interrupted: " + err.Error()}
		}
	}
	f.answer, f.took = answerOf(err, t.local()), time.Since(start)
	if err != nil {
		f.seen = strings.TrimSpace(f.seen + " " + err.Error())
	}
	fmt.Fprintf(t.progress, "          %s: %s\n", f.answer, f.seen)
	t.facts = append(t.facts, f)
}

// atEnd removes something at the end. It is called before that is created, so remove must work without it.
func (t *trial) atEnd(what string, remove func(context.Context) (string, error)) {
	t.undo = append(t.undo, question{what: what, ask: remove})
}

// cleanUpWithin bounds each removal; a stack takes minutes.
const cleanUpWithin = 30 * time.Minute

// cleanUp removes everything that was created, the last first. After an error it goes on with the rest.
func (t *trial) cleanUp(ctx context.Context) {
	fmt.Fprintf(t.progress, "\nCleaning up. If you interrupt this too, delete by hand stack %s, and the queues "+
		"and the topic whose names begin with its name.\n", t.stack)
	for len(t.undo) > 0 {
		last := t.undo[len(t.undo)-1]
		t.undo = t.undo[:len(t.undo)-1]
		within, cancel := context.WithTimeout(ctx, cleanUpWithin)
		t.ask(within, last)
		cancel()
	}
}

// errTimeout is the error of a condition that did not become true in time.
var errTimeout = errors.New("timed out")

// until polls until done, for as long as timeout.
func (t *trial) until(ctx context.Context, timeout time.Duration, done func() (bool, error)) error {
	deadline := time.Now().Add(timeout)
	for {
		if is, err := done(); err != nil || is {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w after %v", errTimeout, timeout)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(t.pollInterval):
		}
	}
}

func (t *trial) deployment() deployment.Deployment {
	return deployment.Deployment{Outputs: t.outputs, Stack: t.stack, Local: t.local(), Config: t.config,
		Settings: deployment.Settings{StalledAfter: time.Hour}}
}
