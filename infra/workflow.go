package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/statemachine"
)

// WorkflowProps are what the state machine calls.
type WorkflowProps struct {
	Settings  Settings
	Key       Key
	Functions Functions
	Queues    Queues
}

// Workflow is the state machine.
type Workflow struct {
	StateMachine awsstepfunctions.StateMachine
}

// NewWorkflow makes the state machine of statemachine.Definition, with every event in its log but no data of the
// messages, and a role that may call what its definition calls.
func NewWorkflow(scope constructs.Construct, id string, props WorkflowProps) Workflow {
	here := constructs.NewConstruct(scope, &id)
	role := newServiceRole(here, "Role", "states.amazonaws.com", "What the state machine may do", forThisAccount(here))
	substitutions := map[string]*string{}
	calls := func(placeholder string, function Function) {
		substitutions[placeholder] = function.FunctionArn()
		allow(role, function.FunctionArn(), "lambda:InvokeFunction")
	}
	calls("IncrementFunctionArn", props.Functions.Increment)
	calls("CheckCollectionFunctionArn", props.Functions.CheckCollection)
	calls("CheckAllFunctionArn", props.Functions.CheckAll)
	calls("NotifyFunctionArn", props.Functions.Notify)
	substitutions["Partition"] = awscdk.Stack_Of(here).Partition()
	substitutions["WorkflowType"] = jsii.String(string(props.Settings.WorkflowType))
	substitutions["RejectedMessagesQueueUrl"] = props.Queues.Rejected.QueueUrl()
	allow(role, props.Queues.Rejected.QueueArn(), "sqs:SendMessage")
	props.Key.ours().allowSending(role)

	machine := awsstepfunctions.NewStateMachine(here, jsii.String("StateMachine"), &awsstepfunctions.StateMachineProps{
		StateMachineName:        jsii.String(stateMachineName(props.Settings)),
		StateMachineType:        awsstepfunctions.StateMachineType(props.Settings.WorkflowType),
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(&statemachine.Definition),
		DefinitionSubstitutions: &substitutions,
		Role:                    role,
		TracingEnabled:          jsii.Bool(true),
		Logs: &awsstepfunctions.LogOptions{
			Destination:          newLogGroup(here, "/aws/vendedlogs/states/"+props.Settings.StackName(), props.Key),
			Level:                awsstepfunctions.LogLevel_ALL,
			IncludeExecutionData: jsii.Bool(false),
		},
	})
	return Workflow{StateMachine: machine}
}

// expressSuffix ends the names of EXPRESS state machines, and no environment's.
const expressSuffix = "-express"

// stateMachineName is another one for EXPRESS: a machine cannot change its type, and its successor cannot be made
// under a name that is still taken.
func stateMachineName(s Settings) string {
	if s.WorkflowType == Express {
		return s.StackName() + expressSuffix
	}
	return s.StackName()
}
