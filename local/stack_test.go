package local_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

const (
	succeeds = `{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}`
	fails    = `{"StartAt": "Failed", "States": {"Failed": {"Type": "Fail", "Error": "No"}}}`
)

func machineResource(kind, definition string) map[string]any {
	return map[string]any{"Type": "AWS::StepFunctions::StateMachine", "Properties": map[string]any{
		"DefinitionString": definition, "StateMachineType": kind, "RoleArn": "arn:aws:iam::000000000000:role/any",
	}}
}

// pipeResource is a pipe to the state machine Machine.
func pipeResource(description string, source any, invocation string, parameters map[string]any) map[string]any {
	return map[string]any{"Type": "AWS::Pipes::Pipe", "Properties": map[string]any{
		"Description": description, "RoleArn": "arn:aws:iam::000000000000:role/any",
		"Source": source, "SourceParameters": parameters, "Target": ref("Machine"),
		"TargetParameters": map[string]any{"StepFunctionStateMachineParameters": map[string]any{
			"InvocationType": invocation,
		}},
	}}
}

func ref(name string) map[string]any { return map[string]any{"Ref": name} }

func att(name, attribute string) map[string]any {
	return map[string]any{"Fn::GetAtt": []string{name, attribute}}
}

func outputs(values map[string]any) map[string]any {
	all := map[string]any{}
	for name, value := range values {
		all[name] = map[string]any{"Value": value}
	}
	return all
}

// deployTemplate creates a stack and returns its outputs.
func deployTemplate(t *testing.T, config aws.Config, name string, template map[string]any) map[string]string {
	t.Helper()
	body, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	client := cloudformation.NewFromConfig(config)
	if _, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: &name, TemplateBody: aws.String(string(body)),
	}); err != nil {
		t.Fatal(err)
	}
	named := &cloudformation.DescribeStacksInput{StackName: &name}
	if err := cloudformation.NewStackCreateCompleteWaiter(client,
		func(o *cloudformation.StackCreateCompleteWaiterOptions) {
			o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
		}).Wait(t.Context(), named, 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	described, err := client.DescribeStacks(t.Context(), named)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	for _, output := range described.Stacks[0].Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return outputs
}

// inputs are the inputs of all executions so far, in the order of their starts.
func inputs(t *testing.T, config aws.Config, machine string) (inputs []string) {
	t.Helper()
	client := sfn.NewFromConfig(config)
	listed, err := client.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: &machine})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(listed.Executions, func(a, b sfntypes.ExecutionListItem) int {
		return a.StartDate.Compare(*b.StartDate)
	})
	for _, execution := range listed.Executions {
		described, err := client.DescribeExecution(t.Context(),
			&sfn.DescribeExecutionInput{ExecutionArn: execution.ExecutionArn})
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, aws.ToString(described.Input))
	}
	return inputs
}
