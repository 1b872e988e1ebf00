package local

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// scratchProject is a project in a temporary folder that uses this project's engine.
func scratchProject(t *testing.T) Project {
	t.Helper()
	project, err := FindProject()
	if err != nil {
		t.Fatal(err)
	}
	if err := project.InstallEngine(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	scratch := Project{Root: t.TempDir()}
	if err := os.Mkdir(scratch.Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink(project.venv(), scratch.venv()),
		os.Symlink(filepath.Join(project.Root, "local"), filepath.Join(scratch.Root, "local"))); err != nil {
		t.Fatal(err)
	}
	return scratch
}

var quiet = Log{Steps: io.Discard, Output: io.Discard}

func TestUpAndStartEngineRefuseATakenPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	project := Project{Root: t.TempDir()}

	for name, start := range map[string]func() error{
		"Up":          func() error { return project.Up(t.Context(), port, nil, quiet) },
		"StartEngine": func() error { return project.StartEngine(t.Context(), port, quiet) },
	} {
		err := start()
		var taken *PortTakenError
		if !errors.As(err, &taken) || taken.Port != port {
			t.Fatalf("%s: got %v, want a PortTakenError of port %d", name, err, port)
		}
		if want := fmt.Sprintf("set PORT, such as PORT=%d", port+1); !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: the error does not say %s: %v", name, want, err)
		}
	}
}

func TestStartEngineReusesMovesAndStops(t *testing.T) {
	t.Parallel()
	project := scratchProject(t)
	t.Cleanup(func() {
		if _, err := project.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	first := startOn(t, project, mustFreePort(t))
	if again := startOn(t, project, first.Port); again.PID != first.PID {
		t.Errorf("second start on the same port: pid %d, want %d", again.PID, first.PID)
	}
	invokeFunction(t, Endpoint(first.Port))
	if got := len(groupMembers(first)); got < 2 {
		t.Fatalf("the engine's group has %d processes, want the engine and its function at least", got)
	}

	moved := startOn(t, project, mustFreePort(t))
	if left := groupMembers(first); len(left) > 0 {
		t.Errorf("processes of the first engine after a move to another port: %v", left)
	}
	was, err := project.Down(t.Context())
	if err != nil || !was {
		t.Fatalf("Down: %v, %v, want true and no error", was, err)
	}
	if left := groupMembers(moved); len(left) > 0 {
		t.Errorf("processes after Down: %v", left)
	}
	if was, err := project.Down(t.Context()); err != nil || was {
		t.Errorf("second Down: %v, %v, want false and no error", was, err)
	}
}

func startOn(t *testing.T, project Project, port int) process {
	t.Helper()
	if err := project.StartEngine(t.Context(), port, quiet); err != nil {
		t.Fatal(err)
	}
	proc, err := project.recorded(engineName)
	if err != nil {
		t.Fatal(err)
	}
	if proc.Port != port || !proc.running() {
		t.Fatalf("recorded %+v, running %v, want a running engine on port %d", proc, proc.running(), port)
	}
	return proc
}

func mustFreePort(t *testing.T) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// invokeFunction makes the engine start a function process, which stays.
func invokeFunction(t *testing.T, endpoint string) {
	t.Helper()
	var code bytes.Buffer
	archive := zip.NewWriter(&code)
	file, err := archive.Create("index.py")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, "def handler(event, context):\n    return 'here'\n"); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	client := lambda.NewFromConfig(Config(endpoint))
	if _, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("here"), Runtime: types.RuntimePython312, Handler: aws.String("index.handler"),
		Role: aws.String("arn:aws:iam::000000000000:role/any"), Code: &types.FunctionCode{ZipFile: code.Bytes()},
	}); err != nil {
		t.Fatal(err)
	}
	invoked, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("here")})
	if err != nil || string(invoked.Payload) != `"here"` {
		t.Fatalf("invoking: %s, %v", invoked.Payload, err)
	}
}

func TestDownStopsNoOtherProcess(t *testing.T) {
	t.Parallel()
	project := Project{Root: t.TempDir()}
	if err := os.Mkdir(project.Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	other, ended, err := startGroup(exec.Command("sleep", "600"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.stop(context.Background()); err != nil {
			t.Error(err)
		}
		<-ended
	})
	// The process id of an engine that ended was reused.
	reused := process{PID: other.PID, Started: "1", Token: "another"}
	if err := project.record(engineName, reused); err != nil {
		t.Fatal(err)
	}
	was, err := project.Down(t.Context())
	if err != nil || was {
		t.Fatalf("Down: %v, %v, want false and no error", was, err)
	}
	if !other.running() {
		t.Error("Down stopped another program's process")
	}
}

// killedVariable makes this test binary the test process that is killed.
const killedVariable = "LOCAL_TEST_KILLED"

func TestTestEngineEndsWithKilledProcess(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(killedVariable); dir != "" {
		startAndWait(t, dir)
		return
	}
	project, err := FindProject()
	if err != nil {
		t.Fatal(err)
	}
	if err := project.InstallEngine(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestTestEngineEndsWithKilledProcess$", "-test.v")
	cmd.Env = append(os.Environ(), killedVariable+"="+t.TempDir(), "TMPDIR="+t.TempDir()) // it cannot clean up
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var proc process
	for lines := bufio.NewScanner(output); proc.PID == 0 && lines.Scan(); {
		if after, ok := strings.CutPrefix(lines.Text(), "STARTED "); ok {
			if err := json.Unmarshal([]byte(after), &proc); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !proc.running() {
		t.Fatal("the engine was not started")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // was killed
	eventually(t, "end of the engine",
		func() bool { return len(groupMembers(proc)) == 0 })
}

// startAndWait starts an engine, prints its process, and waits to be killed.
func startAndWait(t *testing.T, dir string) {
	project, err := FindProject()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := project.StartTestEngine(t.Context(), dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	said, err := json.Marshal(engine.proc)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("STARTED %s\n", said)
	_, _ = io.Copy(io.Discard, os.Stdin)
	<-t.Context().Done()
}

// eventually waits up to ten minutes for the condition, since the machine may be busy.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for !holds() {
		if pause(ctx, readyPoll) != nil {
			t.Fatalf("timed out waiting for: %s", what)
		}
	}
}

func TestFindProjectFindsTheRoot(t *testing.T) {
	t.Parallel()
	project, err := FindProject()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(project.Root, "local", "project.go")); err != nil {
		t.Error(err)
	}
}
