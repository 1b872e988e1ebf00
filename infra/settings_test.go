package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

func TestReadSettings(t *testing.T) {
	t.Parallel()
	defaults := Settings{
		Environment: "dev", Application: "snapshot-sender-status-checker", LogLevel: "INFO", Architecture: ARM64,
		WorkflowType: Standard, BatchSize: 1, SweepEveryMinutes: 2, StalledAfterMinutes: 60,
		CountBy: snapshot.ByMessage, Tags: map[string]string{}, ReservedConcurrency: map[string]int{},
	}
	for name, test := range map[string]struct {
		context map[string]any
		change  func(*Settings) // of the defaults
	}{
		"Defaults": {nil, func(*Settings) {}},
		"EmptyIsAbsent": {map[string]any{"kmsKeyArn": "", "batchSize": " ", "logLevel": nil, "exemptStatuses": []any{},
			"tags": map[string]any{}}, func(*Settings) {}},
		"WordsInAnyCase": {map[string]any{"logLevel": "debug", "workflowType": "express", "architecture": "X86_64",
			"countBy": "File"}, func(s *Settings) {
			s.LogLevel, s.WorkflowType, s.Architecture, s.CountBy = "DEBUG", Express, X8664, snapshot.ByFile
		}},
		"NumbersOfTextAndJSON": {map[string]any{"batchSize": "10", "stalledAfterMinutes": float64(1440),
			"sweepEveryMinutes": "60"},
			func(s *Settings) { s.BatchSize, s.StalledAfterMinutes, s.SweepEveryMinutes = 10, 1440, 60 }},
		"LateEveryRun": {map[string]any{"lateAfterMinutes": float64(480)},
			func(s *Settings) { s.LateAfter = snapshot.LateAfter{"": 8 * time.Hour} }},
		"Lists": {map[string]any{"exemptStatuses": " Table_Unavailable,, Blocked_Topic ",
			"reservedConcurrency": " increment=20, sweep=1,", "tags": "team=data,, owner=a@b.c ,empty=",
			"existingKmsKeyArns": testKey + ", " + otherKey}, func(s *Settings) {
			s.ExemptStatuses = []string{"Table_Unavailable", "Blocked_Topic"}
			s.ReservedConcurrency = map[string]int{"increment": 20, "sweep": 1}
			s.Tags = map[string]string{"team": "data", "owner": "a@b.c", "empty": ""}
			s.ExistingKeys = []string{testKey, otherKey}
		}},
		"Existing": {map[string]any{
			"exportStatusTableName": "UCExportToCrownStatus", "exportStatusTableStreamArn": testStream,
			"fileReceivedQueueArn": testFileQueue, "exportStateQueueArn": testStateQueue,
			"monitoringTopicArn": testTopic, "alarmTopicArn": testAlarmTopic, "kmsKeyArn": testKey,
		}, func(s *Settings) {
			s.ExportStatusTableName, s.ExportStatusTableStreamArn = "UCExportToCrownStatus", testStream
			s.FileReceivedQueueArn, s.ExportStateQueueArn = testFileQueue, testStateQueue
			s.MonitoringTopicArn, s.AlarmTopicArn, s.KmsKeyArn = testTopic, testAlarmTopic, testKey
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := defaults
			test.change(&want)
			got, err := ReadSettings(test.context)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, want, got)
		})
	}
}

// An error names the key and says what is allowed.
func TestReadSettingsErrorNamesTheKey(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key   string
		value any
		says  string
	}{
		"EnvironmentWithBlank":   {"environment", "my dev", "letters, digits and hyphens"},
		"ApplicationWithDigit":   {"application", "1st", "a letter first"},
		"ApplicationTooLong":     {"application", strings.Repeat("a", 44), "at most 47 characters"},
		"EnvironmentExpress":     {"environment", "prod-express", "stack's name end in -express"},
		"LogLevelUnknown":        {"logLevel", "LOUD", "DEBUG, INFO, WARN, WARNING, ERROR, CRITICAL"},
		"ArchitectureOfGo":       {"architecture", "amd64", "arm64, x86_64"},
		"WorkflowTypeUnknown":    {"workflowType", "FAST", "STANDARD, EXPRESS"},
		"CountByOther":           {"countBy", "name", "message, file"},
		"BatchSizeNoNumber":      {"batchSize", "ten", "from 1 to 100"},
		"BatchSizeFraction":      {"batchSize", 1.5, "from 1 to 100"},
		"StalledAfterNothing":    {"stalledAfterMinutes", "0", "from 1 to 20160"},
		"LateAfterNothing":       {"lateAfterMinutes", "0", "minutes from 1 to 20160"},
		"LateBoth":               {"lateAfterMinutes", "480,full=1", "for every run, such as 480, or pairs"},
		"SweepTooSeldom":         {"sweepEveryMinutes", "61", "from 1 to 60"},
		"SweepAlways":            {"sweepEveryMinutes", "0", "from 1 to 60"},
		"ExemptTooMany":          {"exemptStatuses", strings.Repeat("a,", 11), "at most 10 statuses"},
		"ExemptStatusTooLong":    {"exemptStatuses", strings.Repeat("a", 65), "separated by commas"},
		"ExemptOwnStatus":        {"exemptStatuses", "Blocked_Topic,SENT", "but not Sent"},
		"ExemptStatusMalformed":  {"exemptStatuses", "a;b", "separated by commas"},
		"ConcurrencyOfNoTask":    {"reservedConcurrency", "20", "each task once"},
		"ConcurrencyUnknownTask": {"reservedConcurrency", "count=2", "check-collection, check-all"},
		"ConcurrencyZero":        {"reservedConcurrency", "increment=0", "whole number from 1"},
		"ConcurrencyNoNumber":    {"reservedConcurrency", "increment=many", "fewer than 100 (50 in some accounts)"},
		"ConcurrencyTwice":       {"reservedConcurrency", "sweep=1,sweep=2", "each task once"},
		"TagWithoutKey":          {"tags", "=data", "each key once"},
		"TagWithoutValue":        {"tags", "data", "each key once"},
		"TagTwiceInOtherCase":    {"tags", "team=a,Team=b", "each key once in any case"},
		"TagOfAWS":               {"tags", "AWS:x=y", "not aws:"},
		"TagWithOddLetter":       {"tags", "a;b=c", "each key once"},
		"AlarmTopicByName":       {"alarmTopicArn", "alarms", "ARN of a standard SNS topic"},
		"KeyAlias":               {"kmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:alias/mine", "not of an alias"},
		"KeyWithoutId":           {"kmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/mine", "ARN of a KMS key"},
		"ExistingKeyByAlias":     {"existingKmsKeyArns", testKey + ",alias/mine", "ARNs of KMS keys"},
		"TableByArn":             {"exportStatusTableName", "arn:aws:dynamodb:eu-west-1:1:table/x", "a table's name"},
		"StreamOfNothing":        {"exportStatusTableStreamArn", "x", "stream"},
		"StreamWithoutTable": {"exportStatusTableStreamArn", testStream,
			"only the stream of the table that exportStatusTableName names"},
		"FileReceivedIsAFifo":    {"fileReceivedQueueArn", testFileQueue + ".fifo", "ARN of a standard SQS queue"},
		"ExportStateOtherArn":    {"exportStateQueueArn", testTopic, "ARN of an SQS queue"},
		"MonitoringTopicIsAFifo": {"monitoringTopicArn", testTopic + ".fifo", "standard SNS topic"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadSettings(map[string]any{test.key: test.value})
			if err == nil || !strings.HasPrefix(err.Error(), "context "+test.key+": ") ||
				!strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v does not name %s and say %q", err, test.key, test.says)
			}
		})
	}
}

func TestReadSettingsErrorNamesTheConflict(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		context map[string]any
		says    []string
	}{
		"StreamOfAnotherTable": {map[string]any{"exportStatusTableName": "Other",
			"exportStatusTableStreamArn": testStream}, []string{"only the stream of the table"}},
		"SeveralRegions": {map[string]any{"fileReceivedQueueArn": testFileQueue,
			"monitoringTopicArn": strings.Replace(testTopic, "eu-west-1", "eu-west-2", 1)},
			[]string{"a stack uses resources of its own region"}},
		"StreamOfAnotherAccount": {map[string]any{"exportStatusTableName": "UCExportToCrownStatus",
			"exportStatusTableStreamArn": testStream,
			"fileReceivedQueueArn":       strings.Replace(testFileQueue, "123456789012", "210987654321", 1)},
			[]string{"pipes read sources of their own account"}},
		"AllAtOnce": {map[string]any{"batchSize": "0", "workflowType": "x", "kmsKeyArn": "y"},
			[]string{"context batchSize: ", "context workflowType: ", "context kmsKeyArn: "}},
	} {
		_, err := ReadSettings(test.context)
		for _, says := range test.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: error %v does not say %q", name, err, says)
			}
		}
		if err != nil && strings.Count(err.Error(), "context ") != len(test.says) {
			t.Errorf("%s: not %d errors: %v", name, len(test.says), err)
		}
	}
}

// ReadSettings accepts exactly the batch sizes and windows that SQS pollers accept.
func TestBatchSettingsAreThoseOfSQSPollers(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 10, 11, 100, 101} {
		for _, window := range []int{-1, 0, 1, 300, 301} {
			s, err := ReadSettings(map[string]any{"batchSize": size, "batchWindowSeconds": window})
			allowed := size >= 1 && size <= 100 && window >= 0 && window <= 300 && (size <= 10 || window >= 1)
			if allowed != (err == nil) || allowed && (s.BatchSize != size || s.BatchWindowSeconds != window) {
				t.Errorf("size %d, window %d: %d and %d, %v", size, window, s.BatchSize, s.BatchWindowSeconds, err)
			}
		}
		s, err := ReadSettings(map[string]any{"batchSize": size})
		if err == nil && (s.BatchWindowSeconds > 0) != (size > 10) {
			t.Errorf("size %d: the window is %d by default", size, s.BatchWindowSeconds)
		}
	}
}

// A message stays hidden during its whole delivery, or the queue would count one receive too many. Gathering its batch
// takes up to 20 seconds, even for a shorter window
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html). Then follows the start or, with
// EXPRESS, an execution of up to 5 minutes
// (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
//
// With EXPRESS a redelivered message gets a new execution, which owns nothing. By then a dead execution must have lost
// its lease, and a live one must not.
func TestVisibilityTimeoutOutlastsDeliveryAndExpressLease(t *testing.T) {
	t.Parallel()
	const longestExecution = 5 * time.Minute
	for window := 0; window <= 300; window++ {
		gathering := time.Duration(max(20, window)) * time.Second
		for workflow, delivery := range map[WorkflowType]time.Duration{Standard: gathering,
			Express: gathering + longestExecution} {
			s := Settings{WorkflowType: workflow, BatchWindowSeconds: window}
			hidden := time.Duration(visibilitySeconds(s)) * time.Second
			if hidden < delivery+30*time.Second {
				t.Errorf("%s, window %d: hidden for %v, delivered within %v", workflow, window, hidden, delivery)
			}
			if workflow == Express && (lease(s) >= hidden || lease(s) < longestExecution) {
				t.Errorf("window %d: a lease of %v, messages hidden for %v", window, lease(s), hidden)
			}
		}
	}
	if lease(Settings{WorkflowType: Standard}) != store.DefaultLease {
		t.Error("STANDARD does not have the lease that the definition's retries fit into")
	}
}

func TestRateOfOneMinute(t *testing.T) {
	t.Parallel()
	compare(t, "rate(1 minute)", rate(1)) // EventBridge refuses "1 minutes"
}

// A key that resembles a setting is an error, which names both. Any other key is returned.
func TestKeyThatResemblesASettingIsAnError(t *testing.T) {
	t.Parallel()
	for key, setting := range map[string]string{
		"batchsize": "batchSize", "BATCH_SIZE": "batchSize", "batch-size": "batchSize", "batchSize ": "batchSize",
		"batchSzie": "batchSize", "bachSiz": "batchSize", "tags ": "tags", "tag": "tags", "tg": "",
		"enviromnent": "environment", "exemptStatus": "exemptStatuses", "existing-kms-key-arns": "existingKmsKeyArns",
		"fileReceivedQueueARN": "fileReceivedQueueArn", "monitoringTopicUrn": "monitoringTopicArn",
		"alarmTopic": "", "team": "", "stage": "", "env": "", "region": "", "": "",
	} {
		s, err := ReadSettings(map[string]any{key: "10"})
		switch {
		case setting == "" && (err != nil || len(s.Unknown) != 1 || s.Unknown[0] != key):
			t.Errorf("%q resembles no setting: %v, unknown %q", key, err, s.Unknown)
		case setting != "" &&
			(err == nil || err.Error() != "context "+key+": unknown setting; did you mean "+setting+"?"):
			t.Errorf("%q: error %v does not name %s", key, err, setting)
		}
	}
}

// Each documented setting is recognised in another case, with a letter missing, and with an extra one.
func TestEverySettingResemblesItsMisspellings(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(string(mustRead("../docs/reference.md")), "| setting | default | meaning |")
	table, _, _ = strings.Cut(table, "\n\n")
	settings := 0
	for _, row := range strings.Split(table, "\n")[2:] {
		for _, name := range regexp.MustCompile("[a-zA-Z]+").FindAllString(strings.Split(row, "|")[1], -1) {
			settings++
			for _, key := range []string{strings.ToUpper(name), name[:1] + name[2:], name + "s"} {
				_, err := ReadSettings(map[string]any{key: nil})
				if err == nil || !strings.HasSuffix(err.Error(), " mean "+name+"?") {
					t.Errorf("%s: error %v does not name %s", key, err, name)
				}
			}
		}
	}
	if settings < 15 {
		t.Errorf("only %d settings found in docs/reference.md", settings)
	}
}

func TestKeysOfCDKAreKnown(t *testing.T) {
	t.Parallel()
	context := map[string]any{}
	for _, key := range []string{"@aws-cdk/aws-iam:minimizePolicies", "@aws-cdk-containers/x",
		"aws:cdk:version-reporting",
		"availability-zones:account=1:region=eu-west-1", "acknowledged-issue-numbers", "cli-telemetry", "cdk-migrate"} {
		context[key] = true
	}
	s, err := ReadSettings(context)
	if err != nil || len(s.Unknown) != 0 {
		t.Errorf("unknown %q, %v", s.Unknown, err)
	}
}
