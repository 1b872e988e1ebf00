package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
// Its texts are JSON.
type stateTest struct {
	name      string
	input     string
	result    string // mocked
	arguments string // that the service is called with: Payload of a function, MessageBody and MessageAttributes of SQS
	output    string
	next      string // "": the state ends the execution
	caught    string // the state after the error; "": the error is not caught
	caughtAs  string // its input
}

const (
	testedExecution = "arn:aws:states:eu-west-1:111122223333:execution:status-checker:tested"
	testedError     = `{"Error":"Unavailable","Cause":"mocked"}`
	reconciled      = `{"outcome":"REQUEST_PENDING","correlation_id":"run","collection_name":"db.a","owner":"me",` +
		`"moved":true,"notifications":["all-received"],"pending":[{"kind":"request"}]}`
	notifiable = `{"outcome":"NOTIFICATION_PENDING","owner":"me","pending":[{"kind":"all-received"}]}`
	ofQueue    = `[{"messageId":"m","body":"{}","eventSource":"aws:sqs"}]`
)

var stateTests = []stateTest{
	{
		name:      "Increment Files Received",
		input:     ofQueue,
		result:    `{"StatusCode":200,"Payload":{"collections":[{"correlation_id":"run","collection_name":"db.a"}]}}`,
		arguments: `{"execution_id":"` + testedExecution + `","event":` + ofQueue + `}`,
		output:    `{"collections":[{"correlation_id":"run","collection_name":"db.a"}]}`,
		next:      "Reconcile Each Collection",
		caught:    "Messages to Reject?",
		caughtAs:  `{"error":` + testedError + `,"messages":` + ofQueue + `,"by_hand":false}`,
	},
	{
		name:      "Check Collection",
		input:     `{"correlation_id":"run","collection_name":"db.a"}`,
		result:    `{"StatusCode":200,"Payload":` + reconciled + `}`,
		arguments: `{"execution_id":"` + testedExecution + `","correlation_id":"run","collection_name":"db.a"}`,
		output:    reconciled,
		next:      "Request Pending?",
		caught:    "Left to the Sweep",
		caughtAs:  `{"error":` + testedError + `}`,
	},
	{
		name:      "Notify Sender",
		input:     reconciled,
		result:    `{"StatusCode":200,"Payload":{"delivered":1}}`,
		arguments: `{"owner":"me","pending":[{"kind":"request"}]}`,
		output:    reconciled,
		next:      "Check All Collections",
		caught:    "Request Left to the Sweep",
		caughtAs:  reconciled,
	},
	{
		name:   "Check All Collections",
		input:  reconciled,
		result: `{"StatusCode":200,"Payload":` + notifiable + `}`,
		arguments: `{"correlation_id":"run","collection_name":"db.a","owner":"me","moved":true,` +
			`"notifications":["all-received"]}`,
		output:   notifiable,
		next:     "Notification Pending?",
		caught:   "Left to the Sweep",
		caughtAs: `{"error":` + testedError + `}`,
	},
	{
		name:      "Notify Monitoring",
		input:     notifiable,
		result:    `{"StatusCode":200,"Payload":{"delivered":1}}`,
		arguments: `{"owner":"me","pending":[{"kind":"all-received"}]}`,
		output:    `{}`,
		caught:    "Left to the Sweep",
		caughtAs:  `{"error":` + testedError + `}`,
	},
	{
		name:   "Reject Message",
		input:  `{"message":{"messageId":"m","body":"text"},"identity":"m","reason":"why"}`,
		result: `{"MessageId":"sent"}`,
		arguments: `{"MessageBody":"text","MessageAttributes":{` +
			`"reason_code":{"DataType":"String","StringValue":"NOT_COUNTED"},` +
			`"reason":{"DataType":"String","StringValue":"why"},"identity":{"DataType":"String","StringValue":"m"}}}`,
		output: `{}`,
	},
}

// testState calls TestState twice: with a result, and with an error when all retries are used up.
func (t *trial) testState(ctx context.Context, test stateTest) (string, error) {
	definition, retries, err := t.state(test.name)
	if err != nil {
		return "", err
	}
	client := sfn.NewFromConfig(t.config)
	asked := sfn.TestStateInput{
		Definition: &definition, Input: &test.input, InspectionLevel: types.InspectionLevelDebug,
		Context: aws.String(`{"Execution":{"Id":"` + testedExecution + `"}}`),
		// The mocked results need not match the services' models.
		Mock: &types.MockInput{Result: &test.result, FieldValidationMode: types.MockResponseValidationModeNone},
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
	return fmt.Sprintf("%s, then %s after %d retries", done.Status, failed.Status, retries),
		errors.Join(test.compare(done, failed)...)
}

// compare compares the answers to a result and to an error with the expected ones.
func (s stateTest) compare(done, failed *sfn.TestStateOutput) (wrong []error) {
	is := func(what, want, got string) {
		if want != got {
			wrong = append(wrong, fmt.Errorf("%s: %q, want %q", what, got, want))
		}
	}
	is("status", "SUCCEEDED", string(done.Status))
	is("next state", s.next, aws.ToString(done.NextState))
	is("next state after an error", s.caught, aws.ToString(failed.NextState))
	if s.caught == "" {
		is("status after an error", "FAILED", string(failed.Status))
	} else {
		is("status after an error", "CAUGHT_ERROR", string(failed.Status))
	}
	if done.InspectionData == nil || done.InspectionData.AfterArguments == nil {
		return append(wrong, missing{"TestState evaluates no expression: it shows no arguments"})
	}
	same := func(what, want, got string, parts ...string) {
		if diff := diffJSON(want, got, parts...); diff != "" {
			wrong = append(wrong, fmt.Errorf("%s (-want +got): %s", what, diff))
		}
	}
	same("arguments", s.arguments, aws.ToString(done.InspectionData.AfterArguments), "Payload")
	same("output", s.output, aws.ToString(done.Output))
	if s.caught != "" {
		same("output after an error", s.caughtAs, aws.ToString(failed.Output))
	}
	return wrong
}

// diffJSON is the difference between two JSON texts, of which got is reduced to the part of that name, if there is one,
// and without QueueUrl.
func diffJSON(want, got string, parts ...string) string {
	var wanted, found any
	if err := errors.Join(json.Unmarshal([]byte(want), &wanted), json.Unmarshal([]byte(got), &found)); err != nil {
		return fmt.Sprintf("%v: %s", err, got)
	}
	if object, ok := found.(map[string]any); ok {
		delete(object, "QueueUrl")
		for _, part := range parts {
			if inner, there := object[part]; there {
				found = inner
			}
		}
	}
	return cmp.Diff(wanted, found)
}

// state is a state of the definition as TestState takes it, with its query language, and the number of its retries.
func (t *trial) state(name string) (definition string, retries int32, err error) {
	var machine map[string]any
	if err := json.Unmarshal([]byte(t.definition("STANDARD")), &machine); err != nil {
		return "", 0, fmt.Errorf("reading the definition: %w", err)
	}
	state := tasks(machine)[name]
	if state == nil {
		return "", 0, fmt.Errorf("the definition has no task state %q", name)
	}
	state["QueryLanguage"] = machine["QueryLanguage"]
	text, err := json.Marshal(state)
	if err != nil {
		return "", 0, fmt.Errorf("writing state %q: %w", name, err)
	}
	retriers, _ := state["Retry"].([]any)
	for _, one := range retriers {
		if retrier, _ := one.(map[string]any); retrier != nil {
			if most, _ := retrier["MaxAttempts"].(float64); most > 0 {
				retries = int32(most)
			}
		}
	}
	return string(text), retries, nil
}

// tasks are the task states of a machine by name, including those inside its Maps.
func tasks(machine map[string]any) map[string]map[string]any {
	found := map[string]map[string]any{}
	states, _ := machine["States"].(map[string]any)
	for name, one := range states {
		state, _ := one.(map[string]any)
		if inner, ok := state["ItemProcessor"].(map[string]any); ok {
			maps.Copy(found, tasks(inner))
		}
		if state["Type"] == "Task" {
			found[name] = state
		}
	}
	return found
}
