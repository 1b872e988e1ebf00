package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/statemachine"
)

// Queues are the source queue, the queue of requests to the sender, and the queues of messages that failed. An existing
// queue has its own dead-letter queue, so ours is nil.
type Queues struct {
	FileReceived, FileReceivedDeadLetters awssqs.IQueue
	ExportState, ExportStateDeadLetters   awssqs.IQueue
	Rejected                              awssqs.IQueue
}

// NewQueues makes the queues, encrypted and reachable over TLS only. Queues that the context names are used instead of
// new ones.
func NewQueues(scope constructs.Construct, id string, p parts) Queues {
	here := constructs.NewConstruct(scope, &id)
	q := Queues{Rejected: newQueue(here, "RejectedMessages", p.key, awssqs.QueueProps{})}
	if arn := p.settings.FileReceivedQueueArn; arn != "" {
		q.FileReceived = awssqs.Queue_FromQueueArn(here, jsii.String("FileReceived"), &arn)
	} else {
		q.FileReceived, q.FileReceivedDeadLetters = newQueueWithDeadLetters(here, "FileReceived", p.key, 5,
			awssqs.QueueProps{
				VisibilityTimeout:   awscdk.Duration_Seconds(jsii.Number(visibilitySeconds(p.settings))),
				MaxMessageSizeBytes: jsii.Number(statemachine.MaxMessageBytes(p.settings.BatchSize)),
			})
		denyRedrive(q.FileReceivedDeadLetters)
	}
	if arn := p.settings.ExportStateQueueArn; arn != "" {
		q.ExportState = awssqs.Queue_FromQueueArn(here, jsii.String("ExportState"), &arn)
	} else {
		q.ExportState, q.ExportStateDeadLetters = newQueueWithDeadLetters(here, "ExportState", p.key, 10,
			awssqs.QueueProps{Fifo: jsii.Bool(true)})
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

// denyRedrive keeps everyone from the queue's own redrive, which gives messages new ids: what was counted would count
// twice. Starting one needs this action on the dead-letter queue, and an explicit denial in the queue's policy
// overrides every permission of the account (docs/aws-notes.md). The queue's owner can still change the policy.
func denyRedrive(deadLetters awssqs.IQueue) {
	deadLetters.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("ReplayInsteadOfRedrive"), Effect: awsiam.Effect_DENY,
		Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
		Actions:    jsii.Strings("sqs:StartMessageMoveTask"), Resources: &[]*string{deadLetters.QueueArn()},
	}))
}

// retentionDays is the longest retention that SQS offers.
const retentionDays = 14

func newQueue(scope constructs.Construct, id string, key Key, props awssqs.QueueProps) awssqs.Queue {
	props.EnforceSSL = jsii.Bool(true)
	props.RetentionPeriod = awscdk.Duration_Days(jsii.Number(retentionDays))
	props.Encryption = awssqs.QueueEncryption_SQS_MANAGED
	if key.given() {
		props.Encryption, props.EncryptionMasterKey = awssqs.QueueEncryption_KMS, key.IKey
	}
	return awssqs.NewQueue(scope, &id, &props)
}

// visibilitySeconds outlasts a message's delivery: gathering its batch and starting an execution or, with EXPRESS
// (request-response), a whole execution of at most 5 minutes.
func visibilitySeconds(s Settings) int {
	seconds := 60 + s.BatchWindowSeconds
	if s.WorkflowType == Express {
		seconds += 5 * 60
	}
	return seconds
}

// NewMonitoringTopic makes the topic of notifications and alerts, encrypted and reachable over TLS only. A topic that
// the context names is used instead.
func NewMonitoringTopic(scope constructs.Construct, id string, p parts) awssns.ITopic {
	here := constructs.NewConstruct(scope, &id)
	if arn := p.settings.MonitoringTopicArn; arn != "" {
		return awssns.Topic_FromTopicArn(here, jsii.String("Topic"), &arn)
	}
	topic := awssns.NewTopic(here, jsii.String("Topic"), &awssns.TopicProps{
		DisplayName: jsii.String("Snapshot Sender"), EnforceSSL: jsii.Bool(true), MasterKey: p.key.IKey})
	if !p.key.given() {
		// By its name: SNS creates this key on the first use of the name. By its ARN, which is what CDK writes of an
		// alias, the key is reported to stay missing in an account that never used it, and publishing then fails.
		topic.Node().DefaultChild().(awssns.CfnTopic).SetKmsMasterKeyId(jsii.String("alias/aws/sns"))
	}
	return topic
}
