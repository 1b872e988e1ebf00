package main

import (
	"strings"
	"testing"
)

func TestRunReportsTheResult(t *testing.T) {
	t.Parallel()
	seed := uint64(0)
	for name, test := range map[string]struct {
		command   command
		code      int
		out, errs string // contained in the output
	}{
		"all guarantees held": {command{Seeds: 20}, 0, "20 schedules", ""},
		"one seed":            {command{Seed: &seed}, 0, "seed 0: all guarantees held over 127 calls", ""},
		"a schedule fails": {command{Seeds: 1000, From: 7, Mutation: "receipts before a count"}, 1,
			"broke a guarantee: a message", ""},
		"one seed fails":        {command{Seed: &seed, Mutation: "receipts before a count"}, 1, "VIOLATION: ", ""},
		"unknown mutation":      {command{Seeds: 20, Mutation: "none"}, 2, "", `removes the guard "none"`},
		"list of the mutations": {command{Mutations: true}, 0, "floor of a count\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs strings.Builder
			test.command.out, test.command.err = &out, &errs
			if code := test.command.run(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(out.String(), test.out) || !strings.Contains(errs.String(), test.errs) {
				t.Errorf("printed %q and %q, want %q and %q", out.String(), errs.String(), test.out, test.errs)
			}
			if (test.out == "") != (out.Len() == 0) || (test.errs == "") != (errs.Len() == 0) {
				t.Errorf("printed %d bytes to the output and %d to the errors", out.Len(), errs.Len())
			}
		})
	}
}
