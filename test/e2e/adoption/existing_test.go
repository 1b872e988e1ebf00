package adoption

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// clients are clients of the engine.
type clients struct {
	config aws.Config
	table  *dynamodb.Client
	queues *sqs.Client
	topics *sns.Client
	stacks *cloudformation.Client
}

func newClients(config aws.Config) clients {
	return clients{config, dynamodb.NewFromConfig(config), sqs.NewFromConfig(config), sns.NewFromConfig(config),
		cloudformation.NewFromConfig(config)}
}

// queue is a queue by both of its names.
type queue struct{ url, arn string }

// existing are the resources of a team before it deploys the stack.
type existing struct {
	clients
	rows               *localtest.Stack // of the table
	table, stream      string           // the stream's ARN; "" if the table has none
	files, deadLetters queue
	requests           queue // FIFO
	topic              string
	notifications      queue // subscribed to the topic
}

// make creates the resources of an environment by API calls.
func (c clients) make(t *testing.T, name string, stream bool) existing {
	t.Helper()
	e := existing{clients: c, table: "UCExportToCrownStatus-" + name}
	e.rows = &localtest.Stack{Config: c.config, Outputs: local.Outputs{ExportStatusTableName: e.table}}
	in := &dynamodb.CreateTableInput{
		TableName: &e.table, BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("CorrelationId"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("CollectionName"), KeyType: types.KeyTypeRange}},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("CorrelationId"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("CollectionName"), AttributeType: types.ScalarAttributeTypeS}},
	}
	if stream {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: &stream,
			StreamViewType: types.StreamViewTypeNewAndOldImages}
	}
	table, err := c.table.CreateTable(t.Context(), in)
	must(t, err)
	must(t, dynamodb.NewTableExistsWaiter(c.table).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &e.table},
		10*time.Minute))
	if stream {
		e.stream = aws.ToString(table.TableDescription.LatestStreamArn)
	}

	e.deadLetters = c.queue(t, name+"-files-dead", nil)
	redrive, err := json.Marshal(map[string]string{"deadLetterTargetArn": e.deadLetters.arn, "maxReceiveCount": "4"})
	must(t, err)
	e.files = c.queue(t, name+"-files", map[string]string{"RedrivePolicy": string(redrive), "VisibilityTimeout": "360",
		"MessageRetentionPeriod": "345600"})
	e.requests = c.queue(t, name+"-export-state.fifo", map[string]string{"FifoQueue": "true"})
	topic, err := c.topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(name + "-monitoring")})
	must(t, err)
	e.topic = *topic.TopicArn
	e.notifications = queue{url: localtest.Subscribe(t, c.config, e.topic)}
	return e
}

func (c clients) queue(t *testing.T, name string, attributes map[string]string) queue {
	t.Helper()
	made, err := c.queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	must(t, err)
	q := queue{url: *made.QueueUrl}
	q.arn = c.attributes(t, q)["QueueArn"]
	return q
}

const keyStack = "keys-of-others"

// key creates a key by another stack.
func (c clients) key(t *testing.T) (arn string) {
	t.Helper()
	name := aws.String(keyStack)
	_, err := c.stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: name,
		TemplateBody: aws.String(`{
		"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {
			"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}}},
		"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}}`)})
	must(t, err)
	must(t, cloudformation.NewStackCreateCompleteWaiter(c.stacks).Wait(t.Context(),
		&cloudformation.DescribeStacksInput{StackName: name}, 10*time.Minute))
	made, err := c.stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name})
	must(t, err)
	return *made.Stacks[0].Outputs[0].OutputValue
}

// settings are the context settings that name the resources.
func (e existing) settings(environment, key string) []string {
	settings := []string{"environment=" + environment, "kmsKeyArn=" + key, "sweepEveryMinutes=60",
		"exportStatusTableName=" + e.table,
		"fileReceivedQueueArn=" + e.files.arn, "exportStateQueueArn=" + e.requests.arn, "monitoringTopicArn=" + e.topic}
	if e.stream != "" {
		settings = append(settings, "exportStatusTableStreamArn="+e.stream)
	}
	return settings
}

// attributes are the attributes of a queue that its owner sets.
func (c clients) attributes(t *testing.T, q queue) map[string]string {
	t.Helper()
	got, err := c.queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.url,
		AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	must(t, err)
	maps.DeleteFunc(got.Attributes, func(name, _ string) bool { return strings.HasPrefix(name, "Approximate") })
	return got.Attributes
}

// described is the configuration of the resources. It fails the test if one is missing.
func (e existing) described(t *testing.T) map[string]any {
	t.Helper()
	table, err := e.clients.table.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &e.table})
	must(t, err)
	topic, err := e.topics.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: &e.topic})
	must(t, err)
	subscriptions, err := e.topics.ListSubscriptionsByTopic(t.Context(),
		&sns.ListSubscriptionsByTopicInput{TopicArn: &e.topic})
	must(t, err)
	keys, err := e.stacks.DescribeStacks(t.Context(),
		&cloudformation.DescribeStacksInput{StackName: aws.String(keyStack)})
	must(t, err)
	return map[string]any{
		"status": string(table.Table.TableStatus), "stream": aws.ToString(table.Table.LatestStreamArn),
		"files": e.attributes(t, e.files), "dead letters": e.attributes(t, e.deadLetters),
		"requests": e.attributes(t, e.requests),
		"key":      string(keys.Stacks[0].StackStatus), "topic": topic.Attributes,
		"subscriptions": len(subscriptions.Subscriptions),
	}
}

func (e existing) send(t *testing.T, q queue, body, group string) {
	t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body}
	if group != "" {
		in.MessageGroupId, in.MessageDeduplicationId = &group, aws.String("of others: "+group)
	}
	_, err := e.queues.SendMessage(t.Context(), in)
	must(t, err)
}

// waiting counts a queue's messages, including those in flight.
func (c clients) waiting(t *testing.T, q queue) int {
	t.Helper()
	return localtest.Waiting(t, c.config, q.url)
}

// bodies returns all messages of a queue, sorted, and leaves them there in flight.
func (c clients) bodies(t *testing.T, q queue) []string {
	t.Helper()
	var bodies []string
	for want := c.waiting(t, q); len(bodies) < want; {
		got, err := c.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url,
			MaxNumberOfMessages: 10, VisibilityTimeout: 3600, WaitTimeSeconds: 5})
		must(t, err)
		if len(got.Messages) == 0 {
			t.Fatalf("of %d messages of %s, %d could be received: are two in one group? %q", want, q.arn,
				len(bodies), bodies)
		}
		for _, m := range got.Messages {
			bodies = append(bodies, *m.Body)
		}
	}
	slices.Sort(bodies)
	return bodies
}

// put writes a row as exporter and sender do, without FilesReceived if received is below 0.
func (e existing) put(t *testing.T, run, collection, status string, sent, received int) {
	t.Helper()
	further := localtest.Item{"FilesExported": localtest.Number(sent)}
	if received >= 0 {
		further["FilesReceived"] = localtest.Number(received)
	}
	e.rows.PutRow(t, run, collection, status, localtest.Number(sent), further)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
