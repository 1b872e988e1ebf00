package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
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

// Every call works against the local engine. The table lists what the engine lacks; nothing else fails.
func TestFactsOfTheLocalEngine(t *testing.T) {
	trial := newTestTrial(t, "facts")
	if err := trial.unused(t.Context()); err != nil {
		t.Fatal(err)
	}
	trial.run(t.Context())
	printFacts(t.Output(), trial.facts)

	got := map[string]string{}
	for _, f := range trial.facts {
		if f.answer != yes {
			got[f.what] = string(f.answer) + ": " + f.seen
		}
	}
	const noExpressions = "TestState evaluates no expression: it shows no arguments"
	want := map[string]string{
		"TestState: Increment Files Received": "SUCCEEDED, then CAUGHT_ERROR after 9 retries " + noExpressions,
		"TestState: Check Collection":         "SUCCEEDED, then CAUGHT_ERROR after 5 retries " + noExpressions,
		"TestState: Notify Sender":            "SUCCEEDED, then CAUGHT_ERROR after 5 retries " + noExpressions,
		"TestState: Check All Collections":    "SUCCEEDED, then CAUGHT_ERROR after 5 retries " + noExpressions,
		"TestState: Notify Monitoring":        "SUCCEEDED, then CAUGHT_ERROR after 5 retries " + noExpressions,
		"TestState: Reject Message":           "SUCCEEDED, then FAILED after 8 retries " + noExpressions,
		"a rejected message sets off RejectedMessages": "in state ALARM: ExportStatusConflicts " +
			"no data of the metric AWS/SQS ApproximateNumberOfMessagesVisible",
		"without its right to write, increment counts nothing": "rights are not enforced: " +
			"5 files were counted despite the denial",
		"ExecutionsFailed and RejectedMessages go off":      "nothing was refused",
		"the message is rejected, and counts when replayed": "nothing was refused",
		"the redrive of dead letters is denied":             "no redrive",
	}
	for what := range want {
		want[what] = string(lacks) + ": " + want[what]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts other than yes (-want +got)\n%s", diff)
	}
	if !allGood(trial.facts) {
		t.Error("not all facts are good")
	}
	trial.tablesAre(t, 2)
	trial.isGone(t)
}

// Interrupted while the right is revoked, the trial removes everything. The engine enforces no rights, so a function
// without concurrency stands in for one without its right.
func TestInterruptedTrialRemovesEverything(t *testing.T) {
	trial := newTestTrial(t, "interrupted")
	trial.deleteTables = true
	functions := lambda.NewFromConfig(trial.config)
	increment := aws.String(trial.stack + "-increment")
	trial.deny = func(ctx context.Context) error {
		_, err := functions.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
			FunctionName: increment, ReservedConcurrentExecutions: aws.Int32(0),
		})
		return err
	}
	allowed := 0
	trial.allow = func(ctx context.Context) error {
		allowed++
		_, err := functions.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{
			FunctionName: increment,
		})
		return err
	}
	ctx, interrupt := context.WithCancel(t.Context())
	var questions []question
	for _, q := range trial.questions() {
		switch {
		case strings.HasPrefix(q.what, "a topic"), strings.HasPrefix(q.what, "cdk deploy"),
			strings.HasPrefix(q.what, "both pipes"), strings.HasPrefix(q.what, "without its right"),
			strings.HasPrefix(q.what, "the message is rejected"):
			questions = append(questions, q)
		}
	}
	questions = append(questions,
		question{what: "interrupted", ask: func(ctx context.Context) (string, error) {
			interrupt()
			return "", ctx.Err()
		}},
		question{what: "too late", ask: func(context.Context) (string, error) { return "", nil }})
	trial.askAll(ctx, questions)
	printFacts(t.Output(), trial.facts)

	got := map[string]answer{}
	for _, f := range trial.facts {
		if f.answer != yes {
			got[f.what] = f.answer
		}
	}
	if diff := cmp.Diff(map[string]answer{"interrupted": notAsked, "too late": notAsked}, got); diff != "" {
		t.Errorf("facts other than yes (-want +got)\n%s", diff)
	}
	if allGood(trial.facts) {
		t.Error("all facts are good despite the interruption")
	}
	if allowed != 2 {
		t.Errorf("the right was restored %d times, want once to replay and once at the end", allowed)
	}
	trial.tablesAre(t, 0)
	trial.isGone(t)
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
	if _, err := cloudformation.NewFromConfig(t.config).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{
		StackName: &t.stack,
	}); !noStack(err) {
		test.Errorf("the stack exists: %v", err)
	}
	queues, err := sqs.NewFromConfig(t.config).ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		test.Fatal(err)
	}
	topics, err := sns.NewFromConfig(t.config).ListTopics(ctx, &sns.ListTopicsInput{})
	if err != nil {
		test.Fatal(err)
	}
	subscriptions, err := sns.NewFromConfig(t.config).ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})
	if err != nil {
		test.Fatal(err)
	}
	left := queues.QueueUrls
	for _, topic := range topics.Topics {
		left = append(left, *topic.TopicArn)
	}
	for _, subscription := range subscriptions.Subscriptions {
		left = append(left, *subscription.Endpoint)
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
