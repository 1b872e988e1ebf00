package function_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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

// firstInvocation runs one process and measures it to its first poll, and from there to its answer.
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
	answered := make(chan time.Time, 1)
	runtime := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasSuffix(r.URL.Path, "/invocation/next"):
			answered <- time.Now()
			body, _ := io.ReadAll(r.Body)
			if !strings.HasSuffix(r.URL.Path, "/response") {
				b.Errorf("it ended with %s", body)
			}
			w.WriteHeader(http.StatusAccepted)
		case polled.IsZero():
			polled = time.Now()
			if !connected {
				serveAt(b, aws, address)
			}
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "first")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "9999999999999")
			fmt.Fprintf(w, "%q", callAWS)
		default:
			<-r.Context().Done()
		}
	}))
	defer runtime.Close()
	cmd := process(b, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(runtime.URL, "http://"), "LEDGER_TABLE_NAME=ledger",
		"AWS_ENDPOINT_URL=https://"+address, "SSL_CERT_FILE="+certificates(b))
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	at := <-answered
	_ = cmd.Process.Kill() // it waits for the next invocation
	_ = cmd.Wait()
	return polled.Sub(begun), at.Sub(polled)
}

// serveAt starts the server at its former address.
func serveAt(b *testing.B, server *httptest.Server, address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		b.Error(err)
		return
	}
	server.Listener = listener
	server.StartTLS()
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
