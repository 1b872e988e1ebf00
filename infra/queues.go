package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/statemachine"
)

// QueuesProps are the settings and the key of the queues.
type QueuesProps struct {
	Settings Settings
	Key      Key
}

// Queues are the two ends of the path and what fell out of it. The dead-letter queues are nil beside a queue that
// existed before the stack: it has its own.
type Queues struct {
	FileReceived            awssqs.IQueue
	FileReceivedDeadLetters awssqs.IQueue
	ExportState             awssqs.IQueue
	ExportStateDeadLetters  awssqs.IQueue
	Rejected                awssqs.IQueue
}

// NewQueues makes the queues, encrypted and only to be reached over TLS. Queues that the context names are used in
// place of new ones.
func NewQueues(scope constructs.Construct, id string, props QueuesProps) Queues {
	here := constructs.NewConstruct(scope, &id)
	q := Queues{Rejected: newQueue(here, "RejectedMessages", props.Key, awssqs.QueueProps{})}
	if arn := props.Settings.FileReceivedQueueArn; arn != "" {
		q.FileReceived = awssqs.Queue_FromQueueArn(here, jsii.String("FileReceived"), &arn)
	} else {
		q.FileReceived, q.FileReceivedDeadLetters = newQueueWithDeadLetters(here, "FileReceived", props.Key, 5,
			awssqs.QueueProps{
				VisibilityTimeout:   awscdk.Duration_Seconds(jsii.Number(visibilitySeconds(props.Settings))),
				MaxMessageSizeBytes: jsii.Number(statemachine.MaxMessageBytes(props.Settings.BatchSize)),
			})
	}
	if arn := props.Settings.ExportStateQueueArn; arn != "" {
		q.ExportState = awssqs.Queue_FromQueueArn(here, jsii.String("ExportState"), &arn)
	} else {
		q.ExportState, q.ExportStateDeadLetters = newQueueWithDeadLetters(here, "ExportState", props.Key, 10,
			awssqs.QueueProps{
				Fifo: jsii.Bool(true),
			})
	}
	return q
}

func newQueueWithDeadLetters(
	scope constructs.Construct, id string, key Key, maxReceiveCount float64, props awssqs.QueueProps,
) (queue, deadLetters awssqs.IQueue) {
	dead := newQueue(scope, id+"DeadLetters", key, awssqs.QueueProps{Fifo: props.Fifo})
	props.DeadLetterQueue = &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: &maxReceiveCount}
	return newQueue(scope, id, key, props), dead
}

// keptDays is the longest that SQS offers.
const keptDays = 14

// newQueue makes a queue that keeps its messages for keptDays.
func newQueue(scope constructs.Construct, id string, key Key, props awssqs.QueueProps) awssqs.Queue {
	props.EnforceSSL = jsii.Bool(true)
	props.RetentionPeriod = awscdk.Duration_Days(jsii.Number(keptDays))
	props.Encryption = awssqs.QueueEncryption_SQS_MANAGED
	if key.given() {
		props.Encryption, props.EncryptionMasterKey = awssqs.QueueEncryption_KMS, key.IKey
	}
	return awssqs.NewQueue(scope, &id, &props)
}

// visibilitySeconds outlasts what a message's delivery waits for: the gathering of its batch and the start of an
// execution, or with EXPRESS, which is started request-response, a whole execution of at most 5 minutes.
func visibilitySeconds(s Settings) int {
	seconds := 60 + s.BatchWindowSeconds
	if s.WorkflowType == Express {
		seconds += 5 * 60
	}
	return seconds
}
