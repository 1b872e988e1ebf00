package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

func (e *examination) tables(ctx context.Context) []Diagnosis {
	return append(e.table(ctx, statusTable, e.ExportStatusTableName), e.table(ctx, ledger, e.LedgerTableName)...)
}

func (e *examination) table(ctx context.Context, resource, name string) []Diagnosis {
	about := "table " + name
	got, err := dynamodb.NewFromConfig(e.Config).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return []Diagnosis{failed(about, err)}
	}
	e.learn(resource, aws.ToString(got.Table.TableArn))
	var wrong problems
	if got.Table.TableStatus != dynamodbtypes.TableStatusActive {
		wrong.add(Error, "wait until it is ACTIVE, or deploy again", "is %s", got.Table.TableStatus)
	}
	if resource == statusTable {
		stream := got.Table.StreamSpecification
		if stream == nil || !aws.ToBool(stream.StreamEnabled) ||
			stream.StreamViewType != dynamodbtypes.StreamViewTypeNewAndOldImages {
			wrong.add(Warning, "enable the stream, and deploy with -c exportStatusTableStreamArn=…",
				"has no stream of new and old images: only the sweep finds a status Sent that is written after the "+
					"last file")
		}
		wrong = append(wrong, e.judgeStream(aws.ToString(got.Table.LatestStreamArn))...)
	}
	return judge(about, "is active", wrong)
}

// judgeStream checks that the pipe of changes reads the present stream of the table. A table that was created again, or
// whose stream was switched off and on, has a new one.
func (e *examination) judgeStream(now string) (wrong problems) {
	for _, p := range e.described {
		reads := aws.ToString(p.Source)
		if now != "" && reads != now && strings.Contains(reads, ":table/"+e.ExportStatusTableName+"/") {
			wrong.add(Error, "deploy with -c exportStatusTableStreamArn="+now,
				"has a new stream, but the pipe of changes reads %s", reads)
		}
	}
	return wrong
}

func (e *examination) queues(ctx context.Context) []Diagnosis {
	found := slices.Concat(e.queue(ctx, fileQueue, e.FileReceivedQueueUrl),
		e.queue(ctx, "export state queue", e.ExportStateQueueUrl),
		e.queue(ctx, "rejected-messages queue", e.RejectedMessagesQueueUrl))
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
	got, err := sqs.NewFromConfig(e.Config).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		return []Diagnosis{failed(about, err)}
	}
	number := func(attribute string) int {
		n, _ := strconv.Atoi(got.Attributes[attribute])
		return n
	}
	key, holds := got.Attributes["KmsMasterKeyId"], number("ApproximateNumberOfMessages")
	e.learn(about, got.Attributes["QueueArn"])
	if strings.HasPrefix(about, "dead-letter queue StatusChangedPipe") {
		e.learn(changesDeadLetters, got.Attributes["QueueArn"])
	}
	// The stack always creates this queue: its key, if it has one, is the stack's.
	if url == e.RejectedMessagesQueueUrl && strings.Contains(key, ":key/") {
		e.learn(customerKey, key)
	}
	var wrong problems
	if got.Attributes["SqsManagedSseEnabled"] != "true" && key == "" {
		wrong.add(Warning, "encrypt it", "is not encrypted")
	}
	var policy struct{ DeadLetterTargetArn string }
	_ = json.Unmarshal([]byte(got.Attributes["RedrivePolicy"]), &policy)
	if policy.DeadLetterTargetArn == "" && (url == e.FileReceivedQueueUrl || url == e.ExportStateQueueUrl) {
		wrong.add(Error, "give it a redrive policy, or deploy again",
			"has no dead-letter queue: a message that always fails stays until it expires")
	}
	switch {
	case url == e.FileReceivedQueueUrl:
		wrong = append(wrong, e.judgeSource(number("VisibilityTimeout"), number("MaximumMessageSize"))...)
	case url == e.ExportStateQueueUrl, holds == 0:
	case url == e.RejectedMessagesQueueUrl:
		wrong.add(Warning, e.command.Do("rejected list"), "has about %d rejected messages", holds)
	default:
		fix := "see docs/failures.md"
		if strings.HasPrefix(about, "dead-letter queue QueuesFileReceivedDeadLetters") {
			fix = e.command.Do("rejected list --dead-letters")
		}
		wrong.add(Warning, fix, "has about %d messages that could not be processed", holds)
	}
	return judge(about, fmt.Sprintf("exists and has about %d messages", holds), wrong)
}

// judgeSource checks the visibility timeout of the source queue, in seconds, and its limit on messages, in bytes.
func (e *examination) judgeSource(visibility, limit int) (wrong problems) {
	window, size := e.batches()
	// In this time a batch is gathered and an execution started. With EXPRESS the execution and its leases must have
	// ended too: a message that becomes visible again has a new execution, which must be able to take them over.
	least := shortestVisibility + window
	if e.express() {
		least += int(store.ExpressLease.Seconds())
	}
	if visibility < least {
		wrong.add(Error, "raise it, or deploy again",
			"has a visibility timeout of %d s, but a batch may take %d s: messages are delivered twice", visibility,
			least)
	}
	largest := statemachine.PayloadBytes // the pipe could not be read
	if size > 0 {
		largest = statemachine.MaxMessageBytes(size)
	}
	if limit <= largest {
		return wrong
	}
	says := ""
	if limit > statemachine.MaxMessageBytes(1) {
		says = fmt.Sprintf(". A message whose record is longer than %d characters as JSON (escaping may double a "+
			"body) can never be delivered and goes to the dead-letter queue", statemachine.PayloadBytes)
	}
	wrong.add(Warning, "set its MaximumMessageSize, or deploy with a smaller batchSize", "accepts messages of up to "+
		"%d bytes; a full batch of more than %d each may exceed the input of an execution, and ends it%s", limit,
		largest, says)
	return wrong
}

// express reports whether the state machine is of type EXPRESS, by its name.
func (e *examination) express() bool { return strings.HasSuffix(e.StateMachineArn, "-express") }

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
