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

// Execution is one execution to run. Without Answers its tasks are called in the emulators that RunLive is given.
type Execution struct {
	About   string            `json:"-"` // for the test
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

// RunLive runs the executions like Run, one at a time for each set of emulators: addresses of Lambda's emulators by the
// placeholder of their function.
func RunLive(workflowType string, executions []Execution, emulators []map[string]string) (Results, error) {
	return run(workflowType, map[string]any{"executions": executions, "emulators": emulators})
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
