package dynamo_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/table/dynamo/dynamotest"
	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

// DynamoDB Local is held to the same in test/aws.
func TestOverTheLocalEngine(t *testing.T) {
	dynamotest.Run(t, dynamodb.NewFromConfig(localtest.Config(localtest.Engine(t))))
}
