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

// fact is a question and what came of it.
type fact struct {
	what   string // a sentence that should be true
	answer answer
	seen   string // what was seen, or what went wrong
	took   time.Duration
}

type answer string

// The answers. Anything but yes and lacks makes the program end with 1.
const (
	yes      answer = "yes"
	no       answer = "NO"
	lacks    answer = "the local engine lacks it"
	notAsked answer = "not asked"
)

// missing is the error of something that AWS always has. On AWS the answer is NO; of the local engine, which has only
// part of what AWS has, the table says that it lacks it.
type missing struct{ what string }

func (m missing) Error() string { return m.what }

// skipped is the error of a question that cannot be asked, and says why.
type skipped struct{ why string }

func (s skipped) Error() string { return s.why }

// judge is the answer that an error stands for.
func judge(err error, local bool) answer {
	var skip skipped
	switch {
	case err == nil:
		return yes
	case errors.As(err, &skip):
		return notAsked
	case local && onlyMissing(err):
		return lacks
	}
	return no
}

// unknownCalls are the codes by which a service says that it does not know a call.
var unknownCalls = map[string]bool{
	"UnknownOperationException": true, "UnknownOperation": true, "InvalidAction": true, "NotImplemented": true,
}

// onlyMissing tells whether an error, and of joined errors every one, says that something is missing.
func onlyMissing(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			if !onlyMissing(one) {
				return false
			}
		}
		return true
	}
	var api smithy.APIError
	var gap missing
	return errors.As(err, &gap) || errors.As(err, &api) && unknownCalls[api.ErrorCode()]
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

// oneLine shortens a text for the table; the whole of it was printed when it was seen.
func oneLine(text string) string {
	const most = 300
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return cmp.Or(text, "–")
}
