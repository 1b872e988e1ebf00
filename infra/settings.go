package main

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"snapshot-status-checker/internal/snapshot"
)

// Architecture is the functions' processor architecture, by Lambda's name.
type Architecture string

// WorkflowType is the type of the state machine.
type WorkflowType string

const (
	ARM64 Architecture = "arm64"
	X8664 Architecture = "x86_64"

	Standard WorkflowType = "STANDARD"
	Express  WorkflowType = "EXPRESS"
)

func (a Architecture) GOARCH() string {
	if a == X8664 {
		return "amd64"
	}
	return "arm64"
}

// Settings are the context settings (`-c key=value`, or "context" in cdk.json), each named like its key.
// An empty ARN or name means: make a new resource, or do without.
type Settings struct {
	Environment  string
	Application  string
	Tags         map[string]string // of the stack, besides or instead of application and environment
	LogLevel     string
	Architecture Architecture
	WorkflowType WorkflowType

	BatchSize           int                // messages, 1 to 100
	BatchWindowSeconds  int                // seconds, 0 to 300
	SweepEveryMinutes   int                // 1 to 60
	StalledAfterMinutes int                // without progress
	LateAfter           snapshot.LateAfter // since the first message; by snapshot type
	CountBy             snapshot.CountBy
	ExemptStatuses      []string // statuses that count as done, at most statemachine.MaxExemptStatuses

	ReservedConcurrency map[string]int // by task; a task that is not named shares the account's concurrency

	AlarmTopicArn string
	KmsKeyArn     string   // of resources that the stack makes
	ExistingKeys  []string // ARNs of the keys of existing resources

	ExportStatusTableName string
	// The stream of the existing table, with new and old images. Without it a change of status takes effect with the
	// next message or sweep.
	ExportStatusTableStreamArn string
	FileReceivedQueueArn       string
	ExportStateQueueArn        string
	MonitoringTopicArn         string

	Unknown []string // keys of the context that are neither settings nor CDK's own
}

// StackName is `<application>-<environment>`, which also begins the names of the functions.
func (s Settings) StackName() string { return s.Application + "-" + s.Environment }

// Lambda allows 64 characters for a function's name: the stack's and the task's.
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

// ReadSettings reads the settings from the context. Its error lists every key whose value is not allowed, with the
// allowed values, and every key that resembles a setting, with the setting.
func ReadSettings(context map[string]any) (Settings, error) {
	r := &reader{context: context, read: map[string]bool{}}
	s := Settings{
		Environment: r.match("environment", "dev", namePattern, "letters, digits and hyphens, a letter first"),
		Application: r.match("application", "snapshot-sender-status-checker", namePattern,
			"letters, digits and hyphens, a letter first"),
		Tags:                r.tags("tags"),
		LogLevel:            oneOf(r, "logLevel", "INFO", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL"),
		Architecture:        oneOf(r, "architecture", ARM64, ARM64, X8664),
		WorkflowType:        oneOf(r, "workflowType", Standard, Standard, Express),
		BatchSize:           r.number("batchSize", 1, 1, 100),
		SweepEveryMinutes:   r.number("sweepEveryMinutes", 2, 1, 60),
		StalledAfterMinutes: r.number("stalledAfterMinutes", 60, 1, 14*24*60),
		LateAfter:           r.lateAfter("lateAfterMinutes"),
		CountBy:             oneOf(r, "countBy", snapshot.ByMessage, snapshot.ByMessage, snapshot.ByFile),
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
		r.failf("environment", s.Environment, "names that do not make the stack's name end in %s, as the state "+
			"machines of EXPRESS stacks do", expressSuffix)
	}
	if stream := s.ExportStatusTableStreamArn; stream != "" &&
		!strings.Contains(stream, ":table/"+s.ExportStatusTableName+"/stream/") {
		r.failf("exportStatusTableStreamArn", stream, "only the stream of the table that exportStatusTableName names")
	}
	r.together(s)
	s.Unknown = r.unknown(context)
	return s, errors.Join(r.errs...)
}

// together refuses ARNs that one stack cannot use: in several partitions or regions, since functions call their own
// region, and a stream in another account, since a pipe reads only its own account's.
func (r *reader) together(s Settings) {
	const partition, region, account = 1, 3, 4
	field := func(i int, arn string) string { return strings.Split(arn, ":")[i] }
	arns := map[string]string{"exportStatusTableStreamArn": s.ExportStatusTableStreamArn,
		"fileReceivedQueueArn": s.FileReceivedQueueArn, "exportStateQueueArn": s.ExportStateQueueArn,
		"monitoringTopicArn": s.MonitoringTopicArn, "alarmTopicArn": s.AlarmTopicArn, "kmsKeyArn": s.KmsKeyArn}
	maps.DeleteFunc(arns, func(_, arn string) bool { return strings.Count(arn, ":") <= account })
	keys := slices.Sorted(maps.Keys(arns))
	for _, key := range keys[min(1, len(keys)):] {
		arn, first := arns[key], arns[keys[0]]
		if field(partition, arn) != field(partition, first) || field(region, arn) != field(region, first) {
			r.failf(key, arn, "an ARN in the region of %s, %s: a stack uses resources of its own region", keys[0],
				field(region, first))
		}
	}
	stream, files := arns["exportStatusTableStreamArn"], arns["fileReceivedQueueArn"]
	if stream != "" && files != "" && field(account, stream) != field(account, files) {
		r.failf("fileReceivedQueueArn", files, "a queue in the account of exportStatusTableStreamArn, %s: pipes read "+
			"sources of their own account", field(account, stream))
	}
}

// smallestWindow follows SQS pollers: they gather batches of more than 10 messages for at least a second.
func smallestWindow(batchSize int) int {
	if batchSize > 10 {
		return 1
	}
	return 0
}
