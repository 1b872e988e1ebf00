package command

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// endless is an input that reports the first read and never ends.
type endless struct {
	began func()
}

func (n endless) Read([]byte) (int, error) {
	n.began()
	select {}
}

// Ctrl-C ends a command that waits for its standard input.
func TestInterruptedWhileReadingStandardInput(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	got := answer(app{Context: ctx, in: endless{interrupt}, now: time.Now}, "", "send", "--from", "-")
	if got.code != exitFailed || !strings.Contains(got.err, "reading standard input") {
		t.Errorf("%+v", got)
	}
}

// The second Ctrl-C ends the program, even if the first has to wait.
func TestTheSecondInterruptEndsTheProgram(t *testing.T) {
	t.Parallel()
	receiving, once := make(chan struct{}), sync.Once{}
	queue := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage") {
			once.Do(func() { close(receiving) })
			<-t.Context().Done() // it never answers
			return
		}
		fmt.Fprint(w, `{"Attributes":{"ApproximateNumberOfMessages":"1","ApproximateNumberOfMessagesNotVisible":"0"}}`)
	}))
	t.Cleanup(queue.Close)
	command := exec.CommandContext(t.Context(), os.Args[0], "rejected", "list", "--region", "eu-west-1",
		"--rejected-queue", queue.URL+"/1/rejected", "--file-received-queue", queue.URL+"/1/in")
	command.Env = append(os.Environ(), asCommand+"=1", "AWS_ENDPOINT_URL="+queue.URL, "AWS_ACCESS_KEY_ID=test",
		"AWS_SECRET_ACCESS_KEY=test")
	command.Stderr = t.Output()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	select {
	case <-receiving:
	case <-ended:
		t.Fatalf("it ended before it read: %s", command.ProcessState)
	}
	for range 10_000 { // the program catches the first, at an unknown time
		_ = command.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
				t.Errorf("ended otherwise: %s", command.ProcessState)
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Error("it goes on, however often it is interrupted")
}

// ending ends a command as soon as it has written something.
type ending struct {
	bytes.Buffer
	end func()
}

func (e *ending) Write(text []byte) (int, error) {
	e.end()
	return e.Buffer.Write(text)
}

// A watch that ends before the run does not exit with 0.
func TestWatchEndedBeforeTheRun(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.troubled("troubled")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &ending{end: cancel}
	got := answer(app{Context: ctx, out: out, now: n.clock, source: n.source}, "", "watch", "troubled")
	if got.code != exitNotDone || strings.Count(out.String(), "\n") != 1 || got.err != "" {
		t.Errorf("%+v, %q", got, out.String())
	}
}
