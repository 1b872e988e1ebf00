package coldstart_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/test/bench/coldstart"
)

// as in the environment makes the test's process the binary that is measured.
const as = "COLDSTART_TEST_AS"

func TestMain(m *testing.M) {
	next := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/next"
	switch os.Getenv(as) {
	case "function":
		time.Sleep(initialising) // the initialisation that is to be measured
		_, err := http.Get(next)
		panic(err)
	case "no function":
		_, _ = os.Stderr.WriteString("LEDGER_TABLE_NAME is required")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const initialising = 20 * time.Millisecond

func TestMeasure(t *testing.T) {
	t.Parallel()
	got, err := coldstart.Measure(t.Context(), os.Args[0], []string{as + "=function"}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Starts) != 3 || got.Size < 1<<20 {
		t.Fatalf("got %d starts of a binary of %d bytes, want 3 of a megabyte or more", len(got.Starts), got.Size)
	}
	for _, start := range append(got.Starts, got.Typical()) {
		if start.Wall < initialising || start.CPU <= 0 || start.UserCPU > start.CPU {
			t.Errorf("it took %s of time and %s of CPU, %s of it its own", start.Wall, start.CPU, start.UserCPU)
		}
		if memory := start.PeakMemory; memory != 0 && memory < 1<<20 {
			t.Errorf("a Go process of %d bytes", memory)
		}
	}
}

func TestMeasureTellsWhyAStartFailed(t *testing.T) {
	t.Parallel()
	_, err := coldstart.Measure(t.Context(), os.Args[0], []string{as + "=no function"}, 1)
	if err == nil || !strings.Contains(err.Error(), "LEDGER_TABLE_NAME is required") {
		t.Errorf("got %v", err)
	}
}

func TestMeasureEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := coldstart.Measure(ctx, os.Args[0], []string{as + "=function"}, 1); err == nil {
		t.Error("no error")
	}
}

func TestTypical(t *testing.T) {
	t.Parallel()
	starts := []coldstart.Start{
		{Wall: 9, CPU: 5, UserCPU: 1, PeakMemory: 40}, {Wall: 1, CPU: 5, UserCPU: 2, PeakMemory: 10},
		{Wall: 3, CPU: 7, UserCPU: 9, PeakMemory: 20}, {Wall: 5, CPU: 9, UserCPU: 4, PeakMemory: 30},
	}
	for n, want := range map[int]coldstart.Start{
		0: {},
		1: {Wall: 9, CPU: 5, UserCPU: 1, PeakMemory: 40},
		3: {Wall: 3, CPU: 5, UserCPU: 4, PeakMemory: 20},
		4: {Wall: 4, CPU: 6, UserCPU: 4, PeakMemory: 25},
	} {
		if diff := cmp.Diff(want, coldstart.Result{Starts: starts[:n]}.Typical()); diff != "" {
			t.Errorf("of %d: %s", n, diff)
		}
	}
}
