package page_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/page"
)

func TestMain(m *testing.M) {
	os.Setenv("SFN_WAIT_SCALE", "0.01") // the engine's: retries wait a hundredth of their time
	localtest.Main(m)
}

// deployed is the local stack, with the pages served for it.
type deployed struct {
	*testing.T
	*localtest.Stack
	address string
}

// deploy returns the stack, which all tests of the package share, its pipes served until the test ends.
func deploy(t *testing.T, options page.Options) deployed {
	t.Helper()
	stack := localtest.Deploy(t, "sweepEveryMinutes=60")
	stack.StartPipes(t)
	source := page.NewSource(deployment.Deployment{Outputs: stack.Outputs, Stack: stack.Name, Local: true,
		Config:   stack.Config,
		Settings: deployment.Settings{StalledAfter: time.Hour}})
	return deployed{t, stack, serve(t, source, options)}
}

// serve serves the pages until the test ends.
func serve(t *testing.T, source page.Source, options page.Options) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options.Hosts, options.Log = page.HostsOf(listener.Addr(), nil), slog.New(slog.NewTextHandler(t.Output(), nil))
	opened, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- page.Serve(t.Context(), listener, source, options, func(address string) { opened <- address })
	}()
	t.Cleanup(func() { // the test's context is done by now
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return <-opened
}

// row writes a row as exporter and sender do.
func (d deployed) row(run, collection, status string, sent int) {
	d.Helper()
	d.put(run, collection, status, &types.AttributeValueMemberN{Value: fmt.Sprint(sent)})
}

// unreadableRow writes a row that cannot be read.
func (d deployed) unreadableRow(run, collection string) {
	d.Helper()
	d.put(run, collection, "Sent", &types.AttributeValueMemberS{Value: "one"})
}

func (d deployed) put(run, collection, status string, sent types.AttributeValue) {
	d.Helper()
	_, err := dynamodb.NewFromConfig(d.Config).PutItem(d.Context(),
		&dynamodb.PutItemInput{TableName: &d.Outputs.ExportStatusTableName,
			Item: map[string]types.AttributeValue{
				"CorrelationId": &types.AttributeValueMemberS{Value: run},
				"CollectionName": &types.AttributeValueMemberS{
					Value: collection},
				"CollectionStatus": &types.AttributeValueMemberS{Value: status}, "FilesSent": sent,
			}})
	if err != nil {
		d.Fatal(err)
	}
}

// rows writes many rows of collections that are being exported; a row in Sent would start an execution each.
func (d deployed) rows(run string, collections int) {
	d.Helper()
	client := dynamodb.NewFromConfig(d.Config)
	var writes []types.WriteRequest
	for i := range collections {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
			"CorrelationId":    &types.AttributeValueMemberS{Value: run},
			"CollectionName":   &types.AttributeValueMemberS{Value: fmt.Sprintf("db.core.collection-%05d", i)},
			"CollectionStatus": &types.AttributeValueMemberS{Value: "Exporting"},
			"FilesSent":        &types.AttributeValueMemberN{Value: "1"},
		}}})
	}
	for some := range slices.Chunk(writes, 25) {
		written, err := client.BatchWriteItem(d.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{d.Outputs.ExportStatusTableName: some}})
		if err != nil || len(written.UnprocessedItems) > 0 {
			d.Fatal(err, written)
		}
	}
}

// send sends a message.
func (d deployed) send(body string) {
	d.Helper()
	_, err := sqs.NewFromConfig(d.Config).SendMessage(d.Context(),
		&sqs.SendMessageInput{QueueUrl: &d.Outputs.FileReceivedQueueUrl, MessageBody: &body})
	if err != nil {
		d.Fatal(err)
	}
}

// file is the message of a file of a collection.
func file(run, collection string, n int) string {
	text, err := json.Marshal(map[string]string{"correlation_id": run, "collection_name": collection,
		"snapshot_type": "full",
		"export_date":   "2026-11-22", "filename": fmt.Sprintf("2026-11-22/%s-%03d.txt.gz.enc", collection, n)})
	if err != nil {
		panic(err) // strings never fail
	}
	return string(text)
}

func successFile(run, collection string) string {
	return strings.Replace(file(run, collection, 0), `"snapshot_type"`, `"is_success_file":"true","snapshot_type"`, 1)
}

// failing runs an execution that counts a file for a run and fails: another function's name stands in increment's place
// meanwhile, which does not exist.
func (d deployed) failing(run, collection string) (execution string) {
	d.Helper()
	machines := sfn.NewFromConfig(d.Config)
	machine := &d.Outputs.StateMachineArn
	before, err := machines.DescribeStateMachine(d.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: machine})
	if err != nil {
		d.Fatal(err)
	}
	define := func(definition string) {
		if _, err := machines.UpdateStateMachine(d.Context(), &sfn.UpdateStateMachineInput{StateMachineArn: machine,
			Definition: &definition}); err != nil {
			d.Fatal(err)
		}
	}
	define(strings.ReplaceAll(*before.Definition, d.Name+`-increment"`, d.Name+`-missing"`))
	defer define(*before.Definition)
	return d.execute(file(run, collection, 99))
}

// execute runs an execution to its end.
func (d deployed) execute(input string) (execution string) {
	d.Helper()
	machines := sfn.NewFromConfig(d.Config)
	started, err := machines.StartExecution(d.Context(),
		&sfn.StartExecutionInput{StateMachineArn: &d.Outputs.StateMachineArn, Input: &input})
	if err != nil {
		d.Fatal(err)
	}
	for {
		described, err := machines.DescribeExecution(d.Context(),
			&sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		if err != nil {
			d.Fatal(err)
		}
		if described.Status != sfntypes.ExecutionStatusRunning {
			return aws.ToString(started.ExecutionArn)
		}
		select {
		case <-d.Context().Done():
			d.Fatal(d.Context().Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// sample plays a run that shows everything: done, late, blocked and malformed collections, rejected messages, and an
// execution that failed. It returns that one, and how many files are counted in the end.
func (d deployed) sample(run string) (failed string, counted int) {
	d.Helper()
	name := func(i int) string {
		return fmt.Sprintf("db.%s.collection-%02d", []string{"agent", "core", "accepted-data"}[i%3], i)
	}
	d.row(run, name(3), "Sent", 6)
	failed = d.failing(run, name(3)) // nothing else is under way meanwhile, which would fail too
	for i := range 40 {
		status, files := "Sent", 3+i%4
		switch {
		case i == 4:
			status = "Table_Unavailable"
		case i > 30:
			status = "Exporting"
		case i == 9:
			status = "Exported"
		}
		d.row(run, name(i), status, files)
		if status == "Table_Unavailable" || i > 36 {
			continue
		}
		for n := range files {
			if i%7 == 3 && n == files-1 || i > 30 && n > 0 {
				continue // late
			}
			d.send(file(run, name(i), n))
			counted++
		}
		if i%3 == 0 && i < 25 {
			d.send(successFile(run, name(i)))
		}
	}
	d.send(`{"correlation_id": "` + run + `", this is not JSON`)
	d.send(file(run, "db.core.unknown", 1))
	return failed, counted
}
