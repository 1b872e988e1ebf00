// Package deployment finds a deployed stack for the operator's tools: by the stack's outputs on AWS, by the file that
// `make up` wrote on this machine, or by the names of its resources.
package deployment

import (
	"log/slog"
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
	local.Outputs            // its resources; "" if unknown
	Stack         string     // the stack's name; "" if it was not found by a stack
	Local         bool       // it is the local stack of this project
	Config        aws.Config // for the clients of all services

	Settings Settings
}

// Settings are settings of the deployed functions that decide what a run waits for.
type Settings struct {
	ExemptStatuses []snapshot.Status
	StalledAfter   time.Duration
	LateAfter      snapshot.LateAfter
	CountBy        snapshot.CountBy
	LogLevel       slog.Level
}

// Tables names the two tables.
func (d Deployment) Tables() store.Tables {
	return store.NewTables(d.ExportStatusTableName, d.LedgerTableName)
}

// maxAttempts is how often a call on the tables is tried. Reading a large run takes many calls, and DynamoDB may
// throttle some of them.
const maxAttempts = 10

// Store reads both tables.
func (d Deployment) Store() *store.Store {
	client := dynamodb.NewFromConfig(d.Config, func(o *dynamodb.Options) { o.RetryMaxAttempts = maxAttempts })
	return store.New(dynamo.New(client), d.Tables(), store.Settings{Exempt: d.Settings.ExemptStatuses,
		StalledAfter: d.Settings.StalledAfter})
}

// FunctionName is the name of the function of a task.
func (d Deployment) FunctionName(task string) string { return d.stackName() + "-" + task }

// stackName follows from the state machine's name if the deployment was not found by its stack.
func (d Deployment) stackName() string {
	if d.Stack != "" {
		return d.Stack
	}
	name := d.StateMachineArn[strings.LastIndex(d.StateMachineArn, ":")+1:]
	return strings.TrimSuffix(name, "-express")
}
