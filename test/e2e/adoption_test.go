package e2e

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
)

// The stack is deployed onto existing resources, as a team does that replaces its status checker: by context settings
// only. It completes a run that its predecessor has begun, and is removed: the existing resources are unchanged.
func TestStackAdoptsExistingResources(t *testing.T) {
	e := newExisting(t)
	before := &run{t: t, id: "in-the-middle-of-its-day", system: &system{stack: e.rows}}
	const half, last, fresh, received = "db.day.half", "db.day.last", "db.day.fresh", "db.day.received"
	counted := func(files int) item { return item{"FilesReceived": number(files), "FilesExported": number(3)} }
	before.put(half, "Sent", 3, counted(2))         // the predecessor counted two files
	before.put(last, "Exported", 2, counted(2))     // the predecessor counted both; Sent is not written yet
	before.put(fresh, "Exported", 1)                // nothing is counted
	before.put(received, "Received", 1, counted(1)) // the predecessor asked for its success file
	e.rows.PutRow(t, "finished-long-ago", "db.old.done", "Success", number(3), counted(3))
	e.send(t, e.queues["files"], before.file(half)) // waits in the queue
	e.send(t, e.queues["dead"], "a dead letter")
	described, old := e.described(t), e.rows.Row(t, "finished-long-ago", "db.old.done")

	s := deploy(t, e.settings(t)...)
	if s.outputs.ExportStatusTableName != tableName || s.outputs.MonitoringTopicArn != e.topic {
		t.Errorf("the outputs name other resources: %+v", s.outputs)
	}
	s.stack.StartPipes(t)
	r := &run{t: t, id: before.id, system: s}
	r.handle(r.file(fresh))
	localtest.Await(t, "the counts continue", func() bool {
		return s.stack.RowState(t, r.id, half) == "Received 3" && s.stack.RowState(t, r.id, fresh) == "Exported 1"
	})
	r.set(last, "CollectionStatus", text("Sent"))
	r.set(fresh, "CollectionStatus", text("Sent"))
	r.becomes(fresh, "Received")
	r.becomes(last, "Received")
	r.wantNotifications(r.allReceived())
	r.handle(r.successFile(half), r.successFile(last), r.successFile(fresh), r.successFile(received))
	r.wantNotifications(r.allReceived(), r.allSuccessful())
	r.callSweep()
	r.settle(nil)
	for collection, files := range map[string]int{half: 3, last: 2, fresh: 1, received: 1} {
		r.wantRow(collection, "Success", files)
	}
	r.wantRequests(r.request(half), r.request(last), r.request(fresh))
	r.wantNotifications(r.allReceived(), r.allSuccessful())

	e.remove(t, s)
	if diff := cmp.Diff(described, e.described(t)); diff != "" {
		t.Errorf("existing resources (-before +after)\n%s", diff)
	}
	if diff := cmp.Diff(old, e.rows.Row(t, "finished-long-ago", "db.old.done"), attributes); diff != "" {
		t.Errorf("row of an earlier run (-before +after)\n%s", diff)
	}
	r.wantRow(half, "Success", 3)
	if dead := localtest.Waiting(t, e.rows.Config, e.queues["dead"]); dead != 1 {
		t.Errorf("%d dead letters are left, want 1", dead)
	}
	ledger, err := e.table.Scan(t.Context(), &dynamodb.ScanInput{TableName: &s.outputs.LedgerTableName})
	if err != nil || len(ledger.Items) == 0 {
		t.Errorf("the ledger was deleted or is empty: %v", err)
	}
}

// existing are the resources of a team before it deploys the stack.
type existing struct {
	rows          *localtest.Stack // of the table
	table         *dynamodb.Client
	messages      *sqs.Client
	topics        *sns.Client
	stacks        *cloudformation.Client
	queues        map[string]string // URLs
	stream, topic string            // ARNs
	key           string            // ARN; made by another stack
}

const (
	tableName = "UCExportToCrownStatus"
	keyStack  = "keys-of-others"
)

// newExisting creates the resources by API calls.
func newExisting(t *testing.T) existing {
	t.Helper()
	config := localtest.Config(localtest.Engine(t))
	e := existing{table: dynamodb.NewFromConfig(config), messages: sqs.NewFromConfig(config),
		topics: sns.NewFromConfig(config), stacks: cloudformation.NewFromConfig(config), queues: map[string]string{},
		rows: &localtest.Stack{Config: config, Outputs: local.Outputs{ExportStatusTableName: tableName}}}
	in := &dynamodb.CreateTableInput{TableName: aws.String(tableName), BillingMode: types.BillingModePayPerRequest,
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true),
			StreamViewType: types.StreamViewTypeNewAndOldImages}}
	for i, name := range []string{"CorrelationId", "CollectionName"} {
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &name,
			KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &name,
			AttributeType: types.ScalarAttributeTypeS})
	}
	table, err := e.table.CreateTable(t.Context(), in)
	must(t, err)
	e.stream = *table.TableDescription.LatestStreamArn
	e.makeQueue(t, "dead", "existing-files-dead", nil)
	redrive, err := json.Marshal(map[string]string{"deadLetterTargetArn": e.attributes(t, "dead")["QueueArn"],
		"maxReceiveCount": "4"})
	must(t, err)
	e.makeQueue(t, "files", "existing-files", map[string]string{"RedrivePolicy": string(redrive),
		"VisibilityTimeout": "360", "MessageRetentionPeriod": "345600"})
	e.makeQueue(t, "requests", "existing-export-state.fifo", map[string]string{"FifoQueue": "true"})
	topic, err := e.topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("existing-monitoring")})
	must(t, err)
	e.topic = *topic.TopicArn
	localtest.Subscribe(t, config, e.topic)
	_, err = e.stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String(keyStack),
		TemplateBody: aws.String(`{
		"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {
			"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}}},
		"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}}`)})
	must(t, err)
	must(t, cloudformation.NewStackCreateCompleteWaiter(e.stacks).Wait(t.Context(),
		&cloudformation.DescribeStacksInput{StackName: aws.String(keyStack)}, 10*time.Minute))
	made, err := e.stacks.DescribeStacks(t.Context(),
		&cloudformation.DescribeStacksInput{StackName: aws.String(keyStack)})
	must(t, err)
	e.key = *made.Stacks[0].Outputs[0].OutputValue
	return e
}

func (e existing) makeQueue(t *testing.T, name, fullName string, attributes map[string]string) {
	t.Helper()
	made, err := e.messages.CreateQueue(t.Context(),
		&sqs.CreateQueueInput{QueueName: &fullName, Attributes: attributes})
	must(t, err)
	e.queues[name] = *made.QueueUrl
}

// settings are the context settings that name the resources.
func (e existing) settings(t *testing.T) []string {
	t.Helper()
	return []string{"environment=existing", "kmsKeyArn=" + e.key, "exportStatusTableName=" + tableName,
		"exportStatusTableStreamArn=" + e.stream, "monitoringTopicArn=" + e.topic,
		"fileReceivedQueueArn=" + e.attributes(t, "files")["QueueArn"],
		"exportStateQueueArn=" + e.attributes(t, "requests")["QueueArn"]}
}

// attributes are the attributes of a queue that its owner sets.
func (e existing) attributes(t *testing.T, queue string) map[string]string {
	t.Helper()
	got, err := e.messages.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(e.queues[queue]), AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	must(t, err)
	maps.DeleteFunc(got.Attributes, func(name, _ string) bool { return strings.HasPrefix(name, "Approximate") })
	return got.Attributes
}

// described is the configuration of the resources. It fails the test if one is missing.
func (e existing) described(t *testing.T) map[string]any {
	t.Helper()
	table, err := e.table.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(tableName)})
	must(t, err)
	topic, err := e.topics.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: &e.topic})
	must(t, err)
	keys, err := e.stacks.DescribeStacks(t.Context(),
		&cloudformation.DescribeStacksInput{StackName: aws.String(keyStack)})
	must(t, err)
	return map[string]any{"status": string(table.Table.TableStatus),
		"stream": aws.ToString(table.Table.LatestStreamArn),
		"files":  e.attributes(t, "files"), "dead letters": e.attributes(t, "dead"),
		"requests": e.attributes(t, "requests"), "topic": topic.Attributes,
		"key": string(keys.Stacks[0].StackStatus)}
}

func (e existing) send(t *testing.T, queue, body string) {
	t.Helper()
	_, err := e.messages.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body})
	must(t, err)
}

// remove deletes the stack.
func (e existing) remove(t *testing.T, s *system) {
	t.Helper()
	_, err := e.stacks.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &s.stack.Name})
	must(t, err)
	localtest.Await(t, "the deletion of the stack", func() bool {
		gone, err := e.stacks.DescribeStacks(t.Context(),
			&cloudformation.DescribeStacksInput{StackName: &s.stack.Name})
		return err != nil || gone.Stacks[0].StackStatus == "DELETE_COMPLETE"
	})
	if _, err := s.machines.DescribeStateMachine(t.Context(),
		&sfn.DescribeStateMachineInput{StateMachineArn: &s.outputs.StateMachineArn}); err == nil {
		t.Error("the state machine is still there")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
