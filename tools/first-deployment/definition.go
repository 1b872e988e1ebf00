package main

import (
	"context"
	_ "embed" // states.json
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/statemachine"
)

var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

// definition is the state machine's with filled placeholders. Its functions and its queue need not exist.
func (t *trial) definition(workflowType string) string {
	partition := "aws"
	if area, _, _ := strings.Cut(t.config.Region, "-"); area == "cn" {
		partition = "aws-cn"
	} else if strings.HasPrefix(t.config.Region, "us-gov-") {
		partition = "aws-us-gov"
	}
	return placeholder.ReplaceAllStringFunc(statemachine.Definition, func(found string) string {
		switch name := placeholder.FindStringSubmatch(found)[1]; {
		case name == "Partition":
			return partition
		case name == "WorkflowType":
			return workflowType
		case name == "RejectedMessagesQueueUrl":
			return fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/rejected", t.config.Region, t.account)
		default:
			name = strings.TrimSuffix(name, "FunctionArn")
			return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", partition, t.config.Region, t.account, name)
		}
	})
}

// validate calls ValidateStateMachineDefinition. A warning is an error.
func (t *trial) validate(ctx context.Context) (string, error) {
	client := sfn.NewFromConfig(t.config)
	for _, kind := range types.StateMachineType("").Values() {
		definition := t.definition(string(kind))
		validated, err := client.ValidateStateMachineDefinition(ctx, &sfn.ValidateStateMachineDefinitionInput{
			Definition: &definition, Type: kind, Severity: types.ValidateStateMachineDefinitionSeverityWarning,
		})
		if err != nil {
			return "", fmt.Errorf("validating the definition: %w", err)
		}
		var found []string
		for _, one := range validated.Diagnostics {
			found = append(found, fmt.Sprintf("%s %s at %s: %s",
				one.Severity, aws.ToString(one.Code), aws.ToString(one.Location), aws.ToString(one.Message)))
		}
		if len(found) > 0 || validated.Result != types.ValidateStateMachineDefinitionResultCodeOk {
			return "", fmt.Errorf("%s: %s %s", kind, validated.Result, strings.Join(found, "; "))
		}
	}
	return "OK, no warning", nil
}

// stateTest says what a task state must return for an input: with a mocked result, and with an error after all retries.
type stateTest struct {
	Name          string
	Input, Result json.RawMessage
	Want          stateAnswer
}

// stateAnswer is what TestState answers.
type stateAnswer struct {
	Status           string
	Arguments        any // of the service: Payload of a function, MessageBody and MessageAttributes of SQS
	Output           any
	Next             string // "": the state ends the execution
	StatusAfterError string
	Caught           string // the state after the error; "": the error is not caught
	CaughtAs         any    // its input
}

const testedExecution = "arn:aws:states:eu-west-1:111122223333:execution:status-checker:tested"

//go:embed states.json
var statesJSON []byte

// stateTests has a test of each task state.
var stateTests = func() (tests []stateTest) {
	if err := json.Unmarshal(statesJSON, &tests); err != nil {
		panic(err) // cannot happen: a test of this package reads it
	}
	return tests
}()

// testState calls TestState twice: with a result, and with an error when all retries are used up.
func (t *trial) testState(ctx context.Context, test stateTest) (string, error) {
	definition, retries, err := t.state(test.Name)
	if err != nil {
		return "", err
	}
	client := sfn.NewFromConfig(t.config)
	asked := sfn.TestStateInput{
		Definition: &definition, Input: aws.String(string(test.Input)), InspectionLevel: types.InspectionLevelDebug,
		Context: aws.String(`{"Execution":{"Id":"` + testedExecution + `"}}`),
		// The mocked results need not match the services' models.
		Mock: &types.MockInput{Result: aws.String(string(test.Result)),
			FieldValidationMode: types.MockResponseValidationModeNone},
	}
	done, err := client.TestState(ctx, &asked)
	if err != nil {
		return "", fmt.Errorf("with a result: %w", err)
	}
	asked.Mock = &types.MockInput{ErrorOutput: &types.MockErrorOutput{
		Error: aws.String("Unavailable"), Cause: aws.String("mocked"),
	}}
	asked.StateConfiguration = &types.TestStateConfiguration{RetrierRetryCount: &retries}
	failed, err := client.TestState(ctx, &asked)
	if err != nil {
		return "", fmt.Errorf("with an error: %w", err)
	}
	return fmt.Sprintf("%s, then %s after %d retries", done.Status, failed.Status, retries), test.compare(done, failed)
}

// compare compares the answers to a result and to an error with the expected ones.
func (s stateTest) compare(done, failed *sfn.TestStateOutput) error {
	got := stateAnswer{Status: string(done.Status), Next: aws.ToString(done.NextState),
		StatusAfterError: string(failed.Status), Caught: aws.ToString(failed.NextState)}
	var lack error
	if done.InspectionData == nil || done.InspectionData.AfterArguments == nil {
		lack = missing{"TestState evaluates no expression: it shows no arguments"}
		got.Arguments, got.Output, got.CaughtAs = s.Want.Arguments, s.Want.Output, s.Want.CaughtAs
	} else {
		var arguments map[string]any
		err := errors.Join(json.Unmarshal([]byte(*done.InspectionData.AfterArguments), &arguments),
			json.Unmarshal([]byte(aws.ToString(done.Output)), &got.Output))
		if got.Caught != "" {
			err = errors.Join(err, json.Unmarshal([]byte(aws.ToString(failed.Output)), &got.CaughtAs))
		}
		if err != nil {
			return fmt.Errorf("reading the answers: %w", err)
		}
		delete(arguments, "QueueUrl")
		got.Arguments = arguments
		if payload, there := arguments["Payload"]; there {
			got.Arguments = payload
		}
	}
	if diff := cmp.Diff(s.Want, got); diff != "" {
		return fmt.Errorf("(-want +got): %s", diff)
	}
	return lack
}

// state is a task state of the definition as TestState takes it, with its query language, and how often it is retried.
func (t *trial) state(name string) (definition string, retries int32, err error) {
	var machine map[string]any
	if err := json.Unmarshal([]byte(t.definition("STANDARD")), &machine); err != nil {
		return "", 0, fmt.Errorf("reading the definition: %w", err)
	}
	state := findState(machine, name)
	if state == nil {
		return "", 0, fmt.Errorf("the definition has no state %q", name)
	}
	state["QueryLanguage"] = machine["QueryLanguage"]
	text, err := json.Marshal(state)
	if err != nil {
		return "", 0, fmt.Errorf("writing state %q: %w", name, err)
	}
	var parsed statemachine.State
	if err := json.Unmarshal(text, &parsed); err != nil {
		return "", 0, fmt.Errorf("reading state %q: %w", name, err)
	}
	for _, retrier := range parsed.Retry {
		retries = max(retries, int32(retrier.MaxAttempts))
	}
	return string(text), retries, nil
}

// findState is the state of a machine with this name, also inside a Map; nil if there is none.
func findState(machine map[string]any, name string) map[string]any {
	states, _ := machine["States"].(map[string]any)
	if state, there := states[name].(map[string]any); there {
		return state
	}
	for _, one := range states {
		state, _ := one.(map[string]any)
		inner, _ := state["ItemProcessor"].(map[string]any)
		if found := findState(inner, name); found != nil {
			return found
		}
	}
	return nil
}
