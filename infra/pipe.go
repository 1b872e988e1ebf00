package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awspipes"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// PipeProps are the ends of the pipe.
type PipeProps struct {
	Settings Settings
	Key      Key
	Queues   Queues
	Workflow Workflow
}

// NewFileReceivedPipe starts the state machine with batches of the file-received queue: the array of SQS records as
// it is. There is no input template on purpose: Pipes would parse a body of JSON, and its raw text must stay
// untouched. STANDARD is started fire-and-forget; EXPRESS request-response, so that a failed execution returns its
// messages to the queue.
func NewFileReceivedPipe(scope constructs.Construct, id string, props PipeProps) awspipes.CfnPipe {
	here := constructs.NewConstruct(scope, &id)
	invocation, start := "FIRE_AND_FORGET", "states:StartExecution"
	if props.Settings.WorkflowType == Express {
		invocation, start = "REQUEST_RESPONSE", "states:StartSyncExecution"
	}
	machine := props.Workflow.StateMachine.StateMachineArn()
	queue := props.Queues.FileReceived.QueueArn()
	logs := newLogGroup(here, "/aws/vendedlogs/pipes/"+props.Settings.StackName()+"-file-received", props.Key)

	role := newServiceRole(here, "Role", "pipes.amazonaws.com", "What the pipe of received files may do", forThisAccount(here))
	allow(role, queue, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
	props.Key.allowReceiving(role)
	allow(role, machine, start)
	allow(role, logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents")

	pipe := awspipes.NewCfnPipe(here, jsii.String("Pipe"), &awspipes.CfnPipeProps{
		Description: jsii.String("Messages of received files to the status checker"),
		RoleArn:     role.RoleArn(),
		Source:      queue,
		SourceParameters: &awspipes.CfnPipe_PipeSourceParametersProperty{
			SqsQueueParameters: &awspipes.CfnPipe_PipeSourceSqsQueueParametersProperty{
				BatchSize:                      jsii.Number(props.Settings.BatchSize),
				MaximumBatchingWindowInSeconds: jsii.Number(props.Settings.BatchWindowSeconds),
			},
		},
		Target: machine,
		TargetParameters: &awspipes.CfnPipe_PipeTargetParametersProperty{
			StepFunctionStateMachineParameters: &awspipes.CfnPipe_PipeTargetStateMachineParametersProperty{
				InvocationType: &invocation,
			},
		},
		LogConfiguration: &awspipes.CfnPipe_PipeLogConfigurationProperty{
			Level: jsii.String("ERROR"),
			CloudwatchLogsLogDestination: &awspipes.CfnPipe_CloudwatchLogsLogDestinationProperty{
				LogGroupArn: logs.LogGroupArn(),
			},
		},
	})
	pipe.Node().AddDependency(role) // with its policy: Pipes tries its rights when it is made
	return pipe
}
