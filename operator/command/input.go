package command

import (
	"context"
	"fmt"
	"io"
	"os"

	"snapshot-status-checker/operator/visible"
)

// typed returns the result of reading the standard input or, if the context ends first, an error. The read itself cannot
// be interrupted.
func typed[T any](ctx context.Context, in io.Reader, read func(io.Reader) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read(in)
		done <- result{value, err}
	}()
	select {
	case <-ctx.Done():
		var nothing T
		return nothing, fmt.Errorf("reading standard input: %w", context.Cause(ctx))
	case read := <-done:
		return read.value, read.err
	}
}

// inputFile is a file that the user names, - for the standard input.
type inputFile string

// read reads all of it as text (see decode). An error says which file it is about.
func (f inputFile) read(a *app) (string, error) {
	var raw []byte
	var err error
	name := "standard input"
	if f == "-" {
		raw, err = typed(a, a.in, io.ReadAll)
	} else {
		name = visible.Text(string(f))
		raw, err = os.ReadFile(string(f))
	}
	if err != nil {
		return "", err
	}
	text, err := decode(raw)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return text, nil
}
