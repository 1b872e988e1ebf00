package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"snapshot-status-checker/statemachine"
)

// interpreted is what testdata/teststate.js answers.
type interpreted struct {
	Status         types.TestExecutionStatus
	To             *string
	Output, Called json.RawMessage
	Faults         []string
}

func (i interpreted) output() *sfn.TestStateOutput {
	return &sfn.TestStateOutput{Status: i.Status, NextState: i.To, Output: aws.String(string(i.Output)),
		InspectionData: &types.InspectionData{AfterArguments: aws.String(string(i.Called))}}
}

// The strict interpreter has AWS's version of JSONata; the local engine evaluates no expressions in TestState.
func TestStateTestsAgreeWithTheInterpreter(t *testing.T) {
	t.Parallel()
	trial := newTrial(aws.Config{Region: "eu-west-1"}, "111122223333", "test", nil)
	for i, answer := range interpret(t, trial) {
		test := stateTests[i]
		t.Run(test.name, func(t *testing.T) {
			done, failed := answer.Done.output(), answer.Failed.output()
			if test.caught != "" && failed.Status == types.TestExecutionStatusSucceeded {
				failed.Status = types.TestExecutionStatusCaughtError
			}
			for _, wrong := range test.compare(done, failed) {
				t.Error(wrong)
			}
			if faults := append(answer.Done.Faults, answer.Failed.Faults...); len(faults) > 0 {
				t.Errorf("faults: %v", faults)
			}
			done.Output = aws.String(`{"other":1}`)
			if len(test.compare(done, failed)) != 1 {
				t.Error("another output is not seen")
			}
			done.InspectionData.AfterArguments = aws.String(`{"Payload":{"other":1}}`)
			failed.NextState = aws.String("elsewhere")
			if len(test.compare(done, failed)) != 3 {
				t.Error("other arguments, or another state after an error, are not seen")
			}
		})
	}
}

func interpret(t *testing.T, trial *trial) (answers []struct{ Done, Failed interpreted }) {
	t.Helper()
	var asked []map[string]any
	for _, test := range stateTests {
		definition, retries, err := trial.state(test.name)
		if err != nil {
			t.Fatal(err)
		}
		if retries == 0 {
			t.Errorf("%s is never tried again", test.name)
		}
		asked = append(asked, map[string]any{
			"definition": json.RawMessage(definition), "name": test.name,
			"input": json.RawMessage(test.input), "result": json.RawMessage(test.result),
			"context": map[string]any{"Execution": map[string]string{"Id": testedExecution}},
		})
	}
	request, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/teststate.js")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(request), &stderr
	answered, err := cmd.Output()
	if err != nil {
		t.Fatalf("asking the interpreter (npm ci installs jsonata): %v\n%s", err, &stderr)
	}
	if err := json.Unmarshal(answered, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

func TestStateTestsCoverExactlyTheTaskStates(t *testing.T) {
	t.Parallel()
	machine, err := statemachine.Parse(statemachine.Definition)
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, test := range stateTests {
		tested[test.name] = true
	}
	for name, state := range machine.All() {
		if is := state.Type == "Task"; is != tested[name] {
			t.Errorf("%s (%s): tested is %v", name, state.Type, tested[name])
		}
	}
}

func TestDefinitionFillsItsPlaceholders(t *testing.T) {
	t.Parallel()
	for region, partition := range map[string]string{
		"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov",
	} {
		definition := newTrial(aws.Config{Region: region}, "111122223333", "test", nil).definition("EXPRESS")
		for _, text := range []string{"${", "'STANDARD'"} {
			if strings.Contains(definition, text) {
				t.Errorf("%s: the definition contains %s", region, text)
			}
		}
		for _, text := range []string{`"arn:` + partition + `:states:::lambda:invoke"`,
			`"arn:` + partition + `:lambda:` + region + `:111122223333:function:CheckCollection"`, "'EXPRESS'"} {
			if !strings.Contains(definition, text) {
				t.Errorf("%s: the definition does not contain %s", region, text)
			}
		}
	}
}
