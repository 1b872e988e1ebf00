package main

import (
	"context"
	"fmt"
	"io"
)

// typed returns what reading the standard input comes to or, if the context ends first, an error: nothing can interrupt the
// reading itself, which waits for somebody who types.
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
