package statemachine_test

import (
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	checkall "snapshot-status-checker/functions/check-all"
	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/statemachine"
	"snapshot-status-checker/statemachine/paths"
)

func definition(t *testing.T) statemachine.Machine {
	t.Helper()
	m, err := statemachine.Parse(statemachine.Definition)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEveryNextIsAState(t *testing.T) {
	t.Parallel()
	var check func(m statemachine.Machine)
	check = func(m statemachine.Machine) {
		reached := map[string]bool{m.StartAt: true}
		to := func(from, next string) {
			if _, ok := m.States[next]; !ok {
				t.Errorf("%s continues with %q, which is not a state", from, next)
			}
			reached[next] = true
		}
		to("StartAt", m.StartAt)
		for name, s := range m.States {
			for _, way := range s.Ways() {
				to(name, way.To)
			}
			if s.Type == "Choice" {
				to(name, s.Default)
			} else if s.Next == "" && !s.End && s.Type != "Succeed" && s.Type != "Fail" {
				t.Errorf("%s has neither Next nor End", name)
			}
			if s.ItemProcessor != nil {
				check(*s.ItemProcessor)
			}
		}
		for name := range m.States {
			if !reached[name] {
				t.Errorf("nothing leads to %s", name)
			}
		}
	}
	check(definition(t))
}

func TestEveryStateHasACommentAndEveryTaskIsBounded(t *testing.T) {
	t.Parallel()
	for name, s := range definition(t).All() {
		if len(s.Comment) < 20 {
			t.Errorf("%s has the comment %q", name, s.Comment)
		}
		if s.Type != "Task" {
			continue
		}
		if s.TimeoutSeconds == 0 {
			t.Errorf("%s has no timeout", name)
		}
		if lastRetry(s).JitterStrategy != "FULL" {
			t.Errorf("%s is not retried with full jitter", name)
		}
		// If a message cannot be rejected, the execution fails and its history has the message.
		if len(s.Catch) == 0 && name != "Reject Message" {
			t.Errorf("%s has no catch", name)
		}
	}
}

// The Lambda runtime reports a Go error by the name of its type. Only malformed data are not retried.
func TestErrorNamesAreGoTypes(t *testing.T) {
	t.Parallel()
	malformed := reflect.TypeFor[failure.Malformed]().Name()
	for name, s := range definition(t).All() {
		for i, retrier := range s.Retry {
			want := []string{"States.ALL"}
			if i < len(s.Retry)-1 {
				want = []string{malformed}
			}
			if !slices.Equal(want, retrier.ErrorEquals) || (retrier.MaxAttempts == 0) != (want[0] == malformed) {
				t.Errorf("%s tries %v %d times again, want %v", name, retrier.ErrorEquals, retrier.MaxAttempts, want)
			}
		}
		if function := name != "Reject Message" && s.Type == "Task"; function != (len(s.Retry) == 2) {
			t.Errorf("%s has %d rules of retry", name, len(s.Retry))
		}
		for _, catcher := range s.Catch {
			if !slices.Equal([]string{"States.ALL"}, catcher.ErrorEquals) {
				t.Errorf("%s catches only %v", name, catcher.ErrorEquals)
			}
		}
	}
}

func TestChoicesCoverTheOutcomes(t *testing.T) {
	t.Parallel()
	literal := regexp.MustCompile(`outcome = '([A-Z_]+)'`)
	for name, want := range map[string][]string{
		"Request Pending?": {
			string(checkcollection.RequestPending), string(checkcollection.CheckRun),
			string(checkcollection.Incomplete)},
		"Notification Pending?": {string(checkall.NotificationPending), string(checkall.RunIncomplete)},
	} {
		choice := definition(t).All()[name]
		var got []string
		for _, c := range choice.Choices {
			got = append(got, literal.FindStringSubmatch(c.Condition)[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-Go +definition)\n%s", name, diff)
		}
		if failing := definition(t).All()[choice.Default]; failing.Type != "Fail" {
			t.Errorf("the default of %s is %q, which does not fail", name, choice.Default)
		}
	}
}

// A lease outlives the longest time from enqueuing a message to delivering it: all tries of the task that enqueues and
// of the one that delivers, each timing out. (An EXPRESS execution ends before its lease.)
func TestLeaseOutlivesTheRetries(t *testing.T) {
	t.Parallel()
	states := definition(t).All()
	for _, way := range [][]string{{"Check Collection", "Notify Sender"},
		{"Check All Collections", "Notify Monitoring"}} {
		var longest time.Duration
		for _, name := range way {
			tries := time.Duration(1 + lastRetry(states[name]).MaxAttempts)
			longest += tries*timeout(states[name]) + waits(states[name])
		}
		if longest >= store.DefaultLease {
			t.Errorf("%v take up to %v, the lease ends after %v", way, longest, store.DefaultLease)
		}
	}
}

// An EXPRESS execution ends after 5 minutes. If tries fail at once, increment uses up its retries before that, so the
// log has the error. In either case the messages return to their queue.
func TestIncrementFailsWithinAnExpressExecution(t *testing.T) {
	t.Parallel()
	increment := definition(t).States["Increment Files Received"]
	if longest := waits(increment) + timeout(increment); longest > 5*time.Minute {
		t.Errorf("its retries take up to %v", longest)
	}
}

func timeout(s statemachine.State) time.Duration {
	return time.Duration(s.TimeoutSeconds) * time.Second
}

func lastRetry(s statemachine.State) statemachine.Retrier {
	if len(s.Retry) == 0 {
		return statemachine.Retrier{}
	}
	return s.Retry[len(s.Retry)-1]
}

// waits is the longest time that a state waits between its tries.
func waits(s statemachine.State) time.Duration {
	retry := lastRetry(s)
	seconds, delay := 0.0, retry.IntervalSeconds
	for range retry.MaxAttempts {
		seconds += min(delay, retry.MaxDelaySeconds)
		delay *= retry.BackoffRate
	}
	return time.Duration(seconds * float64(time.Second))
}

func TestPathsEnterEveryState(t *testing.T) {
	t.Parallel()
	entered := map[string]bool{}
	for _, path := range paths.Table {
		for _, name := range path.States {
			entered[name] = true
		}
	}
	for name := range definition(t).All() {
		if !entered[name] {
			t.Errorf("no path enters %s", name)
		}
	}
}
