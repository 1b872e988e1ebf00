package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/local"
)

// TestHarness sends small runs through the baseline and the deployed stack, and wants the counters to see exactly what
// each must do. It asserts no times.
func TestHarness(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	s := newSuite(options{
		Project: project, Log: t.Output(), Files: 20, FilesPerCollection: 10, InFlight: 2, CountFiles: 20,
		Concurrency: functionConcurrency, CeilingFor: 20 * time.Millisecond, WorkMessages: 40, Rounds: 1,
	}, nil, "")
	now := s.versions[0]
	if err := s.in(ctx, true, s.memory, func(w *world) (*subject, error) {
		if s.Ceilings, err = w.ceilings(ctx, s.CeilingFor); err != nil {
			return nil, err
		}
		sub, err := w.deployBaseline(ctx)
		if err != nil {
			return nil, err
		}
		for _, byEngine := range []bool{false, true} {
			if _, err := s.speed(ctx, w, sub, "baseline 10", s.shapeOf(20), feeding{Batch: 10, SideBySide: 2, ByEngine: byEngine}); err != nil {
				return nil, err
			}
		}
		if err := s.countAll(ctx, w, sub, &s.results, "baseline", []int{10}); err != nil {
			return nil, err
		}
		return sub, s.receipt(ctx, w, sub, &s.results, "baseline")
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.in(ctx, true, now.memory, func(w *world) (*subject, error) {
		sub, err := w.deployStack(ctx, project, "STANDARD")
		if err != nil {
			return nil, err
		}
		if err := s.countAll(ctx, w, sub, &s.results, "Standard", []int{100}); err != nil {
			return nil, err
		}
		if err := s.receipt(ctx, w, sub, &s.results, "Standard"); err != nil {
			return nil, err
		}
		now.caller, err = w.discoverCaller(ctx, sub)
		return sub, err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.measureWork(ctx); err != nil {
		t.Fatal(err)
	}

	baseline, stack := s.Counts[0], s.Counts[1]
	// Of 2 collections: an update for each file, 2 moves to Received and 2 to Success, each with a look at the whole run.
	want := map[string]int{"DynamoDB.UpdateItem": 24, "DynamoDB.GetItem": 2, "DynamoDB.Query": 4, "SQS.SendMessage": 2}
	if sent := baseline.Functions.Kinds["SNS.Publish"]; sent < 2 || sent > 4 { // last collections at the same moment send it twice
		t.Errorf("the baseline sent the two notifications %d times", sent)
	}
	delete(baseline.Functions.Kinds, "SNS.Publish")
	if diff := cmp.Diff(want, baseline.Functions.Kinds); diff != "" {
		t.Errorf("calls of the baseline (-want +got)\n%s", diff)
	}
	if got := baseline.Functions.WriteUnits["DynamoDB.UpdateItem"]; got != 24 {
		t.Errorf("the baseline's updates consumed %g write units, want 24", got)
	}
	increments := stack.Invocations["increment"].Calls
	if increments < 2 || stack.Executions < 2 || stack.States < 2*stack.Executions {
		t.Errorf("%d calls of increment and %d states of %d executions", increments, stack.States, stack.Executions)
	}
	if memory := stack.Invocations["increment"].MemoryMB; memory < 128 || stack.Definition < 1000 {
		t.Errorf("increment has %g MB, the definition %d bytes", memory, stack.Definition)
	}
	if one := receiptOf(s.Receipts, "baseline"); one.tableCalls() != 1 || one.seconds() <= 0 {
		t.Errorf("the baseline makes %g calls for a receipt, in %g s; want its one update", one.tableCalls(), one.seconds())
	}
	if one := receiptOf(s.Receipts, "Standard"); one.tableCalls() < 2 || one.Calls.RepeatedUpdates != 0 {
		t.Errorf("the stack makes %g calls for a receipt, and repeats %d updates with nobody else there", one.tableCalls(), one.Calls.RepeatedUpdates)
	}
	for _, all := range [][]work{s.BaselineWork, s.Work} {
		if len(all) != len(workBatches) {
			t.Fatalf("%d measurements of a function's own work, want %d", len(all), len(workBatches))
		}
		for _, w := range all {
			if w.CPU <= 0 || w.Allocated <= 0 || w.Memory < 1<<20 {
				t.Errorf("a function's own work: %+v", w)
			}
		}
	}
	for _, counted := range s.Counts {
		if counted.invocations().Seconds <= 0 || counted.Million <= 0 || counted.Functions.readUnits() <= 0 {
			t.Errorf("%s: took %g s, read %g units, costs %g USD", counted.Name, counted.invocations().Seconds, counted.Functions.readUnits(), counted.Million)
		}
		if floor := s.floor(counted); floor <= 0 {
			t.Errorf("%s: the engine's floor is %g ms", counted.Name, floor)
		}
	}
	if now.memory["increment"] < 1<<20 || s.memory[baselineName] < 1<<20 {
		t.Errorf("peak memory of the functions: %v, %v", now.memory, s.memory)
	}
}

// The order of a run's messages holds each collection as often as it has files, and mixes no more than it should.
func TestOrder(t *testing.T) {
	t.Parallel()
	for _, shape := range []shape{{Collections: 5, Files: 7, InFlight: 2}, {Collections: 5, Files: 7}, {Collections: 1, Files: 3, InFlight: 4}} {
		order := shape.order()
		counts := make([]int, shape.Collections)
		for i, collection := range order {
			counts[collection]++
			started := 0
			for _, n := range counts {
				if n > 0 && n < shape.Files {
					started++
				}
			}
			if shape.InFlight > 0 && started > shape.InFlight {
				t.Fatalf("%+v: %d collections are mixed after %d messages", shape, started, i+1)
			}
		}
		if want := slices.Repeat([]int{shape.Files}, shape.Collections); !slices.Equal(counts, want) {
			t.Errorf("%+v: %v messages, want %v", shape, counts, want)
		}
	}
}

// The table has a row for each configuration and no empty cells but those that have no meaning.
func TestReport(t *testing.T) {
	t.Parallel()
	r := results{Ceilings: []ceiling{{Call: bareUpdateItem, EngineMS: 100}}}
	for _, name := range names {
		r.Speeds = append(r.Speeds, speed{Name: name, throughput: throughput{Shape: shape{Collections: 1, Files: 10}, Seconds: 2}})
		r.Counts = append(r.Counts, cost{Name: name, Million: 3, counted: counted{Shape: shape{Collections: 1, Files: 10},
			Functions: calls{Kinds: map[string]int{"DynamoDB.UpdateItem": 10}}, Invocations: map[string]invocations{"increment": {Calls: 1, Seconds: 1}}}})
	}
	r.Speeds = append(r.Speeds, speed{Name: "baseline 1", throughput: throughput{Shape: shape{Collections: 1, Files: 10}, Seconds: 1}})
	report := writeReport(r, "")
	lines := strings.Split(strings.TrimSpace(report.table), "\n")
	if len(lines) != 2+len(names) {
		t.Fatalf("%d lines, want a head, a rule and %d rows\n%s", len(lines), len(names), report.table)
	}
	for i, name := range names {
		cells := strings.Split(strings.Trim(lines[2+i], "|"), "|")
		if got := strings.TrimSpace(cells[0]); got != name {
			t.Errorf("row %d is of %s, want %s", i, got, name)
		}
		for column, cell := range cells[1:] {
			if cell = strings.TrimSpace(cell); cell == "" || cell == "-" && column > 0 {
				t.Errorf("%s has nothing in column %d", name, column+1)
			}
		}
	}
	// 5 files a second against the baseline's best, 10: half its speed, and half a second of the engine's time in each.
	if !strings.Contains(lines[4], "0.50 ×") || !strings.Contains(lines[4], "50 %") {
		t.Errorf("got %s", lines[4])
	}
	if !strings.Contains(report.document, report.table) {
		t.Error("the document lacks the table")
	}
	r.Base, r.BaseCommit = &results{Speeds: r.Speeds, Counts: r.Counts}, "abc1234"
	compared := writeReport(r, "").table
	if !strings.Contains(compared, "abc1234") || !strings.Contains(compared, "| Express 100: files/s ") {
		t.Errorf("compared with itself:\n%s", compared)
	}
	for line := range strings.Lines(compared) {
		if strings.HasPrefix(line, "| Express 100: files/s ") && !strings.Contains(line, "1.00 × |") {
			t.Errorf("compared with itself: %s", line)
		}
	}
}

// An event holds the batch where the recorded one held its, and its own execution where that one was named.
func TestEventFor(t *testing.T) {
	t.Parallel()
	var c caller
	input := `[{"messageId":"m","body":"hello","attributes":{"n":"1"}}]`
	if err := c.learn(`{"by":"arn:x/1","work":{"all":`+input+`},"n":[1,null]}`, "arn:x", input); err != nil {
		t.Fatal(err)
	}
	got, err := c.eventFor([]string{"a", "b"}, 7)
	if err != nil {
		t.Fatal(err)
	}
	var event, want any
	if err := json.Unmarshal(got, &event); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"by":"arn:aws:states:eu-west-1:123456789012:execution:bench:00000000000000000000000000000007/1","n":[1,null],"work":{"all":[
		{"messageId":"00000007-0000-4000-8000-000000000000","body":"a","attributes":{"n":"1"}},
		{"messageId":"00000007-0000-4000-8000-000000000001","body":"b","attributes":{"n":"1"}}]}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Error(diff)
	}
	if err := c.learn(`{"other":1}`, "arn:x", input); err == nil {
		t.Error("no error where the batch is not in the event")
	}
}

// The counter counts an update of a row that follows on a refused one by the same call of a function, and no other.
func TestRepeatedUpdates(t *testing.T) {
	t.Parallel()
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Refuse") != "" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}`))
		}
	}))
	t.Cleanup(engine.Close)
	c := newCounter()
	t.Cleanup(func() { _ = c.close() })
	if err := c.leadTo(engine.URL); err != nil {
		t.Fatal(err)
	}
	rows := "statuses"
	c.rows.Store(&rows)
	update := func(table, row, trace string, refuse bool) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url(), strings.NewReader(`{"TableName":"`+table+`","Key":{"K":{"S":"`+row+`"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Amz-Target", "DynamoDB_20120810.UpdateItem")
		request.Header.Set("X-Amzn-Trace-Id", trace)
		if refuse {
			request.Header.Set("Refuse", "yes")
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	update("statuses", "a", "1", true)
	update("statuses", "a", "2", false) // another call
	update("statuses", "b", "1", false) // another row
	update("ledger", "a", "1", true)    // another table
	update("ledger", "a", "1", false)
	if got := c.take().RepeatedUpdates; got != 0 {
		t.Errorf("%d repeated updates, want none", got)
	}
	update("statuses", "a", "1", true)
	update("statuses", "a", "1", true)
	update("statuses", "a", "1", false)
	update("statuses", "a", "1", false)
	if seen := c.take(); seen.RepeatedUpdates != 2 || seen.Kinds["DynamoDB.UpdateItem"] != 4 || seen.WriteUnits["DynamoDB.UpdateItem"] != 2 {
		t.Errorf("got %+v, want 2 repeated of 4", seen)
	}
}

// A commit is checked out as it was, whatever the folder holds now.
func TestCheckOut(t *testing.T) {
	t.Parallel()
	project := local.Project{Root: t.TempDir()}
	git := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = project.Root
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(project.Root, "file"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "--quiet")
	write("old")
	git("add", "file")
	git("commit", "--quiet", "--message", "Old")
	commit := git("rev-parse", "HEAD")
	write("new")
	for range 2 {
		got, short, err := checkOut(t.Context(), project, commit)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(got.Root, "file"))
		if err != nil || string(raw) != "old" || !strings.HasPrefix(commit, short) {
			t.Errorf("got %q, %v as %s, want what %s has", raw, err, short, commit)
		}
	}
	if _, _, err := checkOut(t.Context(), project, "nothing"); err == nil || !strings.Contains(err.Error(), "BASE=nothing") {
		t.Errorf("got %v", err)
	}
}
