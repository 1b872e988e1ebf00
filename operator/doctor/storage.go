package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/statemachine"
)

func (e *examination) tables(ctx context.Context) (found []Diagnosis) {
	client := dynamodb.NewFromConfig(e.Config)
	for i, name := range []string{e.ExportStatusTableName, e.LedgerTableName} {
		about := "table " + name
		described, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			found = append(found, failed(about, err))
			continue
		}
		e.learn([]string{statusTable, ledger}[i], aws.ToString(described.Table.TableArn))
		var wrong problems
		if described.Table.TableStatus != dynamodbtypes.TableStatusActive {
			wrong.add(Error, "wait until it is ACTIVE, or deploy again", "is %s", described.Table.TableStatus)
		}
		stream := described.Table.StreamSpecification
		streams := stream != nil && aws.ToBool(stream.StreamEnabled) &&
			stream.StreamViewType == dynamodbtypes.StreamViewTypeNewAndOldImages
		if name == e.ExportStatusTableName && !streams {
			wrong.add(Warning, "enable the stream, and deploy with -c exportStatusTableStreamArn=…",
				"has no stream of new and old images: only the sweep finds a status Sent that is written after the "+
					"last file")
		}
		if name == e.ExportStatusTableName {
			wrong = append(wrong, e.judgeStream(aws.ToString(described.Table.LatestStreamArn))...)
		}
		found = append(found, judge(about, "is active", wrong)...)
	}
	return found
}

// judgeStream checks that the pipe of changes reads the present stream of the table. A table that was created again, or
// whose stream was switched off and on, has a new one.
func (e *examination) judgeStream(now string) (wrong problems) {
	for _, p := range e.described {
		if p.err != nil || !p.ofTable() {
			continue
		}
		if reads := aws.ToString(p.Source); now != "" && reads != now && strings.Contains(reads, ":table/"+
			e.ExportStatusTableName+"/") {
			wrong.add(Error, "deploy with -c exportStatusTableStreamArn="+now,
				"has a new stream, but the pipe of changes reads %s", reads)
		}
	}
	return wrong
}

func (e *examination) queues(ctx context.Context) (found []Diagnosis) {
	for _, q := range []struct{ what, url string }{{"file-received queue", e.FileReceivedQueueUrl},
		{"export state queue", e.ExportStateQueueUrl},
		{"rejected-messages queue", e.RejectedMessagesQueueUrl}} {
		found = append(found, e.queue(ctx, q.what, q.url)...)
	}
	for _, r := range e.of("AWS::SQS::Queue") {
		if strings.Contains(r.logical, "DeadLetters") {
			found = append(found, e.queue(ctx, "dead-letter queue "+r.logical, r.physical)...)
		}
	}
	return found
}

// shortestVisibility is the stack's visibility timeout of a source queue without a window; a shorter one delivers
// messages twice.
const shortestVisibility = 60

func (e *examination) queue(ctx context.Context, about, url string) []Diagnosis {
	got, err := sqs.NewFromConfig(e.Config).GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameAll}})
	if err != nil {
		return []Diagnosis{failed(about, err)}
	}
	attribute := func(name types.QueueAttributeName) string { return got.Attributes[string(name)] }
	e.learnQueue(about, url, got.Attributes)
	holds, _ := strconv.Atoi(attribute(types.QueueAttributeNameApproximateNumberOfMessages))
	var wrong problems
	if attribute(types.QueueAttributeNameSqsManagedSseEnabled) != "true" &&
		attribute(types.QueueAttributeNameKmsMasterKeyId) == "" {
		wrong.add(Warning, "encrypt it", "is not encrypted")
	}
	switch url {
	case e.FileReceivedQueueUrl, e.ExportStateQueueUrl:
		var policy struct{ DeadLetterTargetArn string }
		if json.Unmarshal([]byte(attribute(types.QueueAttributeNameRedrivePolicy)), &policy) != nil ||
			policy.DeadLetterTargetArn == "" {
			wrong.add(Error, "give it a redrive policy, or deploy again",
				"has no dead-letter queue: a message that always fails stays until it expires")
		}
		if url != e.FileReceivedQueueUrl {
			break
		}
		if visibility, _ := strconv.Atoi(attribute(types.QueueAttributeNameVisibilityTimeout)); visibility <
			e.visibility() {
			wrong.add(Error, "raise it, or deploy again",
				"has a visibility timeout of %d s, but a batch may take %d s: messages are delivered twice", visibility,
				e.visibility())
		}
		if limit, _ := strconv.Atoi(attribute(types.QueueAttributeNameMaximumMessageSize)); limit >
			e.largestMessage() {
			wrong.add(Warning, "set its MaximumMessageSize, or deploy with a smaller batchSize", "%s",
				takesTooLarge(limit, e.largestMessage()))
		}
	case e.RejectedMessagesQueueUrl:
		if holds > 0 {
			wrong.add(Warning, e.command.Do("rejected list"), "has about %d rejected messages", holds)
		}
	default:
		if holds > 0 {
			wrong.add(Warning, e.emptying(about), "has about %d messages that could not be processed", holds)
		}
	}
	return judge(about, fmt.Sprintf("exists and has about %d messages", holds), wrong)
}

// emptying says how to empty a dead-letter queue.
func (e *examination) emptying(about string) string {
	if strings.HasPrefix(about, "dead-letter queue QueuesFileReceivedDeadLetters") {
		return e.command.Do("rejected list --dead-letters")
	}
	return "see docs/failures.md"
}

// takesTooLarge says what happens to messages that are too large in a full batch, and to those that are too large
// alone.
func takesTooLarge(limit, largest int) string {
	says := fmt.Sprintf("accepts messages of up to %d bytes; a full batch of more than %d each may exceed the input "+
		"of an "+
		"execution, and ends it", limit, largest)
	if limit > statemachine.MaxMessageBytes(1) {
		says += fmt.Sprintf(". A message whose record is longer than %d characters as JSON (escaping may double a "+
			"body) can never be delivered and goes to the dead-letter queue", statemachine.PayloadBytes)
	}
	return says
}

// learnQueue remembers the queue's ARN. The stack always creates the rejected-messages queue: its key, if it has one,
// is the stack's customer managed key.
func (e *examination) learnQueue(about, url string, attributes map[string]string) {
	queue, itsKey := attributes[string(types.QueueAttributeNameQueueArn)],
		attributes[string(types.QueueAttributeNameKmsMasterKeyId)]
	e.learn(about, queue)
	if strings.HasPrefix(about, "dead-letter queue StatusChangedPipe") {
		e.learn(changesDeadLetters, queue)
	}
	if url == e.RejectedMessagesQueueUrl && strings.Contains(itsKey, ":key/") {
		e.learn(customerKey, itsKey)
	}
}

// express reports whether the state machine is of type EXPRESS, by its name.
func (e *examination) express() bool { return strings.HasSuffix(e.StateMachineArn, "-express") }

// visibility is the shortest visibility timeout that the source queue may have, in seconds: in that time a batch is
// gathered and an execution started. With EXPRESS the execution and its leases must have ended too: a message that
// becomes visible again has a new execution, which must be able to take them over.
func (e *examination) visibility() int {
	window, _ := e.batches()
	least := shortestVisibility + window
	if e.express() {
		least += int(store.ExpressLease.Seconds())
	}
	return least
}

// largestMessage is the largest message that the source queue may accept, in bytes.
func (e *examination) largestMessage() int {
	if _, size := e.batches(); size > 0 {
		return statemachine.MaxMessageBytes(size)
	}
	return statemachine.PayloadBytes // the pipe could not be read
}

func (e *examination) topic(ctx context.Context) []Diagnosis {
	const about = "monitoring topic"
	got, err := sns.NewFromConfig(e.Config).GetTopicAttributes(ctx,
		&sns.GetTopicAttributesInput{TopicArn: &e.MonitoringTopicArn})
	if err != nil {
		return []Diagnosis{failed(about, err)}
	}
	if got.Attributes["SubscriptionsConfirmed"] == "0" {
		return []Diagnosis{{Warning, about, "has no subscriber: notifications are lost", "subscribe monitoring to it"}}
	}
	return []Diagnosis{{OK, about, "has subscribers: " + got.Attributes["SubscriptionsConfirmed"], ""}}
}
