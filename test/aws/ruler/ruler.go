// Package ruler runs event-ruler, the matcher of EventBridge and its pipes.
package ruler

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"snapshot-status-checker/test/aws/internal/java"
)

// Match returns for each event, in their order, whether it matches each of the patterns, in theirs.
// It returns an error if event-ruler refuses a pattern, fails on an event or is not installed.
func Match(patterns []string, events []json.RawMessage) ([][]bool, error) {
	program, err := java.Start("ruler", "Ruler")
	if err != nil {
		return nil, err
	}
	matched, err := match(program, patterns, events)
	if stopped := program.Stop(); stopped != nil {
		return nil, errors.Join(err, stopped)
	}
	return matched, err
}

func match(program *java.Program, patterns []string, events []json.RawMessage) ([][]bool, error) {
	list, err := json.Marshal(patterns)
	if err != nil {
		return nil, fmt.Errorf("asking event-ruler: %w", err)
	}
	written := make(chan error, 1)
	go func() {
		in := bufio.NewWriter(program.In)
		fmt.Fprintf(in, "%s\n", list)
		for _, event := range events {
			fmt.Fprintf(in, "%s\n", event)
		}
		written <- errors.Join(in.Flush(), program.In.Close())
	}()
	answer, err := program.Out.ReadString('\n')
	if err == nil && answer != "ok\n" {
		err = errors.New(strings.TrimSpace(answer))
	}
	matched := make([][]bool, 0, len(events))
	for err == nil && len(matched) < len(events) {
		if answer, err = program.Out.ReadString('\n'); err == nil {
			of := make([]bool, len(patterns))
			for i := range of {
				of[i] = answer[i] == '1'
			}
			matched = append(matched, of)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("event-ruler: %w", err)
	}
	return matched, <-written
}
