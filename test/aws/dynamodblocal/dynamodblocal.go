// Package dynamodblocal gives tests DynamoDB Local, AWS's own implementation of DynamoDB's interface. `make test-aws`
// installs it; tests that use it have the build tag testaws.
//
// Unlike DynamoDB it fails with a 500 for two tables whose names differ only in case, and never reports conflicts of
// transactions.
package dynamodblocal

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"snapshot-status-checker/local"
	"snapshot-status-checker/test/aws/internal/java"
)

// Config returns the SDK's configuration for the DynamoDB Local of this test process, which the first call starts on a
// free port of loopback and which ends with the process. All tests of the process share it; make tables that are the
// test's own. It fails the test if DynamoDB Local is not installed or does not start.
func Config(t testing.TB) aws.Config {
	t.Helper()
	endpoint, err := started()
	if err != nil {
		t.Fatal(err)
	}
	return local.Config(endpoint)
}

// program must stay reachable: the garbage collector would close its input, which ends DynamoDB Local.
var program *java.Program

// started starts DynamoDB Local once. An error is not retried.
var started = sync.OnceValues(func() (endpoint string, err error) {
	program, err = java.Start("dynamodblocal", "DynamoDBLocal")
	if err != nil {
		return "", err
	}
	for {
		line, err := program.Out.ReadString('\n')
		if err != nil {
			return "", fmt.Errorf("starting DynamoDB Local: %w", program.Stop())
		}
		if port, ok := strings.CutPrefix(strings.TrimSpace(line), "port "); ok {
			return "http://127.0.0.1:" + port, nil
		}
	}
})
