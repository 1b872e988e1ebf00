package dynamo_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/table/dynamo/dynamotest"
	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

// test/aws runs the same suite over DynamoDB Local.
func TestOverTheLocalEngine(t *testing.T) {
	dynamotest.Run(t, dynamodb.NewFromConfig(localtest.Config(localtest.Engine(t))))
}
