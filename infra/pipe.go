package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awspipes"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/statemachine"
)

// Pipe is what alarms, dashboard and sweep need to know of a pipe.
type Pipe struct {
	ID          string        // begins the names of its alarms
	Name, ARN   *string       // nil if there is no such pipe
	DeadLetters awssqs.IQueue // nil if its source has its own
}

// NewFileReceivedPipe starts the state machine with batches of the file-received queue: the unchanged array of SQS
// records. It has no input template, since Pipes would parse a JSON body, and the raw text must stay untouched.
func NewFileReceivedPipe(scope constructs.Construct, id string, p parts) Pipe {
	pipe := newPipe(scope, id, "file-received", p, p.settings.WorkflowType == Express)
	queue := p.queues.FileReceived.QueueArn()
	allow(pipe.role, queue, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
	p.key.allowReceiving(pipe.role)
	made := pipe.run("Messages of received files to the status checker", queue,
		&awspipes.CfnPipe_PipeSourceParametersProperty{
			SqsQueueParameters: &awspipes.CfnPipe_PipeSourceSqsQueueParametersProperty{
				BatchSize:                      jsii.Number(p.settings.BatchSize),
				MaximumBatchingWindowInSeconds: jsii.Number(p.settings.BatchWindowSeconds),
			},
		})
	return Pipe{ID: id, Name: made.Ref(), ARN: made.AttrArn()}
}

// NewStatusChangedPipe starts the state machine with the changes of status that statemachine.StreamFilters passes from
// the export status table's stream. If no execution can be started for records, their position in the stream goes to
// the dead-letter queue. The sweep finds the same collections, so few retries are enough, and a batch that fails is
// halved: no bad record holds up the stream for long. A table without a stream has no such pipe; the sweep reconciles
// its rows.
func NewStatusChangedPipe(scope constructs.Construct, id string, p parts) Pipe {
	stream := p.tables.ExportStatus.TableStreamArn()
	if stream == nil {
		return Pipe{}
	}
	pipe := newPipe(scope, id, "status-changed", p, false) // a failed reconciliation must not hold up the stream
	deadLetters := newQueue(pipe.here, "DeadLetters", p.key, awssqs.QueueProps{})
	allow(pipe.role, deadLetters.QueueArn(), "sqs:SendMessage")
	p.key.ours().allowSending(pipe.role)
	allow(pipe.role, stream, "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
	allow(pipe.role, jsii.String("*"), "dynamodb:ListStreams") // IAM has no resource for it
	p.key.allowReadingStream(pipe.role)

	var filters []any
	for _, pattern := range statemachine.StreamFilters(p.settings.ExemptStatuses) {
		filters = append(filters, &awspipes.CfnPipe_FilterProperty{Pattern: &pattern})
	}
	made := pipe.run("Changes of status to the status checker", stream, &awspipes.CfnPipe_PipeSourceParametersProperty{
		FilterCriteria: &awspipes.CfnPipe_FilterCriteriaProperty{Filters: &filters},
		DynamoDbStreamParameters: &awspipes.CfnPipe_PipeSourceDynamoDBStreamParametersProperty{
			StartingPosition:               jsii.String("LATEST"),
			BatchSize:                      jsii.Number(10),
			MaximumBatchingWindowInSeconds: jsii.Number(1),
			MaximumRetryAttempts:           jsii.Number(5),
			OnPartialBatchItemFailure:      jsii.String("AUTOMATIC_BISECT"),
			DeadLetterConfig:               &awspipes.CfnPipe_DeadLetterConfigProperty{Arn: deadLetters.QueueArn()},
		},
	})
	return Pipe{ID: id, Name: made.Ref(), ARN: made.AttrArn(), DeadLetters: deadLetters}
}

// pipe is a pipe to the state machine whose role still needs the rights on its source.
type pipe struct {
	here       constructs.Construct
	role       awsiam.Role
	invocation string
	machine    *string
	logs       *awspipes.CfnPipe_PipeLogConfigurationProperty
}

// newPipe makes what all pipes have. A pipe that waits for the end of each execution (request-response, EXPRESS only)
// returns the records of a failed one to the source. Any other is done once the start is accepted (fire-and-forget).
func newPipe(scope constructs.Construct, id, name string, parts parts, waits bool) pipe {
	p := pipe{here: constructs.NewConstruct(scope, &id), machine: parts.workflow.StateMachine.StateMachineArn()}
	logs := newLogGroup(p.here, "/aws/vendedlogs/pipes/"+parts.settings.StackName()+"-"+name, parts.key)
	p.logs = &awspipes.CfnPipe_PipeLogConfigurationProperty{
		Level: jsii.String("ERROR"),
		CloudwatchLogsLogDestination: &awspipes.CfnPipe_CloudwatchLogsLogDestinationProperty{
			LogGroupArn: logs.LogGroupArn()},
	}
	start := "states:StartExecution"
	p.invocation = "FIRE_AND_FORGET"
	if waits {
		p.invocation, start = "REQUEST_RESPONSE", "states:StartSyncExecution"
	}
	p.role = newServiceRole(p.here, "pipes.amazonaws.com", "Rights of the pipe "+name, forThisAccount(p.here))
	allow(p.role, p.machine, start)
	allow(p.role, logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents")
	return p
}

// run makes the pipe itself.
func (p pipe) run(
	description string, source *string, parameters *awspipes.CfnPipe_PipeSourceParametersProperty,
) awspipes.CfnPipe {
	made := awspipes.NewCfnPipe(p.here, jsii.String("Pipe"), &awspipes.CfnPipeProps{
		Description: &description, RoleArn: p.role.RoleArn(),
		Source: source, SourceParameters: parameters, Target: p.machine,
		TargetParameters: &awspipes.CfnPipe_PipeTargetParametersProperty{
			StepFunctionStateMachineParameters: &awspipes.CfnPipe_PipeTargetStateMachineParametersProperty{
				InvocationType: &p.invocation},
		},
		LogConfiguration: p.logs,
	})
	made.Node().AddDependency(p.role) // with its policy: Pipes checks its rights on creation
	return made
}
