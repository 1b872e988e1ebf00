package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/local"
)

// BenchmarkFirstPoll measures each function from the start of its process to its first poll for work:
//
//	go test ./test/bench -run '^$' -bench FirstPoll -benchtime 50x
func BenchmarkFirstPoll(b *testing.B) {
	project, err := local.FindProject()
	if err != nil {
		b.Fatal(err)
	}
	tasks, err := (&version{project: project}).tasks()
	if err != nil {
		b.Fatal(err)
	}
	for _, task := range tasks {
		b.Run(task, func(b *testing.B) {
			program := filepath.Join(b.TempDir(), task)
			if err := buildFunction(b.Context(), project, folderOf(task), program); err != nil {
				b.Fatal(err)
			}
			var sum coldStart
			for b.Loop() {
				one, err := startOnce(b.Context(), program, lambdaEnvironment())
				if err != nil {
					b.Fatal(err)
				}
				sum = coldStart{Wall: sum.Wall + one.Wall, CPU: sum.CPU + one.CPU, Memory: sum.Memory + one.Memory}
			}
			b.ReportMetric(sum.Wall.Seconds()*1e3/float64(b.N), "first-poll-ms")
			b.ReportMetric(sum.CPU.Seconds()*1e3/float64(b.N), "CPU-ms")
			b.ReportMetric(mb(sum.Memory)/float64(b.N), "peak-MB")
		})
	}
}

// runAs in the environment makes the test's own process the program that is measured.
const runAs = "BENCH_TEST_RUN_AS"

func TestMain(m *testing.M) {
	next := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/next"
	switch os.Getenv(runAs) {
	case "function":
		time.Sleep(initialisation)
		_, err := http.Get(next)
		panic(err)
	case "failure":
		_, _ = os.Stderr.WriteString("LEDGER_TABLE_NAME is required")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const initialisation = 20 * time.Millisecond

func TestTypicalStartMeasuresTheInitialisation(t *testing.T) {
	t.Parallel()
	got, err := typicalStart(t.Context(), os.Args[0], []string{runAs + "=function"}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if got.Wall < initialisation || got.CPU <= 0 || got.Memory != 0 && got.Memory < 1<<20 {
		t.Errorf("it took %s and %s of CPU time in %d bytes", got.Wall, got.CPU, got.Memory)
	}
}

func TestTypicalStartSaysWhyAStartFailed(t *testing.T) {
	t.Parallel()
	_, err := typicalStart(t.Context(), os.Args[0], []string{runAs + "=failure"}, 1)
	if err == nil || !strings.Contains(err.Error(), "LEDGER_TABLE_NAME is required") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := typicalStart(ctx, os.Args[0], []string{runAs + "=function"}, 1); err == nil {
		t.Error("no error after its context ended")
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	starts := []coldStart{{Wall: 9}, {Wall: 1}, {Wall: 3}, {Wall: 5}}
	for n, want := range map[int]time.Duration{1: 9, 3: 3, 4: 4} {
		if got := median(starts[:n], func(s coldStart) time.Duration { return s.Wall }); got != want {
			t.Errorf("of %d: %d, want %d", n, got, want)
		}
	}
}
