// Package strict runs executions of the definition as strictly as Step Functions, with its version of JSONata. The
// interpreter is strict.js. Tasks give the answers of the test.
package strict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"

	"snapshot-status-checker/local"
	"snapshot-status-checker/statemachine"
)

// SendMessage is the task that sends a message to a queue, among Answers.
const SendMessage = "sendMessage"

// Execution is one execution to run. Without Answers its tasks are asked of the server that RunLive is given.
type Execution struct {
	ID      string            `json:"id"`
	Input   json.RawMessage   `json:"input"`
	Answers map[string]Answer `json:"answers,omitempty"` // by the function's placeholder in the definition
}

// Answer is what a function answers each of its calls: its payload, or an error with a cause or without one.
type Answer struct {
	Payload any     `json:"payload"`
	Error   string  `json:"error,omitempty"`
	Cause   *string `json:"cause,omitempty"`
}

// End is how an execution ended.
type End struct {
	Status string    `json:"status"` // SUCCEEDED or FAILED
	Error  string    `json:"error"`
	Cause  string    `json:"cause"`
	States []string  `json:"states"` // entered, in order
	Events int       `json:"events"` // of its history
	Faults []string  `json:"faults"` // errors that the definition itself made, caught ones included
	Sent   []Message `json:"sent"`
}

// Message is what the execution sent to a queue.
type Message struct {
	Body     string `json:"body"`
	Identity string `json:"identity"`
}

// Results are the ends of executions, in their order, and how often each expression of the definition was evaluated.
type Results struct {
	Ends        []End          `json:"ends"`
	Evaluations map[string]int `json:"evaluations"`
}

var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

// Run runs the executions, one after the other, with the definition of this workflow type. It returns an error if node
// or jsonata is not installed, or if the definition uses what the interpreter does not know.
func Run(workflowType string, executions []Execution) (Results, error) {
	return run(workflowType, map[string]any{"executions": executions})
}

// RunLive runs the executions like Run, a number of them concurrently. A server at this address does their functions'
// calls: it is posted the name of a function's placeholder as the path and the payload as the body, and answers with
// the function's payload, or with status 500 and an Answer that has an error.
func RunLive(workflowType string, executions []Execution, address string, concurrently int) (Results, error) {
	return run(workflowType,
		map[string]any{"executions": executions, "address": address, "concurrently": concurrently})
}

func run(workflowType string, request map[string]any) (Results, error) {
	project, err := local.FindProject()
	if err != nil {
		return Results{}, err
	}
	definition := placeholder.ReplaceAllStringFunc(statemachine.Definition, func(found string) string {
		switch name := placeholder.FindStringSubmatch(found)[1]; name {
		case "Partition":
			return "aws"
		case "WorkflowType":
			return workflowType
		default:
			return name
		}
	})
	request["definition"] = json.RawMessage(definition)
	asked, err := json.Marshal(request)
	if err != nil {
		return Results{}, fmt.Errorf("running executions: %w", err)
	}
	cmd := exec.Command("node", filepath.Join(project.Root, "test", "aws", "strict", "run.js"))
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(asked), &stderr
	answered, err := cmd.Output()
	if err != nil {
		return Results{}, fmt.Errorf("running executions with node (make test-aws installs the rest): %w\n%s", err,
			&stderr)
	}
	var results Results
	if err := json.Unmarshal(answered, &results); err != nil {
		return Results{}, fmt.Errorf("reading how executions ended: %w", err)
	}
	return results, nil
}
