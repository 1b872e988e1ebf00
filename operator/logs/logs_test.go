package logs_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/operator/logs"
)

// answer is what FilterLogEvents answers to a call that asks for a token and a start time.
type answer struct {
	token     string
	from      int64
	events    []event
	nextToken string
}

type event struct {
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"`
}

// service is a CloudWatch Logs with these answers. It collects the patterns of the calls.
func service(t *testing.T, answers ...answer) (client *logs.Client, patterns *[]string) {
	patterns = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			FilterPattern, LogGroupName, NextToken string
			StartTime                              int64
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		*patterns = append(*patterns, in.FilterPattern)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		for _, a := range answers {
			if in.LogGroupName == "group" && in.NextToken == a.token && in.StartTime == a.from {
				out := map[string]any{"events": a.events}
				if a.nextToken != "" {
					out["nextToken"] = a.nextToken
				}
				_ = json.NewEncoder(w).Encode(out)
				return
			}
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"ResourceNotFoundException","message":"none"}`))
	}))
	t.Cleanup(server.Close)
	return logs.New(aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL,
		Credentials: aws.AnonymousCredentials{}}), patterns
}

func lines(from, to int, at int64) []event {
	var all []event
	for i := from; i < to; i++ {
		all = append(all, event{fmt.Sprintf("line %d", i), at})
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
			client, _ := service(t, c.answers...)
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
		client, patterns := service(t, answer{})
		if err := logs.OfRun(t.Context(), client, "group", run, time.Time{}, func([]byte) {}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{want}, *patterns); diff != "" {
			t.Error(diff)
		}
	}
}
