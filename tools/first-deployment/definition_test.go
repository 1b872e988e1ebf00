package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

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
		t.Run(test.Name, func(t *testing.T) {
			done, failed := answer.Done.output(), answer.Failed.output()
			if test.Want.Caught != "" && failed.Status == types.TestExecutionStatusSucceeded {
				failed.Status = types.TestExecutionStatusCaughtError
			}
			if err := test.compare(done, failed); err != nil {
				t.Error(err)
			}
			if faults := append(answer.Done.Faults, answer.Failed.Faults...); len(faults) > 0 {
				t.Errorf("faults: %v", faults)
			}
			failed.NextState = aws.String("elsewhere")
			if test.compare(done, failed) == nil {
				t.Error("another state after an error is not seen")
			}
		})
	}
}

func interpret(t *testing.T, trial *trial) (answers []struct{ Done, Failed interpreted }) {
	t.Helper()
	var asked []map[string]any
	for _, test := range stateTests {
		definition, retries, err := trial.state(test.Name)
		if err != nil {
			t.Fatal(err)
		}
		if retries == 0 {
			t.Errorf("%s is never tried again", test.Name)
		}
		asked = append(asked, map[string]any{
			"definition": json.RawMessage(definition), "name": test.Name,
			"input": test.Input, "result": test.Result,
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
	var tested, tasks []string
	for _, test := range stateTests {
		tested = append(tested, test.Name)
	}
	for name, state := range machine.All() {
		if state.Type == "Task" {
			tasks = append(tasks, name)
		}
	}
	slices.Sort(tested)
	slices.Sort(tasks)
	if diff := cmp.Diff(tasks, tested); diff != "" {
		t.Errorf("task states (-defined +tested)\n%s", diff)
	}
}

func TestDefinitionFillsItsPlaceholders(t *testing.T) {
	t.Parallel()
	for region, partition := range map[string]string{
		"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov",
	} {
		definition := newTrial(aws.Config{Region: region}, "111122223333", "test", nil).definition("EXPRESS")
		function := `"arn:` + partition + `:lambda:` + region + `:111122223333:function:CheckCollection"`
		if strings.Contains(definition, "${") || !strings.Contains(definition, function) ||
			!strings.Contains(definition, "'EXPRESS'") {
			t.Errorf("%s: %s", region, definition)
		}
	}
}
