package main

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/statemachine"
)

func TestOutputsNameTheResources(t *testing.T) {
	t.Parallel()
	outputs := func(made template) map[string]any {
		values := map[string]any{}
		for name, output := range made.Outputs {
			values[name] = show(output.Value)
		}
		return values
	}
	t.Run("ByDefault", func(t *testing.T) {
		t.Parallel()
		compare(t, map[string]any{
			"FileReceivedQueueUrl":     "${QueuesFileReceived}",
			"ExportStatusTableName":    "${TablesExportStatus}",
			"LedgerTableName":          "${TablesLedger}",
			"ExportStateQueueUrl":      "${QueuesExportState}",
			"MonitoringTopicArn":       "${MonitoringTopic}",
			"RejectedMessagesQueueUrl": "${QueuesRejectedMessages}",
			"StateMachineArn":          "${WorkflowStateMachine}",
		}, outputs(byDefault()))
	})
	t.Run("Adopting", func(t *testing.T) {
		t.Parallel()
		compare(t, map[string]any{
			"FileReceivedQueueUrl":     "https://sqs.eu-west-1.${AWS::URLSuffix}/123456789012/files",
			"ExportStatusTableName":    "UCExportToCrownStatus",
			"LedgerTableName":          "${TablesLedger}",
			"ExportStateQueueUrl":      "https://sqs.eu-west-1.${AWS::URLSuffix}/123456789012/export-state.fifo",
			"MonitoringTopicArn":       testTopic,
			"RejectedMessagesQueueUrl": "${QueuesRejectedMessages}",
			"StateMachineArn":          "${WorkflowStateMachine}",
		}, outputs(adopting()))
	})
}

// Existing resources are used, and nothing is made beside them, not even dead-letter queues.
func TestAdoptingMakesNothingTwice(t *testing.T) {
	t.Parallel()
	made := adopting()
	compare(t, []string{"AWS::DynamoDB::Table"}, made.types("AWS::DynamoDB::"))
	compare(t, []string{"AWS::SQS::Queue", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::SQS::QueuePolicy"},
		made.types("AWS::SQS::"))
	compare(t, []string(nil), made.types("AWS::SNS::"))
	if made.ofType("AWS::DynamoDB::Table")["TablesLedger"] == nil {
		t.Error("the ledger is not made")
	}
	for _, ours := range []string{"QueuesRejectedMessages", "StatusChangedPipeDeadLetters"} {
		if made.ofType("AWS::SQS::Queue")[ours] == nil {
			t.Errorf("%s is not made", ours)
		}
	}
	pipes := made.ofType("AWS::Pipes::Pipe")
	compare(t, any(testFileQueue), pipes["FileReceivedPipe"]["Source"])
	compare(t, any(testStream), pipes["StatusChangedPipe"]["Source"])
}

// A table without a stream has no pipe, and no resource that only that pipe would use.
func TestTableWithoutStreamHasNoPipe(t *testing.T) {
	t.Parallel()
	for id := range withoutStream().Resources {
		if strings.HasPrefix(id, "StatusChanged") || strings.HasPrefix(id, "AlarmsStatusChanged") {
			t.Errorf("%s is made", id)
		}
	}
	if withoutStream().ofType("AWS::Scheduler::Schedule")["SweepSchedule"] == nil {
		t.Error("no sweep reconciles its runs")
	}
}

func TestFunctionsFollowTheSettings(t *testing.T) {
	t.Parallel()
	type function struct {
		Name, Architecture, Memory, Timeout any
		Environment                         map[string]any
	}
	functions := func(made template) map[string]function {
		found := map[string]function{}
		for id, p := range made.ofType("AWS::Lambda::Function") {
			prefix := strings.TrimSuffix(id, "Function")
			task := strings.TrimPrefix(prefix, "Functions")
			found[task] = function{p["FunctionName"], p["Architectures"], p["MemorySize"], p["Timeout"],
				p["Environment"].(map[string]any)["Variables"].(map[string]any)}
			for property, want := range map[string]any{
				"Runtime": "provided.al2023", "Handler": "bootstrap",
				"TracingConfig": map[string]any{"Mode": "Active"},
				"Role":          "${" + prefix + "Role.Arn}",
				"LoggingConfig": map[string]any{"LogGroup": "${" + prefix + "Logs}"},
			} {
				t.Run(task+property, func(t *testing.T) { compare(t, want, p[property]) })
			}
		}
		return found
	}
	t.Run("ByDefault", func(t *testing.T) {
		name, arm := "snapshot-sender-status-checker-dev-", any([]any{"arm64"})
		with := func(more map[string]any) map[string]any {
			maps.Copy(more, map[string]any{"ENVIRONMENT": "dev",
				"APPLICATION": "snapshot-sender-status-checker", "LOG_LEVEL": "INFO"})
			return more
		}
		compare(t, map[string]function{
			"Increment": {name + "increment", arm, 512.0, 30.0, with(map[string]any{
				"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": "${TablesExportStatus}", "LEDGER_TABLE_NAME": "${TablesLedger}",
				"REJECTED_MESSAGES_QUEUE_URL": "${QueuesRejectedMessages}", "EXEMPT_STATUSES": "",
				"COUNT_BY": "message", "MAX_COLLECTIONS": "270"})},
			"CheckCollection": {name + "check-collection", arm, 256.0, 30.0, with(map[string]any{
				"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": "${TablesExportStatus}", "LEDGER_TABLE_NAME": "${TablesLedger}",
				"EXEMPT_STATUSES": "", "LEASE_SECONDS": "600"})},
			"CheckAll": {name + "check-all", arm, 256.0, 30.0, with(map[string]any{
				"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": "${TablesExportStatus}", "LEDGER_TABLE_NAME": "${TablesLedger}",
				"EXEMPT_STATUSES": "", "LEASE_SECONDS": "600"})},
			"Notify": {name + "notify", arm, 256.0, 30.0, with(map[string]any{
				"LEDGER_TABLE_NAME": "${TablesLedger}", "EXPORT_STATE_SQS_QUEUE_URL": "${QueuesExportState}",
				"MONITORING_SNS_TOPIC_ARN": "${MonitoringTopic}"})},
			"Sweep": {name + "sweep", arm, 512.0, 120.0, with(map[string]any{
				"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": "${TablesExportStatus}", "LEDGER_TABLE_NAME": "${TablesLedger}",
				"EXEMPT_STATUSES": "", "COUNT_BY": "message", "LEASE_SECONDS": "600", "STALLED_AFTER_MINUTES": "60",
				"LATE_AFTER_MINUTES": "",
				"STATE_MACHINE_ARN":  "${WorkflowStateMachine}", "MONITORING_SNS_TOPIC_ARN": "${MonitoringTopic}",
				"PIPE_NAMES": "${FileReceivedPipe},${StatusChangedPipe}"})},
		}, functions(byDefault()))
	})
	t.Run("BySettings", func(t *testing.T) {
		compare(t, function{"checker-prod-check-all", []any{"x86_64"}, 256.0, 30.0, map[string]any{
			"ENVIRONMENT": "prod", "APPLICATION": "checker", "LOG_LEVEL": "DEBUG",
			"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": "${TablesExportStatus}", "LEDGER_TABLE_NAME": "${TablesLedger}",
			"EXEMPT_STATUSES": "Table_Unavailable,Blocked_Topic", "LEASE_SECONDS": "300",
		}}, functions(express())["CheckAll"])
		for _, task := range []string{"Increment", "CheckCollection", "CheckAll", "Sweep"} {
			compare(t, any("Table_Unavailable,Blocked_Topic"),
				functions(express())[task].Environment["EXEMPT_STATUSES"])
			by := functions(express())[task].Environment["COUNT_BY"]
			counts := task == "Increment" || task == "Sweep"
			compare(t, map[bool]any{true: "file", false: nil}[counts], by)
		}
		compare(t, any("90"), functions(express())["Sweep"].Environment["STALLED_AFTER_MINUTES"])
		compare(t, any("full=480,incremental=120"), functions(express())["Sweep"].Environment["LATE_AFTER_MINUTES"])
		if limit, limited := functions(express())["Increment"].Environment["MAX_COLLECTIONS"]; limited {
			t.Errorf("an EXPRESS execution is limited to %v collections: it has no history", limit)
		}
	})
}

func TestStateMachineLogsNoData(t *testing.T) {
	t.Parallel()
	properties := func(name, kind string) map[string]any {
		return map[string]any{
			"StateMachineName": name, "StateMachineType": kind, "RoleArn": "${WorkflowRole.Arn}",
			"DefinitionString": statemachine.Definition,
			"DefinitionSubstitutions": map[string]any{
				"Partition":                  "${AWS::Partition}",
				"IncrementFunctionArn":       "${FunctionsIncrementFunction.Arn}",
				"CheckCollectionFunctionArn": "${FunctionsCheckCollectionFunction.Arn}",
				"CheckAllFunctionArn":        "${FunctionsCheckAllFunction.Arn}",
				"NotifyFunctionArn":          "${FunctionsNotifyFunction.Arn}",
				"RejectedMessagesQueueUrl":   "${QueuesRejectedMessages}",
				"WorkflowType":               kind,
			},
			"LoggingConfiguration": map[string]any{
				"Level": "ALL", "IncludeExecutionData": false,
				"Destinations": []any{map[string]any{"CloudWatchLogsLogGroup": map[string]any{
					"LogGroupArn": "${WorkflowLogs.Arn}"}}},
			},
			"TracingConfiguration": map[string]any{"Enabled": true},
		}
	}
	compare(t, properties("snapshot-sender-status-checker-dev", "STANDARD"),
		byDefault().ofType("AWS::StepFunctions::StateMachine")["WorkflowStateMachine"])
	compare(t, properties("checker-prod-express", "EXPRESS"),
		express().ofType("AWS::StepFunctions::StateMachine")["WorkflowStateMachine"])
}

// A placeholder without a substitution would reach Step Functions unchanged.
func TestEveryPlaceholderIsSubstituted(t *testing.T) {
	t.Parallel()
	machine := byDefault().ofType("AWS::StepFunctions::StateMachine")["WorkflowStateMachine"]
	substitutions := machine["DefinitionSubstitutions"].(map[string]any)
	for _, found := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(statemachine.Definition, -1) {
		if substitutions[found[1]] == nil {
			t.Errorf("%s has no substitution", found[0])
		}
	}
}

// Each function gets the variables that its program reads, and no others.
func TestEnvironmentIsWhatTheFunctionsRead(t *testing.T) {
	t.Parallel()
	for id, reads := range map[string]reflect.Type{
		"FunctionsIncrementFunction":       reflect.TypeFor[settings.Increment](),
		"FunctionsCheckCollectionFunction": reflect.TypeFor[settings.CheckCollection](),
		"FunctionsCheckAllFunction":        reflect.TypeFor[settings.CheckAll](),
		"FunctionsNotifyFunction":          reflect.TypeFor[settings.Notify](),
		"SweepFunction":                    reflect.TypeFor[settings.Sweep](),
	} {
		t.Run(id, func(t *testing.T) {
			function, ok := byDefault().ofType("AWS::Lambda::Function")[id]
			if !ok {
				t.Fatal("the stack has no such function")
			}
			variables := function["Environment"].(map[string]any)["Variables"].(map[string]any)
			compare(t, slices.Sorted(slices.Values(variablesOf(reads))), slices.Sorted(maps.Keys(variables)))
		})
	}
}

// variablesOf lists the names in the env tags of a settings struct and its embedded structs.
func variablesOf(settings reflect.Type) []string {
	var names []string
	for i := range settings.NumField() {
		field := settings.Field(i)
		if field.Anonymous {
			names = append(names, variablesOf(field.Type)...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		names = append(names, name)
	}
	return names
}
