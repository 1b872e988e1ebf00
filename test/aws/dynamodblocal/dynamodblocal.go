// Package dynamodblocal gives tests DynamoDB Local, AWS's own implementation of DynamoDB's interface: a second
// opinion beside the local engine. `make test-aws` installs it; tests that use it carry the build tag testaws.
//
// It differs from DynamoDB in this: it answers CreateTable with a 500 for two tables whose names differ in case only,
// and never reports that transactions conflict.
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

// program is referred to as long as this process lives: DynamoDB Local ends when its input is closed, which the garbage
// collector would do.
var program *java.Program

// started starts DynamoDB Local once. What did not work is not tried again for every test.
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
