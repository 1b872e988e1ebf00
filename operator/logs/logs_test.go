package logs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/operator/logs"
	"snapshot-status-checker/operator/operatortest"
)

// answer is what FilterLogEvents answers to a call that asks for a token and a start time.
type answer struct {
	token     string
	from      int64
	events    []types.FilteredLogEvent
	nextToken string
}

// service is a CloudWatch Logs with these answers. It collects the patterns of the calls.
func service(answers ...answer) (client *logs.Client, patterns *[]string) {
	patterns = &[]string{}
	return logs.New(operatortest.AWS(func(_ context.Context, called any) (any, error) {
		in := called.(*cloudwatchlogs.FilterLogEventsInput)
		*patterns = append(*patterns, aws.ToString(in.FilterPattern))
		for _, a := range answers {
			if *in.LogGroupName == "group" && aws.ToString(in.NextToken) == a.token && *in.StartTime == a.from {
				out := &cloudwatchlogs.FilterLogEventsOutput{Events: a.events}
				if a.nextToken != "" {
					out.NextToken = &a.nextToken
				}
				return out, nil
			}
		}
		return nil, &types.ResourceNotFoundException{}
	})), patterns
}

func lines(from, to int, at int64) (all []types.FilteredLogEvent) {
	for i := from; i < to; i++ {
		all = append(all, types.FilteredLogEvent{Message: aws.String(fmt.Sprintf("line %d", i)), Timestamp: &at})
	}
	return all
}

func TestOfRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []answer
		lines   int
		err     string
	}{
		"pages, one of them empty, and a line that came twice": {answers: []answer{
			{"", 5000, lines(0, 3, 5001), "1"}, {"1", 5000, nil, "2"}, {"2", 5000, lines(2, 5, 5002), ""}}, lines: 5},
		"a full page without a token": {answers: []answer{{"", 5000, lines(0, 10_000, 5001), ""},
			{"", 5001, lines(9_990, 10_007, 5002), ""}}, lines: 10_007},
		"no group": {err: "log group group: there is no such log group"},
		"too many at a moment": {answers: []answer{{"", 5000, lines(0, 10_000, 5000), ""}},
			lines: 10_000, err: "more than 10000 lines at one moment"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := service(c.answers...)
			got := map[string]int{}
			err := logs.OfRun(t.Context(), client, "group", "run", time.UnixMilli(5000),
				func(line []byte) { got[string(line)]++ })
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			passed := 0
			for _, n := range got {
				passed += n
			}
			if len(got) != c.lines || passed != c.lines {
				t.Errorf("%d lines were passed %d times, want %d, once each", len(got), passed, c.lines)
			}
		})
	}
}

// The pattern selects the run's lines; for an id that a pattern cannot have, there is none.
func TestPattern(t *testing.T) {
	t.Parallel()
	for run, want := range map[string]string{
		"run-1_A.b:c/d@e+f=g h#1": `{ ($.correlation_id = "run-1_A.b:c/d@e+f=g h#1") && ($.message != "metrics") }`,
		`a"b`:                     "", `a\b`: "", "a*b": "", "a%b%": "", "é": "", "a\nb": "",
		strings.Repeat("x", 1000): "",
	} {
		client, patterns := service(answer{})
		if err := logs.OfRun(t.Context(), client, "group", run, time.Time{}, func([]byte) {}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{want}, *patterns); diff != "" {
			t.Error(diff)
		}
	}
}
