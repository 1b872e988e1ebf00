package delivery_test

import (
	"fmt"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local/localtest"
)

// The tests of monitoring and machine are in this package too, to share one engine.
func TestMain(m *testing.M) { localtest.Main(m) }

func queues(t *testing.T) *sqs.Client {
	t.Helper()
	return sqs.NewFromConfig(localtest.Config(localtest.Engine(t)))
}

var (
	odd  = regexp.MustCompile(`[^A-Za-z0-9]+`)
	made atomic.Int64
)

// unique is a name for the test's own resource, unique for repeated tests too.
func unique(t *testing.T) string {
	name := fmt.Sprintf("%s-%d", odd.ReplaceAllString(t.Name(), "-"), made.Add(1))
	return name[max(0, len(name)-70):]
}

// queue makes a queue for the test, a FIFO queue with the suffix .fifo.
func queue(t *testing.T, client *sqs.Client, suffix string) (url string) {
	t.Helper()
	name := unique(t) + suffix
	in := &sqs.CreateQueueInput{QueueName: &name}
	if suffix == ".fifo" {
		in.Attributes = map[string]string{"FifoQueue": "true"}
	}
	out, err := client.CreateQueue(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.QueueUrl
}

// received is a message that a consumer received.
type received struct {
	Body       string
	Group      string
	Dedup      string
	Attributes map[string]string
}

// receive receives this number of messages from a queue, and asserts that no other follows.
func receive(t *testing.T, client *sqs.Client, url string, want int) []received {
	t.Helper()
	var all []received
	for {
		wait := int32(0)
		if len(all) < want {
			wait = 10
		}
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
			MessageAttributeNames:       []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			r := received{Body: *m.Body, Group: m.Attributes["MessageGroupId"],
				Dedup: m.Attributes["MessageDeduplicationId"], Attributes: map[string]string{}}
			for name, attribute := range m.MessageAttributes {
				r.Attributes[name] = aws.ToString(attribute.DataType) + " " + aws.ToString(attribute.StringValue)
			}
			all = append(all, r)
			if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url,
				ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
		if len(out.Messages) == 0 {
			if len(all) != want {
				t.Fatalf("received %d messages, want %d: %+v", len(all), want, all)
			}
			return all
		}
	}
}

func request(collection string, epoch int64) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, Version: epoch,
		CollectionKey: snapshot.CollectionKey{CorrelationID: "run-1", CollectionName: collection}}
}

func ofRun(kind snapshot.Kind) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: "run-1"}, Version: 3}
}

// id is the attribute event_id as receive shows it.
func id(out snapshot.Outgoing) map[string]string {
	return map[string]string{"event_id": fmt.Sprint("String ", out.EventID())}
}
