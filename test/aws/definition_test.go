//go:build testaws

package aws_test

import (
	"encoding/json"
	"fmt"
	"maps"
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
	maxBatch  = 100 // messages of a batch, and collections of a request of the sweep
)

func start(about, input string, answers map[string]strict.Answer) strict.Execution {
	return strict.Execution{About: about, Input: json.RawMessage(input), Answers: answers,
		ID: "arn:aws:states:eu-west-1:111122223333:execution:status-checker:3e1bd5b6-2f6d-4b2f-9a0e-1c8c3b5a0f01"}
}

// run runs the executions and fails the test for every fault of the definition: an expression without a result, a state
// that is too large, a message that SQS refuses, a history that is too long.
func run(
	t *testing.T, workflowType string, executions []strict.Execution,
) (ends []strict.End, evaluations map[string]int) {
	t.Helper()
	results, err := strict.Run(workflowType, executions)
	if err != nil {
		t.Fatal(err)
	}
	faults := map[string]bool{}
	events, total := 0, 0
	for i, end := range results.Ends {
		for _, fault := range end.Faults {
			if !faults[fault] { // once
				t.Errorf("%s: %s: %s", workflowType, fault, executions[i].About)
			}
			faults[fault] = true
		}
		if events = max(events, end.Events); end.Events > maxEvents {
			t.Errorf("%s: a history of %d events", executions[i].About, end.Events)
		}
	}
	for _, times := range results.Evaluations {
		total += times
	}
	compared.Report(t, "strict interpreter, %s, %s: %d executions, %d evaluations of %d expressions, %d events at most",
		t.Name(), workflowType, len(executions), total, len(results.Evaluations), events)
	return results.Ends, results.Evaluations
}

// Each path's event runs with every combination of answers. One combination takes the path, none shows a fault, and
// together they evaluate every expression.
func TestPathsExistUnderStrictRules(t *testing.T) {
	t.Parallel()
	var executions []strict.Execution
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
				with := maps.Clone(combination)
				with[function] = answer
				longer = append(longer, with)
			}
		}
		all = longer
	}
	return all
}

// oddInputs are inputs of a person, or of a queue with other writers.
var oddInputs = []string{
	`""`, `null`, `7`, `true`, `"text"`, `{}`, `[]`, `[null]`, `["x"]`, `[[]]`, `[[1, 2], [3]]`, `[{}]`, `[[{}]]`,
	`{"correlation_id": "r"}`, `{"Records": []}`, `{"Records": [{"body": "x"}]}`,
	`[{"eventSource": "aws:sqs"}]`, `{"eventSource": "aws:sqs"}`, `[{"eventSource": "other", "body": "{}"}]`,
	delivered(`"messageId":"", "body":"x"`, `"messageId":null, "body":"x"`, `"messageId":7, "body":"x"`),
	delivered(`"messageId":"m", "body":""`, `"messageId":"m", "body":null`, `"messageId":"m", "body":{"a":[1]}`,
		`"messageId":"m", "body":7`, `"messageId":"m", "body":[1]`, `"messageId":"m"`),
	`{"reconcile": [{"correlation_id": "r", "collection_name": "c"}]}`, `{"reconcile": {}}`, `{"reconcile": null}`,
	`{"reconcile": [null]}`, `{"reconcile": [[{"correlation_id": "r"}]]}`,
	`[{"eventSource": "aws:dynamodb", "dynamodb": null}]`,
	`[{"eventSource": "aws:dynamodb", "dynamodb": {}}, {"eventSource": "aws:sqs"}]`,
}

// delivered is a batch as a pipe delivers it.
func delivered(messages ...string) string {
	for i, message := range messages {
		messages[i] = `{"eventSource":"aws:sqs", ` + message + `}`
	}
	return "[" + strings.Join(messages, ",") + "]"
}

func TestOddInputsShowNoFault(t *testing.T) {
	t.Parallel()
	for _, workflowType := range []string{standard, express} {
		var executions []strict.Execution
		for _, input := range oddInputs {
			for _, failure := range append(failures, counts(2)) {
				executions = append(executions, start(input, input, map[string]strict.Answer{
					incrementFunction: failure, checkCollectionFunction: fails("Malformed", "x")}))
			}
		}
		run(t, workflowType, executions)
	}
}

// When the retries are used up, STANDARD rejects each message of a batch. EXPRESS leaves them to their queue.
func TestUncountedMessagesAreRejected(t *testing.T) {
	t.Parallel()
	input := delivered(`"messageId":"1","body":"a"`, `"messageId":"2","body":"b"`)
	for workflowType, want := range map[string][]strict.Message{
		standard: {{Body: "a", Identity: "1"}, {Body: "b", Identity: "2"}},
		express:  nil,
	} {
		var executions []strict.Execution
		for _, failure := range failures {
			if failure.Error != "States.DataLimitExceeded" {
				executions = append(executions,
					start(failure.Error, input, map[string]strict.Answer{incrementFunction: failure}))
			}
		}
		ends, _ := run(t, workflowType, executions)
		for i, end := range ends {
			if end.Status != "FAILED" || !slices.Equal(end.Sent, want) {
				t.Errorf("%s, %s: ended as %s and rejected %v", workflowType, executions[i].About, end.Status, end.Sent)
			}
		}
	}
}

// The largest messages that the stack's queue takes fit into an execution, whether it counts or rejects them. Histories
// of the largest batches stay within the limit.
func TestLargestBatchesFit(t *testing.T) {
	t.Parallel()
	longest := map[string]strict.Answer{
		incrementFunction: counts(maxBatch), notifyFunction: fails("Unavailable", "x"),
		checkCollectionFunction: answers[checkCollectionFunction][2], checkAllFunction: answers[checkAllFunction][2],
	}
	uncountable := map[string]strict.Answer{incrementFunction: fails("Unavailable", strings.Repeat("c", 40_000))}
	var executions []strict.Execution
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

// largestEscaped is how many messages of 1,024 bytes, the smallest limit of a queue, fit into an execution if JSON
// escapes every byte.
const largestEscaped = 72
