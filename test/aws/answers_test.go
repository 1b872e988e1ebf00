//go:build testaws

package aws_test

import (
	"strings"

	checkall "snapshot-status-checker/functions/check-all"
	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/notify"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/test/aws/strict"
)

// The functions, by their placeholders in the definition.
const (
	incrementFunction       = "IncrementFunctionArn"
	checkCollectionFunction = "CheckCollectionFunctionArn"
	checkAllFunction        = "CheckAllFunctionArn"
	notifyFunction          = "NotifyFunctionArn"
)

// answers are the possible answers of each function: its outcomes, an unknown outcome, and an error after all retries.
var answers = map[string][]strict.Answer{
	incrementFunction: {
		counts(0), counts(1), counts(2), fails("Unavailable", `{"errorMessage":"reading","errorType":"Unavailable"}`),
	},
	checkCollectionFunction: {
		checked(checkcollection.Incomplete), checked(checkcollection.CheckRun),
		checked(checkcollection.RequestPending, snapshot.SuccessFileRequest), checked("OF_ANOTHER_VERSION"),
		{Payload: map[string]any{}}, fails("Malformed", "x"),
	},
	checkAllFunction: {
		checkedAll(checkall.RunIncomplete), checkedAll(checkall.NotificationPending, snapshot.AllReceived),
		checkedAll(checkall.NotificationPending, snapshot.AllReceived, snapshot.AllSuccessful),
		checkedAll("OF_ANOTHER_VERSION"),
		{Payload: map[string]any{}}, fails("Malformed", "x"),
	},
	notifyFunction: {
		{Payload: notify.Output{Delivered: 1}}, fails("Unavailable", "x"),
	},
}

func counts(collections int) strict.Answer {
	out := increment.Output{Collections: []snapshot.CollectionKey{}, Counted: 1}
	for i := range collections {
		out.Collections = append(out.Collections, snapshot.CollectionKey{
			CorrelationID: "run-1", CollectionName: "db.database." + strings.Repeat("c", i+1)})
	}
	return strict.Answer{Payload: out}
}

func checked(outcome checkcollection.Outcome, pending ...snapshot.Kind) strict.Answer {
	return strict.Answer{Payload: checkcollection.Output{Outcome: outcome, Owner: "owner", Pending: outgoing(pending),
		CollectionKey: snapshot.CollectionKey{CorrelationID: "run-1", CollectionName: "db.a"},
		Notifications: []snapshot.Kind{snapshot.AllReceived}}}
}

func checkedAll(outcome checkall.Outcome, pending ...snapshot.Kind) strict.Answer {
	return strict.Answer{Payload: checkall.Output{Outcome: outcome, Owner: "owner", Pending: outgoing(pending)}}
}

func outgoing(kinds []snapshot.Kind) []snapshot.Outgoing {
	pending := []snapshot.Outgoing{}
	for _, kind := range kinds {
		pending = append(pending,
			snapshot.Outgoing{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: "run-1"}})
	}
	return pending
}

func fails(name, cause string) strict.Answer { return strict.Answer{Error: name, Cause: &cause} }

// failures are the errors of functions that Step Functions reports, with causes of all sizes.
var failures = []strict.Answer{
	fails("Unavailable", strings.Repeat("c", 40_000)), fails("Unavailable", ""), fails("States.Timeout", ""),
	fails("Lambda.TooManyRequestsException", "Rate Exceeded. (Service: Lambda, Status Code: 429, Request ID: x)"),
	fails("Sandbox.Timedout", "RequestId: x Error: Task timed out after 30.00 seconds"),
	fails("States.TaskFailed", strings.Repeat("😀", 2000)),
	{Error: "States.Timeout"}, {Error: "States.TaskFailed"}, // without a cause
	fails("States.DataLimitExceeded", "the result is too large"), // not caught
}
