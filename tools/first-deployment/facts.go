package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/smithy-go"
)

// fact is a question and its answer.
type fact struct {
	what   string // a statement that should be true
	answer answer
	seen   string // by the check, or its error
	took   time.Duration
}

type answer string

// The answers. The program exits with 1 if there is any other than yes and lacks.
const (
	yes      answer = "yes"
	no       answer = "NO"
	lacks    answer = "the local engine lacks it"
	notAsked answer = "not asked"
)

// missing is the error of a feature that AWS has and the local engine may lack. On AWS the answer is NO.
type missing struct{ what string }

func (m missing) Error() string { return m.what }

// skipped is the error of a question that cannot be asked, with the reason.
type skipped struct{ why string }

func (s skipped) Error() string { return s.why }

// unknownCalls are the error codes of calls that a service does not know.
var unknownCalls = map[string]bool{
	"UnknownOperationException": true, "UnknownOperation": true, "InvalidAction": true, "NotImplemented": true,
}

// answerOf is the answer for an error.
func answerOf(err error, local bool) answer {
	var skip skipped
	var gap missing
	var api smithy.APIError
	switch {
	case err == nil:
		return yes
	case errors.As(err, &skip):
		return notAsked
	case local && (errors.As(err, &gap) || errors.As(err, &api) && unknownCalls[api.ErrorCode()]):
		return lacks
	}
	return no
}

func allGood(facts []fact) bool {
	for _, f := range facts {
		if f.answer == no || f.answer == notAsked {
			return false
		}
	}
	return true
}

// printFacts writes the table.
func printFacts(out io.Writer, facts []fact) {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FACT\tANSWER\tTIME\tSEEN")
	count := map[answer]int{}
	for _, f := range facts {
		count[f.answer]++
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.what, f.answer, f.took.Round(time.Second), oneLine(f.seen))
	}
	_ = w.Flush()
	fmt.Fprintf(out, "\n%d facts: %d yes, %d no, %d not asked", len(facts), count[yes], count[no], count[notAsked])
	if count[lacks] > 0 {
		fmt.Fprintf(out, ", %d that the local engine lacks", count[lacks])
	}
	fmt.Fprintln(out)
}

// oneLine shortens a text for the table. The whole text was printed when the question was asked.
func oneLine(text string) string {
	const most = 300
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return cmp.Or(text, "–")
}
