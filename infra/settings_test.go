package main

import (
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
		CountBy: snapshot.ByMessage,
	}
	with := func(change func(*Settings)) Settings {
		changed := defaults
		change(&changed)
		return changed
	}
	tests := map[string]struct {
		context map[string]any
		want    Settings
	}{
		"Defaults": {nil, defaults},
		"EmptyIsAbsent": {map[string]any{"kmsKeyArn": "", "batchSize": " ", "logLevel": nil,
			"exemptStatuses": []any{}, "tags": map[string]any{}}, defaults},
		"WordsInAnyCase": {map[string]any{"logLevel": "debug", "workflowType": "express", "architecture": "X86_64"},
			with(func(s *Settings) { s.LogLevel, s.WorkflowType, s.Architecture = "DEBUG", Express, X8664 })},
		"Files":        {map[string]any{"countBy": "File"}, with(func(s *Settings) { s.CountBy = snapshot.ByFile })},
		"NumberAsText": {map[string]any{"batchSize": "10"}, with(func(s *Settings) { s.BatchSize = 10 })},
		"NumberOfJSON": {map[string]any{"batchSize": float64(10), "stalledAfterMinutes": float64(1440)},
			with(func(s *Settings) { s.BatchSize, s.StalledAfterMinutes = 10, 1440 })},
		"LargeBatchGathers": {map[string]any{"batchSize": "11"},
			with(func(s *Settings) { s.BatchSize, s.BatchWindowSeconds = 11, 1 })},
		"WindowOfItsOwn": {map[string]any{"batchSize": "100", "batchWindowSeconds": "300"},
			with(func(s *Settings) { s.BatchSize, s.BatchWindowSeconds = 100, 300 })},
		"SweepSeldom": {map[string]any{"sweepEveryMinutes": "60"},
			with(func(s *Settings) { s.SweepEveryMinutes = 60 })},
		"LateEveryRun": {map[string]any{"lateAfterMinutes": float64(480)},
			with(func(s *Settings) { s.LateAfter = snapshot.LateAfter{"": 8 * time.Hour} })},
		"LateByType": {map[string]any{"lateAfterMinutes": "Full=480, incremental=120"},
			with(func(s *Settings) {
				s.LateAfter = snapshot.LateAfter{"full": 8 * time.Hour, "incremental": 2 * time.Hour}
			})},
		"Statuses": {map[string]any{"exemptStatuses": " Table_Unavailable,, Blocked_Topic "},
			with(func(s *Settings) { s.ExemptStatuses = []string{"Table_Unavailable", "Blocked_Topic"} })},
		"Concurrency": {map[string]any{"reservedConcurrency": " increment=20, sweep=1,"},
			with(func(s *Settings) { s.ReservedConcurrency = map[string]int{"increment": 20, "sweep": 1} })},
		"Tags": {map[string]any{"tags": "team=data,, owner=a@b.c ,empty="},
			with(func(s *Settings) { s.Tags = map[string]string{"team": "data", "owner": "a@b.c", "empty": ""} })},
		"TagsInOurPlace": {map[string]any{"tags": "Environment=prod"},
			with(func(s *Settings) { s.Tags = map[string]string{"Environment": "prod"} })},
		"ExistingKeys": {map[string]any{"existingKmsKeyArns": testKey + ", " + otherKey},
			with(func(s *Settings) { s.ExistingKeys = []string{testKey, otherKey} })},
		"Existing": {
			map[string]any{
				"exportStatusTableName": "UCExportToCrownStatus", "exportStatusTableStreamArn": testStream,
				"fileReceivedQueueArn": testFileQueue, "exportStateQueueArn": testStateQueue,
				"monitoringTopicArn": testTopic, "alarmTopicArn": testAlarmTopic, "kmsKeyArn": testKey,
			},
			with(func(s *Settings) {
				s.ExportStatusTableName, s.ExportStatusTableStreamArn = "UCExportToCrownStatus", testStream
				s.FileReceivedQueueArn, s.ExportStateQueueArn = testFileQueue, testStateQueue
				s.MonitoringTopicArn, s.AlarmTopicArn, s.KmsKeyArn = testTopic, testAlarmTopic, testKey
			}),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadSettings(test.context)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, test.want, got)
		})
	}
}

// An error names the key and says what is allowed.
func TestReadSettingsErrorNamesTheKey(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		key   string
		value any
		says  string
	}{
		"EnvironmentWithBlank":   {"environment", "my dev", "letters, digits and hyphens"},
		"ApplicationWithDigit":   {"application", "1st", "a letter first"},
		"ApplicationTooLong":     {"application", strings.Repeat("a", 44), "at most 47 characters"},
		"EnvironmentExpress":     {"environment", "prod-express", "stack's name end in -express"},
		"EnvironmentOnlyExpress": {"environment", "express", "stack's name end in -express"},
		"LogLevelUnknown":        {"logLevel", "LOUD", "DEBUG, INFO, WARN, WARNING, ERROR, CRITICAL"},
		"ArchitectureOfGo":       {"architecture", "amd64", "arm64, x86_64"},
		"WorkflowTypeUnknown":    {"workflowType", "FAST", "STANDARD, EXPRESS"},
		"BatchSizeZero":          {"batchSize", "0", "from 1 to 100"},
		"BatchSizeTooLarge":      {"batchSize", "101", "from 1 to 100"},
		"BatchSizeNoNumber":      {"batchSize", "ten", "from 1 to 100"},
		"BatchSizeFraction":      {"batchSize", 1.5, "from 1 to 100"},
		"WindowNegative":         {"batchWindowSeconds", "-1", "from 0 to 300"},
		"WindowTooLong":          {"batchWindowSeconds", "301", "from 0 to 300"},
		"StalledAfterNothing":    {"stalledAfterMinutes", "0", "from 1 to 20160"},
		"LateAfterNothing":       {"lateAfterMinutes", "0", "minutes from 1 to 20160"},
		"LateTypeTwice":          {"lateAfterMinutes", "full=1,FULL=2", "once in any case"},
		"LateBoth":               {"lateAfterMinutes", "480,full=1", "for every run, such as 480, or pairs"},
		"SweepTooSeldom":         {"sweepEveryMinutes", "61", "from 1 to 60"},
		"SweepAlways":            {"sweepEveryMinutes", "0", "from 1 to 60"},
		"CountByOther":           {"countBy", "name", "message, file"},
		"ExemptTooMany":          {"exemptStatuses", strings.Repeat("a,", 11), "at most 10 statuses"},
		"ExemptStatusTooLong":    {"exemptStatuses", strings.Repeat("a", 65), "separated by commas"},
		"ExemptOwnStatus":        {"exemptStatuses", "Blocked_Topic,SENT", "but not Sent"},
		"ExemptStatusMalformed":  {"exemptStatuses", "a;b", "separated by commas"},
		"ConcurrencyOfNoTask":    {"reservedConcurrency", "20", "each task once"},
		"ConcurrencyUnknownTask": {"reservedConcurrency", "count=2", "check-collection, check-all"},
		"ConcurrencyZero":        {"reservedConcurrency", "increment=0", "whole number from 1"},
		"ConcurrencyNegative":    {"reservedConcurrency", "increment=-1", "whole number from 1"},
		"ConcurrencyNoNumber":    {"reservedConcurrency", "increment=many", "whole number from 1"},
		"ConcurrencyTwice":       {"reservedConcurrency", "sweep=1,sweep=2", "each task once"},
		"ConcurrencyOfAccount":   {"reservedConcurrency", "increment=all", "fewer than 100 (50 in some accounts)"},
		"TagWithoutKey":          {"tags", "=data", "each key once"},
		"TagWithoutValue":        {"tags", "data", "each key once"},
		"TagTwice":               {"tags", "team=a,team=b", "each key once"},
		"TagTwiceInOtherCase":    {"tags", "team=a,Team=b", "each key once in any case"},
		"TagOfAWS":               {"tags", "aws:x=y", "not aws:"},
		"TagWithOddLetter":       {"tags", "a;b=c", "each key once"},
		"AlarmTopicByName":       {"alarmTopicArn", "alarms", "ARN of a standard SNS topic"},
		"KeyAlias":               {"kmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:alias/mine", "not of an alias"},
		"KeyWithoutId":           {"kmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/mine", "ARN of a KMS key"},
		"TableByArn": {"exportStatusTableName", "arn:aws:dynamodb:eu-west-1:123456789012:table/x",
			"a table's name"},
		"StreamOfNothing": {"exportStatusTableStreamArn", "x", "stream"},
		"StreamWithoutTable": {"exportStatusTableStreamArn", testStream,
			"only the stream of the table that exportStatusTableName names"},
		"FileReceivedByUrl": {"fileReceivedQueueArn", "https://sqs.eu-west-1.amazonaws.com/123456789012/files",
			"ARN of a standard SQS queue"},
		"FileReceivedIsAFifo":    {"fileReceivedQueueArn", testFileQueue + ".fifo", "ARN of a standard SQS queue"},
		"ExistingKeyByAlias":     {"existingKmsKeyArns", testKey + ",alias/mine", "ARNs of KMS keys"},
		"ExportStateOtherArn":    {"exportStateQueueArn", testTopic, "ARN of an SQS queue"},
		"MonitoringTopicIsAFifo": {"monitoringTopicArn", testTopic + ".fifo", "standard SNS topic"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadSettings(map[string]any{test.key: test.value})
			if err == nil {
				t.Fatal("no error")
			}
			if text := err.Error(); !strings.HasPrefix(text, "context "+test.key+": ") ||
				!strings.Contains(text, test.says) {
				t.Errorf("error %q does not name %s and say %q", text, test.key, test.says)
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
		"LargeBatchWithoutWindow": {map[string]any{"batchSize": "11", "batchWindowSeconds": "0"},
			[]string{"from 1 to 300"}},
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
	for size := 0; size <= 101; size++ {
		for _, window := range []int{-1, 0, 1, 20, 300, 301} {
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

// With EXPRESS a redelivered message gets a new execution, which owns nothing. By then a dead execution must have lost
// its lease, and a live one must not. It lasts 5 minutes at most
// (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
func TestExpressLeaseEndsBeforeRedelivery(t *testing.T) {
	t.Parallel()
	const longestExecution = 5 * time.Minute
	for window := 0; window <= 300; window++ {
		s := Settings{WorkflowType: Express, BatchWindowSeconds: window}
		hidden := time.Duration(visibilitySeconds(s)) * time.Second
		if lease(s) >= hidden || lease(s) < longestExecution {
			t.Errorf("window %d: a lease of %v, messages hidden for %v", window, lease(s), hidden)
		}
	}
	if lease(Settings{WorkflowType: Standard}) != store.DefaultLease {
		t.Error("STANDARD does not have the lease that the definition's retries fit into")
	}
}

// A message stays hidden during its whole delivery, or the queue would count one receive too many. Gathering its batch
// takes up to 20 seconds, even for a shorter window
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html). Then follows the start or, with
// EXPRESS, an execution of up to 5 minutes.
func TestVisibilityTimeoutOutlastsTheDelivery(t *testing.T) {
	t.Parallel()
	for window := 0; window <= 300; window++ {
		gathering := max(20, window)
		if got := visibilitySeconds(Settings{WorkflowType: Standard, BatchWindowSeconds: window}); got < gathering+30 {
			t.Errorf("STANDARD, window %d: %d seconds", window, got)
		}
		got := visibilitySeconds(Settings{WorkflowType: Express, BatchWindowSeconds: window})
		if got < gathering+5*60+30 {
			t.Errorf("EXPRESS, window %d: %d seconds", window, got)
		}
	}
}
