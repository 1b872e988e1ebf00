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
		var wrong []Diagnosis
		if described.Table.TableStatus != dynamodbtypes.TableStatusActive {
			wrong = append(wrong, Diagnosis{Level: Error, Says: "is " + string(described.Table.TableStatus),
				Cure: "wait until it is ACTIVE, or deploy again"})
		}
		stream := described.Table.StreamSpecification
		streams := stream != nil && aws.ToBool(stream.StreamEnabled) &&
			stream.StreamViewType == dynamodbtypes.StreamViewTypeNewAndOldImages
		if name == e.ExportStatusTableName && !streams {
			wrong = append(wrong, Diagnosis{Level: Warning,
				Says: "has no stream of new and old images: a status Sent that comes after the last file is found " +
					"by the sweep alone",
				Cure: "enable the stream, and deploy with -c exportStatusTableStreamArn=…"})
		}
		if name == e.ExportStatusTableName {
			wrong = append(wrong, e.judgeStream(aws.ToString(described.Table.LatestStreamArn))...)
		}
		found = append(found, judge(about, "is active", wrong...)...)
	}
	return found
}

// judgeStream looks whether the pipe of changes reads the stream that the table has now. A table that was made again,
// or whose stream was switched off and on, has another one.
func (e *examination) judgeStream(now string) (wrong []Diagnosis) {
	for _, p := range e.described {
		if p.err != nil || !p.ofTable() {
			continue
		}
		if reads := aws.ToString(p.Source); now != "" && reads != now && strings.Contains(reads, ":table/"+
			e.ExportStatusTableName+"/") {
			wrong = append(wrong, Diagnosis{Level: Error, Says: "has a new stream, and the pipe of changes reads " +
				reads,
				Cure: "deploy with -c exportStatusTableStreamArn=" + now})
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

// shortestVisibility is what the stack gives a source queue without a window; less brings messages twice while they are
// on their way.
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
	var wrong []Diagnosis
	add := func(level Level, cure, format string, args ...any) {
		wrong = append(wrong, Diagnosis{Level: level, Says: fmt.Sprintf(format, args...), Cure: cure})
	}
	if attribute(types.QueueAttributeNameSqsManagedSseEnabled) != "true" &&
		attribute(types.QueueAttributeNameKmsMasterKeyId) == "" {
		add(Warning, "encrypt it", "is not encrypted")
	}
	switch url {
	case e.FileReceivedQueueUrl, e.ExportStateQueueUrl:
		var policy struct{ DeadLetterTargetArn string }
		if json.Unmarshal([]byte(attribute(types.QueueAttributeNameRedrivePolicy)), &policy) != nil ||
			policy.DeadLetterTargetArn == "" {
			add(Error, "give it a redrive policy, or deploy again",
				"has no dead-letter queue: a message that fails again and again stays in the way until it expires")
		}
		if visibility, _ := strconv.Atoi(
			attribute(types.QueueAttributeNameVisibilityTimeout)); url == e.FileReceivedQueueUrl &&
			visibility < e.visibility() {
			add(Error, "raise it, or deploy again",
				"has a visibility timeout of %d s, less than the %d s that a batch may take: messages are delivered "+
					"twice", visibility, e.visibility())
		}
		if limit, _ := strconv.Atoi(
			attribute(types.QueueAttributeNameMaximumMessageSize)); url == e.FileReceivedQueueUrl &&
			limit > e.largestMessage() {
			add(Warning, "set its MaximumMessageSize, or deploy with a smaller batchSize", "%s",
				takesTooLarge(limit, e.largestMessage()))
		}
	case e.RejectedMessagesQueueUrl:
		if holds > 0 {
			add(Warning, e.command.Do("rejected list"), "keeps about %d messages that could not be counted", holds)
		}
	default:
		if holds > 0 {
			add(Warning, "docs/failures.md says what to do; never redrive the file-received one",
				"holds about %d messages that could not be handled", holds)
		}
	}
	return judge(about, fmt.Sprintf("is there, and holds about %d messages", holds), wrong...)
}

// takesTooLarge says what becomes of messages above the largest that is safe in a full batch, and of those that are too
// large alone.
func takesTooLarge(limit, largest int) string {
	says := fmt.Sprintf("takes messages of up to %d bytes; a full batch of more than %d each may be larger than an "+
		"execution can hold, and ends it", limit, largest)
	if limit > statemachine.MaxMessageBytes(1) {
		says += fmt.Sprintf(". A message whose record is longer than %d characters as JSON (escaping may double a "+
			"body) "+
			"can never be delivered and goes to the dead-letter queue", statemachine.PayloadBytes)
	}
	return says
}

// learnQueue keeps the queue's ARN. The stack made the rejected-messages queue in any case: its key, if it has one, is
// the customer managed key that the stack was deployed with.
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

// express tells whether the state machine is one of the type EXPRESS, by the name that the stack gives such ones.
func (e *examination) express() bool { return strings.HasSuffix(e.StateMachineArn, "-express") }

// visibility is the shortest visibility timeout that the source queue may have, in seconds: a batch is gathered and an
// execution started in that time; with EXPRESS, whose executions take five minutes at most, it has ended too, and so
// has its lease on outgoing messages: a message that comes back has a new execution, which must be able to take them
// over.
func (e *examination) visibility() int {
	window, _ := e.batches()
	least := shortestVisibility + window
	if e.express() {
		least += int(store.ExpressLease.Seconds())
	}
	return least
}

// largestMessage is the largest message that the source queue may take, in bytes.
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
		return judge(about, "", Diagnosis{Level: Warning, Says: "has no subscriber: nobody hears the news",
			Cure: "subscribe monitoring to it"})
	}
	return judge(about, "has subscribers: "+got.Attributes["SubscriptionsConfirmed"])
}
