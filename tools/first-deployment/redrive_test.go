package main

import (
	"errors"
	"testing"

	"github.com/aws/smithy-go"
)

func TestDenied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		seen   string
		denied bool
	}{
		"denied": {&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "explicit deny"},
			"explicit deny", true},
		"started":     {nil, "", false},
		"another":     {&smithy.GenericAPIError{Code: "ResourceNotFoundException"}, "", false},
		"unknown":     {&smithy.GenericAPIError{Code: "InvalidAction"}, "", false},
		"not reached": {errors.New("no connection"), "", false},
	} {
		if seen, err := denied(c.err); seen != c.seen || (err == nil) != c.denied {
			t.Errorf("%s: %q, %v", name, seen, err)
		}
	}
}
