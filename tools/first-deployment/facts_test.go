package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
)

func TestAnswerOf(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	gap := missing{"no data"}
	unknown := fmt.Errorf("asking: %w", &smithy.GenericAPIError{Code: "UnknownOperationException"})
	refused := &smithy.GenericAPIError{Code: "AccessDeniedException"}
	for name, test := range map[string]struct {
		err       error
		aws, here answer
	}{
		"nothing":                      {nil, yes, yes},
		"an error":                     {broken, no, no},
		"something missing":            {fmt.Errorf("asking: %w", gap), no, lacks},
		"an unknown call":              {unknown, no, lacks},
		"a refused call":               {refused, no, no},
		"a question that is not asked": {skipped{"interrupted"}, notAsked, notAsked},
	} {
		if onAWS, onEngine := answerOf(test.err, false), answerOf(test.err, true); onAWS != test.aws ||
			onEngine != test.here {
			t.Errorf("%s: %s on AWS and %s on the local engine, want %s and %s", name, onAWS, onEngine, test.aws,
				test.here)
		}
	}
}

func TestAllGoodRefusesNoAndNotAsked(t *testing.T) {
	t.Parallel()
	for one, want := range map[answer]bool{yes: true, lacks: true, no: false, notAsked: false} {
		if got := allGood([]fact{{answer: yes}, {answer: one}}); got != want {
			t.Errorf("all is good with %q: %v", one, got)
		}
	}
}

func TestPrintFactsIsATable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	printFacts(&out, []fact{
		{what: "one", answer: yes, seen: "two\n  lines", took: 61 * time.Second},
		{what: "two", answer: no, seen: strings.Repeat("ö", 300)},
		{what: "three", answer: notAsked},
	})
	want := `
FACT   ANSWER     TIME  SEEN
one    yes        1m1s  two lines
two    NO         0s    ` + strings.Repeat("ö", 150) + ` …
three  not asked  0s    –

3 facts: 1 yes, 1 no, 1 not asked
`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	refused := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "explicit deny"}
	if seen, err := denied(refused); err != nil || seen != "explicit deny" {
		t.Errorf("a denied call: %q, %v", seen, err)
	}
	for _, err := range []error{nil, errors.New("no connection"), &smithy.GenericAPIError{Code: "InvalidAction"}} {
		if seen, got := denied(err); got == nil {
			t.Errorf("%v: denied with %q", err, seen)
		}
	}
}
