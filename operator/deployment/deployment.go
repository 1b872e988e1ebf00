// Package deployment finds a deployed stack for the operator's tools: on AWS by the stack's outputs, on this machine by
// what `make up` wrote down, or by names that were given one by one.
package deployment

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
	"snapshot-status-checker/local"
)

// Deployment is a deployed stack and how to reach it.
type Deployment struct {
	local.Outputs            // what it consists of; "" for what nobody named
	Stack         string     // the stack's name; "" if it was not found by a stack
	Local         bool       // it is the local stack of this project
	Config        aws.Config // for the clients of all services

	Settings Settings
}

// Settings are those of the deployed functions that decide what a run waits for.
type Settings struct {
	ExemptStatuses []snapshot.Status
	StalledAfter   time.Duration
}

// Tables names the two tables.
func (d Deployment) Tables() store.Tables {
	return store.NewTables(d.ExportStatusTableName, d.LedgerTableName)
}

// maxAttempts is how often a call on the tables is tried: of the many calls that reading a large run takes, DynamoDB
// may throttle a few at any time, and beginning anew for each of them would not come to an end.
const maxAttempts = 10

// Store reads both tables.
func (d Deployment) Store() *store.Store {
	client := dynamodb.NewFromConfig(d.Config, func(o *dynamodb.Options) { o.RetryMaxAttempts = maxAttempts })
	return store.New(dynamo.New(client), d.Tables(), store.Settings{Exempt: d.Settings.ExemptStatuses,
		StalledAfter: d.Settings.StalledAfter})
}

// FunctionName is what the stack calls the function of a task.
func (d Deployment) FunctionName(task string) string { return d.stackName() + "-" + task }

// stackName follows from the state machine's name if the deployment was not found by its stack.
func (d Deployment) stackName() string {
	if d.Stack != "" {
		return d.Stack
	}
	name := d.StateMachineArn[strings.LastIndex(d.StateMachineArn, ":")+1:]
	return strings.TrimSuffix(name, "-express")
}
