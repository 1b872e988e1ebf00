//go:build testaws

package aws_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/table/dynamo/dynamotest"
	"snapshot-status-checker/test/aws/dynamodblocal"
)

// The tests of internal/table/dynamo run the same suite on the local engine.
func TestDynamoDBLocalPassesTheSuite(t *testing.T) {
	t.Parallel()
	dynamotest.Run(t, dynamodb.NewFromConfig(dynamodblocal.Config(t)))
}
