package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) {
	os.Setenv("SFN_WAIT_SCALE", "0.01") // the engine's: retries wait a hundredth of their time
	localtest.Main(m)
}

// engine deploys to the local engine and serves the pipes there.
type engine struct {
	t        *testing.T
	project  local.Project
	endpoint string
	log      local.Log
}

func (e engine) deploy(ctx context.Context, settings []string) error {
	file := filepath.Join(e.t.TempDir(), "outputs.json")
	if err := e.project.Deploy(ctx, e.endpoint, file, settings, e.log); err != nil {
		return err
	}
	stack, _, err := local.ReadOutputs(file)
	if err != nil {
		return err
	}
	deployed, err := local.Pipes(ctx, local.Config(e.endpoint), stack)
	if err != nil {
		return err
	}
	for _, pipe := range deployed { // a local deployment stops one of them
		client := pipes.NewFromConfig(local.Config(e.endpoint))
		if _, err := client.StartPipe(ctx, &pipes.StartPipeInput{Name: &pipe.Name}); err != nil {
			return err
		}
	}
	return nil
}

func (e engine) diff(ctx context.Context, settings []string) error {
	return e.project.Diff(ctx, e.endpoint, settings, e.log)
}

func (e engine) serve(ctx context.Context, stack string) error {
	config := local.Config(e.endpoint)
	if err := local.StopStreamPipes(ctx, config, stack); err != nil {
		return err
	}
	localtest.Serve(e.t, config, stack)
	return nil
}

// newTestTrial is a trial on the local engine. It waits briefly for alarms, which the engine lacks.
func newTestTrial(t *testing.T, environment string) *trial {
	t.Helper()
	endpoint := localtest.Engine(t)
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	log := local.Log{Steps: t.Output(), Output: t.Output()}
	one := newTrial(localtest.Config(endpoint), "000000000000", environment, engine{t, project, endpoint, log})
	one.progress = t.Output()
	one.timeouts.run, one.timeouts.alarm, one.pollInterval = 10*time.Minute, 2*time.Second, 100*time.Millisecond
	return one
}

// Every call works against the local engine. The table lists what the engine lacks; nothing else fails. Interrupted
// after that, the trial removes everything. The engine enforces no rights, so a function without concurrency stands in
// for one without its right.
func TestFactsOfTheLocalEngine(t *testing.T) {
	trial := newTestTrial(t, "facts")
	functions := lambda.NewFromConfig(trial.config)
	increment := aws.String(trial.stack + "-increment")
	trial.deny = func(ctx context.Context) error {
		_, err := functions.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
			FunctionName: increment, ReservedConcurrentExecutions: aws.Int32(0)})
		return err
	}
	allowed := 0
	trial.allow = func(ctx context.Context) error {
		allowed++
		_, err := functions.DeleteFunctionConcurrency(ctx,
			&lambda.DeleteFunctionConcurrencyInput{FunctionName: increment})
		return err
	}
	if err := trial.unused(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	questions := append(trial.questions(),
		question{what: "interrupted", ask: func(ctx context.Context) (string, error) {
			interrupt()
			return "", ctx.Err()
		}},
		question{what: "too late", ask: func(context.Context) (string, error) { return "", nil }})
	trial.askAll(ctx, questions)
	printFacts(t.Output(), trial.facts)

	got := map[string]string{}
	for _, f := range trial.facts {
		if f.answer != yes {
			seen, _, _ := strings.Cut(f.seen, ", https response error")
			got[f.what] = string(f.answer) + ": " + seen
		}
	}
	const without = " is INSUFFICIENT_DATA: Unchecked: Initial alarm creation"
	want := map[string]string{
		"a rejected message sets off RejectedMessages": string(lacks) + ": in state ALARM: ExportStatusConflicts " +
			"no alarm RejectedMessages within 2s; RejectedMessages" + without,
		"ExecutionsFailed and RejectedMessages go off": string(lacks) + ": in state ALARM: ExportStatusConflicts " +
			"no alarm ExecutionsFailed and RejectedMessages within 2s; ExecutionsFailed" + without +
			"; RejectedMessages" + without,
		"the redrive of dead letters is denied": string(lacks) + ": starting the redrive: " +
			"operation error SQS: StartMessageMoveTask",
		"interrupted": string(notAsked) + ": interrupted: context canceled",
		"too late":    string(notAsked) + ": interrupted",
	}
	for state, seen := range map[string]string{
		"Increment Files Received": "CAUGHT_ERROR after 9", "Check Collection": "CAUGHT_ERROR after 5",
		"Notify Sender": "CAUGHT_ERROR after 5", "Check All Collections": "CAUGHT_ERROR after 5",
		"Notify Monitoring": "CAUGHT_ERROR after 5", "Reject Message": "FAILED after 8",
	} {
		want["TestState: "+state] = string(lacks) + ": SUCCEEDED, then " + seen +
			" retries TestState evaluates no expression: it shows no arguments"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts other than yes (-want +got)\n%s", diff)
	}
	if allowed != 2 {
		t.Errorf("the right was restored %d times, want once to replay and once at the end", allowed)
	}
	trial.tablesAre(t, 2)
	trial.isGone(t)
	trial.deleteTables = true
	if seen, err := trial.leaveTables(t.Context()); err != nil {
		t.Errorf("deleting the tables: %s, %v", seen, err)
	}
	trial.tablesAre(t, 0)
}

// tablesAre checks the number of the stack's tables.
func (t *trial) tablesAre(test *testing.T, want int) {
	test.Helper()
	listed, err := dynamodb.NewFromConfig(t.config).ListTables(test.Context(), &dynamodb.ListTablesInput{})
	if err != nil {
		test.Fatal(err)
	}
	if got := named(t.stack, listed.TableNames); len(got) != want {
		test.Errorf("remaining tables: %v, want %d", got, want)
	}
}

// isGone checks that nothing else of the trial remains.
func (t *trial) isGone(test *testing.T) {
	test.Helper()
	ctx := test.Context()
	if stack, err := t.find(ctx, &t.stack); stack != nil || err != nil {
		test.Errorf("the stack exists: %v", err)
	}
	queues, err := sqs.NewFromConfig(t.config).ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		test.Fatal(err)
	}
	left := queues.QueueUrls
	topics, err := sns.NewFromConfig(t.config).ListTopics(ctx, &sns.ListTopicsInput{})
	if err != nil {
		test.Fatal(err)
	}
	for _, topic := range topics.Topics {
		left = append(left, *topic.TopicArn)
	}
	if left = named(t.stack, left); len(left) > 0 {
		test.Errorf("left behind: %v", left)
	}
}

func named(stack string, names []string) (some []string) {
	for _, name := range names {
		if strings.Contains(name, stack) {
			some = append(some, name)
		}
	}
	return some
}
