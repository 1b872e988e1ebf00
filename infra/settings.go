package main

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Architecture is the processor that the functions are built for, by Lambda's name.
type Architecture string

// WorkflowType is the kind of state machine.
type WorkflowType string

const (
	ARM64 Architecture = "arm64"
	X8664 Architecture = "x86_64"

	Standard WorkflowType = "STANDARD"
	Express  WorkflowType = "EXPRESS"
)

// GOARCH is Go's name of the architecture.
func (a Architecture) GOARCH() string {
	if a == X8664 {
		return "amd64"
	}
	return "arm64"
}

// Settings are the context settings (`-c key=value`, or "context" in cdk.json), each named as its key there.
// An empty ARN or name means: make a new one, or do without.
type Settings struct {
	Environment  string
	Application  string
	Tags         map[string]string // of the stack, besides application and environment, or in their place
	LogLevel     string
	Architecture Architecture
	WorkflowType WorkflowType

	BatchSize           int      // messages, 1 to 100
	BatchWindowSeconds  int      // seconds, 0 to 300
	SweepEveryMinutes   int      // minutes from one sweep to the next, 1 to 60
	StalledAfterMinutes int      // minutes without progress after which a run is stalled
	ExemptStatuses      []string // statuses that count as done, at most statemachine.MaxExemptStatuses

	// Calls of a task at one time, at most, and set aside for it from what the account shares. A task that is not named
	// shares with all others.
	ReservedConcurrency map[string]int

	AlarmTopicArn string
	KmsKeyArn     string   // of what the stack makes
	ExistingKeys  []string // ARNs of the keys of what it does not make

	ExportStatusTableName string
	// The stream of the existing table, with new and old images. Without it no pipe sees a change of status: what an
	// event could have finished at once waits for the next message or sweep.
	ExportStatusTableStreamArn string
	FileReceivedQueueArn       string
	ExportStateQueueArn        string
	MonitoringTopicArn         string

	Unknown []string // keys of the context that are neither settings nor CDK's own
}

// StackName is `<application>-<environment>`, which also begins the names of the functions.
func (s Settings) StackName() string { return s.Application + "-" + s.Environment }

// A function's name is the stack's and the longest task's, 64 characters at most.
const maxStackName = 64 - len("-check-collection")

var (
	namePattern   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
	tablePattern  = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)
	tagPattern    = regexp.MustCompile(`^[\p{L}\p{N} +\-._:/@]{1,128}=[\p{L}\p{N} +\-._:/@]{0,256}$`)
	statusPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z_ ]{0,63}$`)
	queueArn      = regexp.MustCompile(`^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?$`)
	standardQueue = regexp.MustCompile(`^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$`)
	topicArn      = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$`)
	keyArn        = regexp.MustCompile(
		`^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	streamArn = regexp.MustCompile(`^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/[A-Za-z0-9_.-]+/stream/.+$`)
)

// ReadSettings reads every setting of the context. Its error names every key whose value is not allowed, with what is,
// and every key that is nearly a setting's, with the setting.
func ReadSettings(context map[string]any) (Settings, error) {
	r := reader{context: context, read: map[string]bool{}}
	s := Settings{
		Environment: r.match("environment", "dev", namePattern, "letters, digits and hyphens, a letter first"),
		Application: r.match("application", "snapshot-sender-status-checker", namePattern,
			"letters, digits and hyphens, a letter first"),
		Tags:                r.tags("tags"),
		LogLevel:            r.oneOf("logLevel", "INFO", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL"),
		Architecture:        Architecture(r.oneOf("architecture", string(ARM64), string(ARM64), string(X8664))),
		WorkflowType:        WorkflowType(r.oneOf("workflowType", string(Standard), string(Standard), string(Express))),
		BatchSize:           r.number("batchSize", 1, 1, 100),
		SweepEveryMinutes:   r.number("sweepEveryMinutes", 2, 1, 60),
		StalledAfterMinutes: r.number("stalledAfterMinutes", 60, 1, 14*24*60),
		ExemptStatuses:      r.statuses("exemptStatuses"),
		ReservedConcurrency: r.concurrency("reservedConcurrency"),

		AlarmTopicArn: r.match("alarmTopicArn", "", topicArn, "the ARN of a standard SNS topic"),
		KmsKeyArn:     r.match("kmsKeyArn", "", keyArn, "the ARN of a KMS key (not of an alias)"),
		ExistingKeys:  r.keys("existingKmsKeyArns"),

		ExportStatusTableName: r.match("exportStatusTableName", "", tablePattern,
			"a table's name: 3 to 255 letters, digits, '_', '.', '-'"),
		ExportStatusTableStreamArn: r.match("exportStatusTableStreamArn", "", streamArn, "the ARN of a table's stream"),
		FileReceivedQueueArn: r.match("fileReceivedQueueArn", "", standardQueue,
			"the ARN of a standard SQS queue"),
		ExportStateQueueArn: r.match("exportStateQueueArn", "", queueArn, "the ARN of an SQS queue"),
		MonitoringTopicArn:  r.match("monitoringTopicArn", "", topicArn, "the ARN of a standard SNS topic"),
	}
	s.BatchWindowSeconds = r.number("batchWindowSeconds", smallestWindow(s.BatchSize), smallestWindow(s.BatchSize), 300)
	if len(s.StackName()) > maxStackName {
		r.failf("application", s.StackName(), "with environment, at most %d characters as <application>-<environment>",
			maxStackName)
	}
	if strings.HasSuffix(s.StackName(), expressSuffix) {
		r.failf("environment", s.Environment,
			"none with which the stack's name ends in %s: the state machine of another stack with workflowType "+
				"EXPRESS is called so", expressSuffix)
	}
	if stream := s.ExportStatusTableStreamArn; stream != "" && !strings.Contains(stream, ":table/"+
		s.ExportStatusTableName+"/stream/") {
		r.failf("exportStatusTableStreamArn", stream, "only the stream of the table that exportStatusTableName names")
	}
	r.together(s)
	s.Unknown = r.unknown(context)
	return s, errors.Join(r.errs...)
}

// together refuses ARNs that one stack cannot use: of several partitions or regions (the functions call their own), and
// a stream of another account, which a pipe cannot read.
func (r *reader) together(s Settings) {
	of := func(part int, arn string) string { return strings.Split(arn, ":")[part] }
	const partition, region, account = 1, 3, 4
	first := map[string]string{} // by key
	for key, arn := range map[string]string{"exportStatusTableStreamArn": s.ExportStatusTableStreamArn,
		"fileReceivedQueueArn": s.FileReceivedQueueArn,
		"exportStateQueueArn":  s.ExportStateQueueArn, "monitoringTopicArn": s.MonitoringTopicArn,
		"alarmTopicArn": s.AlarmTopicArn, "kmsKeyArn": s.KmsKeyArn} {
		if strings.Count(arn, ":") > account {
			first[key] = arn
		}
	}
	keys := slices.Sorted(maps.Keys(first))
	for _, key := range keys[min(1, len(keys)):] {
		arn, other := first[key], first[keys[0]]
		if of(partition, arn) != of(partition, other) || of(region, arn) != of(region, other) {
			r.failf(key, arn, "one of the region of %s, %s: a stack uses what is in its own region", keys[0],
				of(region, other))
		}
	}
	stream, files := first["exportStatusTableStreamArn"], first["fileReceivedQueueArn"]
	if stream != "" && files != "" && of(account, stream) != of(account, files) {
		r.failf("fileReceivedQueueArn", files,
			"one of the account of exportStatusTableStreamArn, %s: pipes read sources of their own account",
			of(account, stream))
	}
}

// smallestWindow is what SQS pollers ask for: batches of more than 10 messages are gathered for at least a second.
func smallestWindow(batchSize int) int {
	if batchSize > 10 {
		return 1
	}
	return 0
}
