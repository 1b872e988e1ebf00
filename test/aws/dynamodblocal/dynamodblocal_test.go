//go:build testaws

package dynamodblocal_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"snapshot-status-checker/test/aws/dynamodblocal"
)

// childVariable makes this test print its endpoint and wait to be killed.
const childVariable = "DYNAMODB_LOCAL_TEST_CHILD"

// DynamoDB Local ends with the process that started it, even if that is killed.
func TestEndsWithItsProcess(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		os.Stdout.WriteString(aws.ToString(dynamodblocal.Config(t).BaseEndpoint) + "\n")
		select {}
	}
	child := exec.Command(os.Args[0], "-test.run", "^TestEndsWithItsProcess$")
	child.Env = append(os.Environ(), childVariable+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	endpoint, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(endpoint), "http://")
	if !ok || !listens(address) {
		t.Errorf("nothing listens on %q, %v", endpoint, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	for deadline := time.Now().Add(time.Minute); listens(address); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("DynamoDB Local still listens on %s a minute after its process was killed", address)
		}
	}
}

func listens(address string) bool {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}
