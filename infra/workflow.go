package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/statemachine"
)

// Workflow is the state machine.
type Workflow struct{ StateMachine awsstepfunctions.StateMachine }

// NewWorkflow makes the state machine of statemachine.Definition, with a role that may call what the definition calls.
// Its log holds every event, without the data of the messages.
func NewWorkflow(scope constructs.Construct, id string, p parts) Workflow {
	here := constructs.NewConstruct(scope, &id)
	role := newServiceRole(here, "states.amazonaws.com", "Rights of the state machine", forThisAccount(here))
	substitutions := map[string]*string{
		"Partition":                awscdk.Stack_Of(here).Partition(),
		"WorkflowType":             jsii.String(string(p.settings.WorkflowType)),
		"RejectedMessagesQueueUrl": p.queues.Rejected.QueueUrl(),
	}
	calls := func(placeholder string, function Function) {
		substitutions[placeholder] = function.FunctionArn()
		allow(role, function.FunctionArn(), "lambda:InvokeFunction")
	}
	calls("IncrementFunctionArn", p.functions.Increment)
	calls("CheckCollectionFunctionArn", p.functions.CheckCollection)
	calls("CheckAllFunctionArn", p.functions.CheckAll)
	calls("NotifyFunctionArn", p.functions.Notify)
	allow(role, p.queues.Rejected.QueueArn(), "sqs:SendMessage")
	p.key.ours().allowSending(role)

	machine := awsstepfunctions.NewStateMachine(here, jsii.String("StateMachine"), &awsstepfunctions.StateMachineProps{
		StateMachineName:        jsii.String(stateMachineName(p.settings)),
		StateMachineType:        awsstepfunctions.StateMachineType(p.settings.WorkflowType),
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(&statemachine.Definition),
		DefinitionSubstitutions: &substitutions,
		Role:                    role,
		TracingEnabled:          jsii.Bool(true),
		Logs: &awsstepfunctions.LogOptions{
			Destination:          newLogGroup(here, "/aws/vendedlogs/states/"+p.settings.StackName(), p.key),
			Level:                awsstepfunctions.LogLevel_ALL,
			IncludeExecutionData: jsii.Bool(false),
		},
	})
	return Workflow{StateMachine: machine}
}

// expressSuffix ends the names of EXPRESS state machines, and no other stack's name.
const expressSuffix = "-express"

// stateMachineName differs for EXPRESS: a state machine cannot change its type, and CloudFormation makes the new one
// before it deletes the old one.
func stateMachineName(s Settings) string {
	if s.WorkflowType == Express {
		return s.StackName() + expressSuffix
	}
	return s.StackName()
}
