//go:build testaws

package aws_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/statemachine"
	"snapshot-status-checker/statemachine/paths"
	"snapshot-status-checker/test/aws/internal/compared"
	"snapshot-status-checker/test/aws/strict"
)

const (
	standard = "STANDARD"
	express  = "EXPRESS"

	// maxEvents is the most that an execution's history holds:
	// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
	maxEvents = 25_000
	maxBatch  = 100 // messages that the pipe delivers together, and collections that the sweep asks for at once
)

// execution is one of ours, with what it is for.
type execution struct {
	about string
	strict.Execution
}

func start(about, input string, answers map[string]strict.Answer) execution {
	return execution{about, strict.Execution{
		ID:    "arn:aws:states:eu-west-1:111122223333:execution:status-checker:3e1bd5b6-2f6d-4b2f-9a0e-1c8c3b5a0f01",
		Input: json.RawMessage(input), Answers: answers,
	}}
}

// known are beginnings of the faults that the definition still has with odd inputs: to be mended there, and then taken
// off this list.
var known = []string{}

// run runs the executions and fails the test for every fault of the definition: an expression that returns nothing, a
// state that holds too much, a message that SQS refuses, a history that is too long.
func run(t *testing.T, workflowType string, executions []execution) (ends []strict.End, evaluations map[string]int) {
	t.Helper()
	var plain []strict.Execution
	for _, e := range executions {
		plain = append(plain, e.Execution)
	}
	results, err := strict.Run(workflowType, plain)
	if err != nil {
		t.Fatal(err)
	}
	faults := map[string]string{}
	events, total := 0, 0
	for i, end := range results.Ends {
		for _, fault := range end.Faults {
			if _, ok := faults[fault]; !ok {
				faults[fault] = executions[i].about
			}
		}
		if events = max(events, end.Events); end.Events > maxEvents {
			t.Errorf("%s: a history of %d events", executions[i].about, end.Events)
		}
	}
	for fault, about := range faults {
		if !slices.ContainsFunc(known, func(start string) bool { return strings.HasPrefix(fault, start) }) {
			t.Errorf("%s: %s: %s", workflowType, fault, about)
		}
	}
	for _, times := range results.Evaluations {
		total += times
	}
	compared.Report(t, "strict interpreter, %s, %s: %d executions, %d evaluations of %d expressions, %d events at most",
		t.Name(), workflowType, len(executions), total, len(results.Evaluations), events)
	return results.Ends, results.Evaluations
}

// TestPaths runs the event of each path with every combination of answers. One of them takes the path: so it exists
// under strict rules too. No combination shows a fault, and all of them together evaluate every expression.
func TestPaths(t *testing.T) {
	t.Parallel()
	var executions []execution
	var of []paths.Path
	for _, path := range paths.Table {
		for _, combination := range combinations() {
			executions = append(executions, start(path.Name, path.Event("run-1"), combination))
			of = append(of, path)
		}
	}
	ends, evaluations := run(t, standard, executions)
	taken := map[string]bool{}
	for i, end := range ends {
		if slices.Equal(end.States, of[i].States) && (end.Status == "FAILED") == of[i].Fails {
			taken[of[i].Name] = true
		}
	}
	for _, path := range paths.Table {
		if !taken[path.Name] {
			t.Errorf("%s: no answers lead through %q", path.Name, path.States)
		}
	}
	for expression, times := range evaluations {
		if times == 0 {
			t.Errorf("no path evaluates %s", expression)
		}
	}
}

// combinations are every choice of one answer for each function.
func combinations() []map[string]strict.Answer {
	all := []map[string]strict.Answer{{}}
	for function, choices := range answers {
		var longer []map[string]strict.Answer
		for _, combination := range all {
			for _, answer := range choices {
				with := map[string]strict.Answer{function: answer}
				for other, its := range combination {
					with[other] = its
				}
				longer = append(longer, with)
			}
		}
		all = longer
	}
	return all
}

// oddInputs are what a person, or a queue that others write to, may start an execution with.
var oddInputs = []string{
	`""`, `null`, `7`, `true`, `false`, `"text"`, `{}`, `[]`, `[null]`, `[1]`, `["x"]`, `[[]]`, `[[1]]`,
	`[[1, 2], [3]]`,
	`[{}]`, `[[{}]]`, `{"correlation_id": "r"}`, `{"Records": []}`, `{"Records": [{"body": "x"}]}`,
	`[{"eventSource": "aws:sqs"}]`, `{"eventSource": "aws:sqs"}`, `[{"eventSource": "other", "body": "{}"}]`,
	delivered(`"messageId":"", "body":"x"`, `"messageId":null, "body":"x"`, `"messageId":7, "body":"x"`),
	delivered(`"messageId":"m", "body":""`, `"messageId":"m", "body":null`, `"messageId":"m", "body":{"a":[1]}`,
		`"messageId":"m", "body":7`, `"messageId":"m", "body":[1]`, `"messageId":"m"`),
	`{"look": []}`, `{"look": [{"correlation_id": "r", "collection_name": "c"}]}`, `{"look": {}}`, `{"look": null}`,
	`{"look": "x"}`, `{"look": [1]}`, `{"look": [null]}`, `{"look": [{}]}`, `{"look": [[{"correlation_id": "r"}]]}`,
	`[{"eventSource": "aws:dynamodb"}]`, `[{"eventSource": "aws:dynamodb", "dynamodb": null}]`,
	`[{"eventSource": "aws:dynamodb", "dynamodb": {}}, {"eventSource": "aws:sqs"}]`,
}

// delivered is what a pipe delivers of messages of a queue.
func delivered(messages ...string) string {
	for i, message := range messages {
		messages[i] = `{"eventSource":"aws:sqs", ` + message + `}`
	}
	return "[" + strings.Join(messages, ",") + "]"
}

// Whatever an execution is started with, and however counting fails, it ends without a fault of the definition.
func TestOddInputs(t *testing.T) {
	t.Parallel()
	for _, workflowType := range []string{standard, express} {
		var executions []execution
		for _, input := range oddInputs {
			for _, failure := range append(failures, counts(2)) {
				executions = append(executions, start(input, input, map[string]strict.Answer{
					incrementFunction: failure, checkCollectionFunction: fails("Malformed", "x")}))
			}
		}
		ends, _ := run(t, workflowType, executions)
		for _, start := range known {
			if !slices.ContainsFunc(ends, func(end strict.End) bool {
				return slices.ContainsFunc(end.Faults, func(fault string) bool {
					return strings.HasPrefix(fault,
						start)
				})
			}) {
				t.Errorf("%s: the definition has no such fault any more, take it off the list: %s", workflowType, start)
			}
		}
	}
}

// If counting fails for good, each message of a batch is kept in the rejected-messages queue, or with EXPRESS left to
// the queue that it came from.
func TestUncountedMessagesAreKept(t *testing.T) {
	t.Parallel()
	input := delivered(`"messageId":"1","body":"a"`, `"messageId":"2","body":"b"`)
	for workflowType, want := range map[string][]strict.Message{
		standard: {{Body: "a", Identity: "1"}, {Body: "b", Identity: "2"}},
		express:  nil,
	} {
		var executions []execution
		for _, failure := range failures {
			if failure.Error != "States.DataLimitExceeded" {
				executions = append(executions,
					start(failure.Error, input, map[string]strict.Answer{incrementFunction: failure}))
			}
		}
		ends, _ := run(t, workflowType, executions)
		for i, end := range ends {
			if end.Status != "FAILED" || !slices.Equal(end.Sent, want) {
				t.Errorf("%s, %s: ended as %s and kept %v", workflowType, executions[i].about, end.Status, end.Sent)
			}
		}
	}
}

// The largest messages that the stack's own queue takes fit into an execution, to be counted and to be kept; and the
// histories of the largest batches have not too many events.
func TestLargestBatches(t *testing.T) {
	t.Parallel()
	longest := map[string]strict.Answer{
		incrementFunction: counts(maxBatch), notifyFunction: fails("Unavailable", "x"),
		checkCollectionFunction: answers[checkCollectionFunction][2], checkAllFunction: answers[checkAllFunction][2],
	}
	uncountable := map[string]strict.Answer{incrementFunction: fails("Unavailable", strings.Repeat("c", 40_000))}
	var executions []execution
	for _, batch := range []struct {
		messages int
		filling  string
	}{{1, `"`}, {10, `"`}, {largestEscaped, `"`}, {maxBatch, "x"}} {
		body, err := json.Marshal(strings.Repeat(batch.filling, statemachine.MaxMessageBytes(batch.messages)))
		if err != nil {
			t.Fatal(err)
		}
		var messages []string
		for i := range batch.messages {
			around := fmt.Sprintf(`"messageId":"%036d","receiptHandle":%q`, i, strings.Repeat("r", 1400))
			messages = append(messages, around+`,"body":`+string(body))
		}
		input := delivered(messages...)
		about := fmt.Sprintf("%d messages of %s", batch.messages, batch.filling)
		executions = append(executions,
			start(about+", counted", input, longest), start(about+", not counted", input, uncountable))
	}
	run(t, standard, executions)
}

// largestEscaped is how many messages of 1,024 bytes, the least that SQS lets a queue's limit be, fit into an execution
// if JSON writes every byte as two.
const largestEscaped = 72
