package main

import (
	"regexp"
	"strings"
	"testing"

	"snapshot-status-checker/statemachine"
)

func TestOutputs(t *testing.T) {
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

// What exists is used and nothing is made beside it, not even dead-letter queues.
func TestAdoptingMakesNothingTwice(t *testing.T) {
	t.Parallel()
	made := adopting()
	compare(t, []string{"AWS::DynamoDB::Table"}, made.types("AWS::DynamoDB::"))
	compare(t, []string{"AWS::SQS::Queue", "AWS::SQS::QueuePolicy"}, made.types("AWS::SQS::"))
	compare(t, []string(nil), made.types("AWS::SNS::"))
	if made.ofType("AWS::DynamoDB::Table")["TablesLedger"] == nil {
		t.Error("the ledger is not made")
	}
	if made.ofType("AWS::SQS::Queue")["QueuesRejectedMessages"] == nil {
		t.Error("the rejected-messages queue is not made")
	}
	pipe := made.ofType("AWS::Pipes::Pipe")["FileReceivedPipe"]
	compare(t, any(testFileQueue), pipe["Source"])
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	type function struct {
		Name         any
		Architecture any
		Memory       any
		Environment  map[string]any
	}
	functions := func(made template) map[string]function {
		found := map[string]function{}
		for id, p := range made.ofType("AWS::Lambda::Function") {
			task := strings.TrimSuffix(strings.TrimPrefix(id, "Functions"), "Function")
			found[task] = function{p["FunctionName"], p["Architectures"], p["MemorySize"], p["Environment"].(map[string]any)["Variables"].(map[string]any)}
			for property, want := range map[string]any{
				"Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 30.0,
				"TracingConfig": map[string]any{"Mode": "Active"},
				"Role":          "${Functions" + task + "Role.Arn}",
				"LoggingConfig": map[string]any{"LogGroup": "${Functions" + task + "Logs}"},
			} {
				t.Run(task+property, func(t *testing.T) { compare(t, want, p[property]) })
			}
		}
		return found
	}
	t.Run("ByDefault", func(t *testing.T) {
		name, arm := "snapshot-sender-status-checker-dev-", any([]any{"arm64"})
		with := func(more map[string]any) map[string]any {
			more["ENVIRONMENT"], more["APPLICATION"], more["LOG_LEVEL"] = "dev", "snapshot-sender-status-checker", "INFO"
			return more
		}
		compare(t, map[string]function{
			"Increment": {name + "increment", arm, 512.0, with(map[string]any{
				"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": "${TablesExportStatus}", "LEDGER_TABLE_NAME": "${TablesLedger}",
				"REJECTED_MESSAGES_QUEUE_URL": "${QueuesRejectedMessages}"})},
			"CheckCollection": {name + "check-collection", arm, 256.0, with(map[string]any{
				"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": "${TablesExportStatus}", "LEDGER_TABLE_NAME": "${TablesLedger}"})},
			"CheckAll": {name + "check-all", arm, 256.0, with(map[string]any{
				"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": "${TablesExportStatus}", "LEDGER_TABLE_NAME": "${TablesLedger}", "EXEMPT_STATUSES": ""})},
			"Notify": {name + "notify", arm, 256.0, with(map[string]any{
				"LEDGER_TABLE_NAME": "${TablesLedger}", "EXPORT_STATE_SQS_QUEUE_URL": "${QueuesExportState}",
				"MONITORING_SNS_TOPIC_ARN": "${MonitoringTopic}"})},
		}, functions(byDefault()))
	})
	t.Run("BySettings", func(t *testing.T) {
		compare(t, function{"checker-prod-check-all", []any{"x86_64"}, 256.0, map[string]any{
			"ENVIRONMENT": "prod", "APPLICATION": "checker", "LOG_LEVEL": "DEBUG",
			"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": "${TablesExportStatus}", "LEDGER_TABLE_NAME": "${TablesLedger}",
			"EXEMPT_STATUSES": "Table_Unavailable,Blocked_Topic",
		}}, functions(express())["CheckAll"])
	})
}

func TestStateMachine(t *testing.T) {
	t.Parallel()
	properties := func(name, kind string) map[string]any {
		return map[string]any{
			"StateMachineName": name, "StateMachineType": kind, "RoleArn": "${WorkflowRole.Arn}",
			"DefinitionString": statemachine.Definition,
			"DefinitionSubstitutions": map[string]any{
				"IncrementFunctionArn":       "${FunctionsIncrementFunction.Arn}",
				"CheckCollectionFunctionArn": "${FunctionsCheckCollectionFunction.Arn}",
				"CheckAllFunctionArn":        "${FunctionsCheckAllFunction.Arn}",
				"NotifyFunctionArn":          "${FunctionsNotifyFunction.Arn}",
				"RejectedMessagesQueueUrl":   "${QueuesRejectedMessages}",
			},
			"LoggingConfiguration": map[string]any{
				"Level": "ALL", "IncludeExecutionData": false,
				"Destinations": []any{map[string]any{"CloudWatchLogsLogGroup": map[string]any{"LogGroupArn": "${WorkflowLogs.Arn}"}}},
			},
			"TracingConfiguration": map[string]any{"Enabled": true},
		}
	}
	compare(t, properties("snapshot-sender-status-checker-dev", "STANDARD"), byDefault().ofType("AWS::StepFunctions::StateMachine")["WorkflowStateMachine"])
	compare(t, properties("checker-prod-express", "EXPRESS"), express().ofType("AWS::StepFunctions::StateMachine")["WorkflowStateMachine"])
}

// A placeholder without a substitution would reach Step Functions as it stands.
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

// The array of SQS records reaches the state machine as it is: no input template, no filter.
func TestPipe(t *testing.T) {
	t.Parallel()
	properties := func(batchSize, window float64, invocation string) map[string]any {
		return map[string]any{
			"Description": "Messages of received files to the status checker",
			"RoleArn":     "${FileReceivedPipeRole.Arn}",
			"Source":      "${QueuesFileReceived.Arn}",
			"SourceParameters": map[string]any{"SqsQueueParameters": map[string]any{
				"BatchSize": batchSize, "MaximumBatchingWindowInSeconds": window}},
			"Target":           "${WorkflowStateMachine}",
			"TargetParameters": map[string]any{"StepFunctionStateMachineParameters": map[string]any{"InvocationType": invocation}},
			"LogConfiguration": map[string]any{"Level": "ERROR", "CloudwatchLogsLogDestination": map[string]any{
				"LogGroupArn": "${FileReceivedPipeLogs.Arn}"}},
		}
	}
	compare(t, properties(1, 0, "FIRE_AND_FORGET"), byDefault().ofType("AWS::Pipes::Pipe")["FileReceivedPipe"])
	compare(t, properties(20, 5, "REQUEST_RESPONSE"), express().ofType("AWS::Pipes::Pipe")["FileReceivedPipe"])

	for id, r := range byDefault().Resources {
		if r.Type == "AWS::Pipes::Pipe" && !strings.Contains(strings.Join(r.DependsOn, " "), "FileReceivedPipeRoleDefaultPolicy") {
			t.Errorf("%s may be made before its role has its rights: %v", id, r.DependsOn)
		}
	}
}

func TestSynthIsDeterministic(t *testing.T) {
	t.Parallel()
	if first, second := byDefault(), synthesize(nil); first.json != second.json {
		compare(t, first, second)
		t.Error("two synths give two templates")
	}
}
