package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/price"
	"snapshot-status-checker/local"
)

// Small runs through the baseline and the deployed stack: the counter sees exactly the calls that are necessary, and
// every figure is there. No time is checked.
func TestMeasure(t *testing.T) {
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{project: project, log: t.Output(), results: results{Size: Size{Files: 20, Rounds: 1}}}
	for _, kind := range kinds[:2] {
		if err := s.measureKind(t.Context(), kind, []version{{project: project}}); err != nil {
			t.Fatal(err)
		}
	}
	one, _ := s.run("", baseline, 1)
	// Of a collection of 20 files: an update for each file, and two moves, each with a read of the run; the row is read
	// when the _success file comes. 21 messages are received, deleted and processed, and a request is sent.
	want := calls{ReadUnits: 3, WriteUnits: 22, Services: map[string]int{
		dynamoService: 20 + 2*2 + 1, queueService: 21 + 21 + 1, topicService: 2, "Lambda": 21}}
	if diff := cmp.Diff(want, one.Calls); diff != "" {
		t.Errorf("calls of the baseline (-want +got)\n%s", diff)
	}
	stack, _ := s.run("", "Standard", 1)
	if executions := stack.Calls.Services[statesService]; executions < 21 || stack.States < 2*executions ||
		stack.Calls.Services["Lambda"] < executions || stack.Calls.Payloads < float64(executions) {
		t.Errorf("%d executions of 21 messages, %d states, %+v", executions, stack.States, stack.Calls)
	}
	if written, entered := stack.Calls.WriteUnits, stack.Usage[price.StateTransition]; written < 3*20 || entered < 2e6 {
		t.Errorf("%g units written of 20 files, %g transitions of a million", written, entered)
	}
	for _, m := range s.present() {
		for _, f := range figures {
			if f.of(m) <= 0 && !strings.Contains(f.head, "CPU") && (m.Kind != baseline || f.head != "states/file") {
				t.Errorf("%s: %g %s", m.name(), f.of(m), f.head)
			}
		}
	}
	if len(s.Functions) != 6 {
		t.Errorf("%d functions, want the baseline's and the stack's 5", len(s.Functions))
	}
	for _, f := range s.Functions {
		if f.Start <= 0 || f.StartCPU <= 0 || f.Size < 1<<20 || f.Task != "sweep" && f.Memory < 1<<20 {
			t.Errorf("%+v", f)
		}
	}
}

// The files of ten collections are mixed at a time.
func TestNewRun(t *testing.T) {
	t.Parallel()
	r := newRun("run", 2500)
	if len(r.Collections) != 25 || len(r.messages) != 2500 {
		t.Fatalf("%d messages of %d collections", len(r.messages), len(r.Collections))
	}
	for i, c := range r.Collections {
		ten, n := i/mixed*mixed*perCollection, 0
		for _, message := range r.messages[ten:min(ten+mixed*perCollection, 2500)] {
			n += strings.Count(message.Text, `"collection_name":"`+c.Name+`"`)
		}
		if n != c.Files {
			t.Errorf("%d of %s among those of its ten, want %d", n, c.Name, c.Files)
		}
	}
}

// STANDARD is billed by states, EXPRESS by executions and their time.
func TestUsage(t *testing.T) {
	t.Parallel()
	c := calls{Services: map[string]int{statesService: 2}, Payloads: 2}
	for kind, want := range map[string]price.Usage{
		"Standard": {price.StateTransition: 4, price.PipesRequest: 2},
		"Express":  {price.ExpressRequest: 2, price.ExpressGBSecond: 2 * 0.1 * 64 / 1024, price.PipesRequest: 2},
	} {
		if got := (&system{kind: kind}).usage(c, 4, invocations{seconds: 0.1}); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}

// Of several measurements the fastest is kept, and each table says what was divided by what.
func TestTables(t *testing.T) {
	t.Parallel()
	add := func(r *results, version, kind string, batch int, seconds float64) {
		r.keep(measured{Version: version, Kind: kind, Batch: batch, Files: 100, Seconds: seconds,
			Calls: calls{Services: map[string]int{dynamoService: 300, "Lambda": 100}},
			Usage: price.Usage{price.LambdaRequest: 10e6}})
	}
	r := results{Base: "abc1234", Functions: []function{{Task: "notify", Size: 3 << 20, Memory: 5 << 20},
		{Version: "abc1234", Task: "notify"}}}
	add(&r, "", baseline, 1, 10)
	add(&r, "abc1234", "Standard", 1, 50)
	add(&r, "", "Standard", 1, 30)
	add(&r, "", "Standard", 1, 20)
	add(&r, "", "Standard", 1, 40)
	for name, test := range map[string]struct {
		table string
		want  []string // lines, with one space where there are several
	}{
		"Runs": {r.runTable(), []string{
			"| baseline 1 | 10.0 | 0 | 0 | 4.00 | 3.00 | 0 | 0 | 0 | 2.00 |",
			"| Standard 1 | 5.00 | 0 | 0 | 4.00 | 3.00 | 0 | 0 | 0 | 2.00 |"}},
		"Comparison": {r.comparison(), []string{
			"| Standard 1 | baseline 1 | 0.50 × | - | - | 1.00 × | 1.00 × | - | - | - | 1.00 × |",
			"| Standard 1 | abc1234 | 2.50 × | - | - | 1.00 × | 1.00 × | - | - | - | 1.00 × |"}},
		"Results": {compareResults(results{Taken: time.Unix(0, 0).UTC(), Runs: r.Runs[2:]}, r), []string{
			"| Standard 1 | 1970-01-01 00:00 | 1.00 × | - | - | 1.00 × | 1.00 × | - | - | - | 1.00 × |"}},
		"Functions": {r.functionTable(), []string{"| notify | 0 | 0 | 3.00 | 5.00 |",
			"| notify of abc1234 | 0 | 0 | 0 | - |"}},
		"Prices": {r.priceTable(), []string{
			"| baseline 1 | 2.00 | 1.00 × | 0.00 | 0.00 | 2.00 | 0.00 | 0.00 | 0.00 | 0.00 |",
			"| Standard 1 | 2.00 | 1.00 × | 0.00 | 0.00 | 2.00 | 0.00 | 0.00 | 0.00 | 0.00 |"}},
	} {
		var got []string
		for line := range strings.Lines(test.table) {
			got = append(got, strings.Join(strings.Fields(line), " "))
		}
		if diff := cmp.Diff(test.want, got[2:]); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	if page := r.page(); !strings.Contains(page, r.runTable()) || !strings.Contains(page, "\n\n"+r.comparison()+"\n") ||
		!strings.Contains(page, "\n\n"+r.functionTable()+"\n") || strings.Contains(page, "{{") {
		t.Errorf("the page lacks a table:\n%s", page)
	}
}

// What was saved is read by its name in build/bench, with or without its ending, or by its path.
func TestReadResults(t *testing.T) {
	t.Parallel()
	project, want := local.Project{Root: t.TempDir()}, results{Runs: []measured{{Kind: "Standard", Batch: 10}}}
	if err := want.save(resultsFile(project, "a")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "a.json", resultsFile(project, "a")} {
		got, err := readResults(project, name)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

func TestStartSaysWhatTheProgramWrote(t *testing.T) {
	if _, err := startOnce(t.Context(), "/bin/mkdir", nil); !strings.Contains(fmt.Sprint(err), "missing operand") {
		t.Errorf("got %v", err)
	}
}
