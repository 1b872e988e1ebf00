package function_test

import (
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkFirstInvocation measures the effect of Connect: the duration of a process's first invocation, which makes
// one call over TLS, with the connection opened at start and without. The function reads root certificates as in
// Lambda.
func BenchmarkFirstInvocation(b *testing.B) {
	for _, connected := range []bool{true, false} {
		b.Run(fmt.Sprintf("connected=%t", connected), func(b *testing.B) {
			var starts, invocations time.Duration
			for b.Loop() {
				start, invocation := firstInvocation(b, connected)
				starts, invocations = starts+start, invocations+invocation
			}
			b.ReportMetric(starts.Seconds()*1e3/float64(b.N), "start-ms")
			b.ReportMetric(invocations.Seconds()*1e3/float64(b.N), "invocation-ms")
		})
	}
}

// firstInvocation runs one process and measures it to its first poll, and from there to its answer. Without a
// connection, nothing listens for AWS until that poll.
func firstInvocation(b *testing.B, connected bool) (start, invocation time.Duration) {
	aws := httptest.NewUnstartedServer(http.HandlerFunc(empty))
	defer aws.Close()
	address := aws.Listener.Addr().String()
	if connected {
		aws.StartTLS()
	} else if err := aws.Listener.Close(); err != nil {
		b.Fatal(err)
	}
	var polled time.Time
	host, answers := runtimeAPI(b, []string{callAWS}, func() {
		if polled = time.Now(); connected {
			return
		}
		var err error
		if aws.Listener, err = net.Listen("tcp", address); err != nil {
			b.Error(err)
		}
		aws.StartTLS()
	})
	cmd := process(b, "AWS_LAMBDA_RUNTIME_API="+host, "LEDGER_TABLE_NAME=ledger", "AWS_ENDPOINT_URL=https://"+address,
		"SSL_CERT_FILE="+certificates(b))
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	answer := <-answers
	answered := time.Now()
	if answer.kind != "response" {
		b.Errorf("it ended with %s", answer.body)
	}
	_ = cmd.Process.Kill() // it waits for the next invocation
	_ = cmd.Wait()
	return polled.Sub(begun), answered.Sub(polled)
}

// certificates writes a file with the machine's root certificates and the test servers' certificate.
func certificates(b *testing.B) (file string) {
	roots, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		b.Skip("no root certificates where Debian has them:", err)
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	file = filepath.Join(b.TempDir(), "certificates.pem")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, append(roots, own...), 0o600); err != nil {
		b.Fatal(err)
	}
	return file
}
