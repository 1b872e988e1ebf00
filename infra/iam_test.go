package main

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every role of the stack by default, and all that it may do: action and resource. X-Ray, the log delivery of state
// machines, and the listing of streams know no resource but "*".
var permissions = map[string][]string{
	"FunctionsIncrementRole": {
		"dynamodb:BatchGetItem ${TablesExportStatus.Arn}",
		"dynamodb:GetItem ${TablesExportStatus.Arn}",
		"dynamodb:UpdateItem ${TablesExportStatus.Arn}",
		"dynamodb:BatchGetItem ${TablesLedger.Arn}",
		"dynamodb:GetItem ${TablesLedger.Arn}",
		"dynamodb:UpdateItem ${TablesLedger.Arn}",
		"sqs:SendMessage ${QueuesRejectedMessages.Arn}",
		"logs:CreateLogStream ${FunctionsIncrementLogs.Arn}",
		"logs:PutLogEvents ${FunctionsIncrementLogs.Arn}",
		"xray:PutTelemetryRecords *",
		"xray:PutTraceSegments *",
	},
	"FunctionsCheckCollectionRole": {
		"dynamodb:GetItem ${TablesExportStatus.Arn}",
		"dynamodb:UpdateItem ${TablesExportStatus.Arn}",
		"dynamodb:GetItem ${TablesLedger.Arn}",
		"dynamodb:UpdateItem ${TablesLedger.Arn}",
		"logs:CreateLogStream ${FunctionsCheckCollectionLogs.Arn}",
		"logs:PutLogEvents ${FunctionsCheckCollectionLogs.Arn}",
		"xray:PutTelemetryRecords *",
		"xray:PutTraceSegments *",
	},
	"FunctionsCheckAllRole": {
		"dynamodb:GetItem ${TablesExportStatus.Arn}",
		"dynamodb:Query ${TablesExportStatus.Arn}",
		"dynamodb:GetItem ${TablesLedger.Arn}",
		"dynamodb:UpdateItem ${TablesLedger.Arn}",
		"logs:CreateLogStream ${FunctionsCheckAllLogs.Arn}",
		"logs:PutLogEvents ${FunctionsCheckAllLogs.Arn}",
		"xray:PutTelemetryRecords *",
		"xray:PutTraceSegments *",
	},
	"FunctionsNotifyRole": {
		"dynamodb:GetItem ${TablesLedger.Arn}",
		"dynamodb:UpdateItem ${TablesLedger.Arn}",
		"sqs:SendMessage ${QueuesExportState.Arn}",
		"sns:Publish ${MonitoringTopic}",
		"logs:CreateLogStream ${FunctionsNotifyLogs.Arn}",
		"logs:PutLogEvents ${FunctionsNotifyLogs.Arn}",
		"xray:PutTelemetryRecords *",
		"xray:PutTraceSegments *",
	},
	"SweepRole": {
		"dynamodb:Query ${TablesExportStatus.Arn}",
		"dynamodb:BatchGetItem ${TablesLedger.Arn}",
		"dynamodb:GetItem ${TablesLedger.Arn}",
		"dynamodb:Query ${TablesLedger.Arn}",
		"dynamodb:UpdateItem ${TablesLedger.Arn}",
		"states:StartExecution ${WorkflowStateMachine}",
		"sns:Publish ${MonitoringTopic}",
		"pipes:DescribePipe ${FileReceivedPipe.Arn}",
		"pipes:DescribePipe ${StatusChangedPipe.Arn}",
		"logs:CreateLogStream ${SweepLogs.Arn}",
		"logs:PutLogEvents ${SweepLogs.Arn}",
		"xray:PutTelemetryRecords *",
		"xray:PutTraceSegments *",
	},
	"SweepScheduleRole": {"lambda:InvokeFunction ${SweepFunction.Arn}"},
	"WorkflowRole": {
		"lambda:InvokeFunction ${FunctionsIncrementFunction.Arn}",
		"lambda:InvokeFunction ${FunctionsCheckCollectionFunction.Arn}",
		"lambda:InvokeFunction ${FunctionsCheckAllFunction.Arn}",
		"lambda:InvokeFunction ${FunctionsNotifyFunction.Arn}",
		"sqs:SendMessage ${QueuesRejectedMessages.Arn}",
		"logs:CreateLogDelivery *",
		"logs:DeleteLogDelivery *",
		"logs:DescribeLogGroups *",
		"logs:DescribeResourcePolicies *",
		"logs:GetLogDelivery *",
		"logs:ListLogDeliveries *",
		"logs:PutResourcePolicy *",
		"logs:UpdateLogDelivery *",
		"xray:GetSamplingRules *",
		"xray:GetSamplingTargets *",
		"xray:PutTelemetryRecords *",
		"xray:PutTraceSegments *",
	},
	"FileReceivedPipeRole": {
		"sqs:DeleteMessage ${QueuesFileReceived.Arn}",
		"sqs:GetQueueAttributes ${QueuesFileReceived.Arn}",
		"sqs:ReceiveMessage ${QueuesFileReceived.Arn}",
		"states:StartExecution ${WorkflowStateMachine}",
		"logs:CreateLogStream ${FileReceivedPipeLogs.Arn}",
		"logs:PutLogEvents ${FileReceivedPipeLogs.Arn}",
	},
	"StatusChangedPipeRole": {
		"dynamodb:DescribeStream ${TablesExportStatus.StreamArn}",
		"dynamodb:GetRecords ${TablesExportStatus.StreamArn}",
		"dynamodb:GetShardIterator ${TablesExportStatus.StreamArn}",
		"dynamodb:ListStreams *",
		"sqs:SendMessage ${StatusChangedPipeDeadLetters.Arn}",
		"states:StartExecution ${WorkflowStateMachine}",
		"logs:CreateLogStream ${StatusChangedPipeLogs.Arn}",
		"logs:PutLogEvents ${StatusChangedPipeLogs.Arn}",
	},
}

// What the roles may do besides with a customer managed key.
var keyPermissions = map[string][]string{
	"FunctionsIncrementRole": {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
		"kms:ReEncryptFrom", "kms:ReEncryptTo"},
	"FunctionsCheckCollectionRole": {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
		"kms:ReEncryptFrom", "kms:ReEncryptTo"},
	"FunctionsCheckAllRole": {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
		"kms:ReEncryptFrom", "kms:ReEncryptTo"},
	"FunctionsNotifyRole": {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
		"kms:ReEncryptFrom", "kms:ReEncryptTo"},
	"SweepRole": {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
		"kms:ReEncryptFrom", "kms:ReEncryptTo"},
	"WorkflowRole":          {"kms:Decrypt", "kms:GenerateDataKey"},
	"FileReceivedPipeRole":  {"kms:Decrypt"},
	"StatusChangedPipeRole": {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
}

// And with the key of resources that the stack does not make: those that they use themselves.
var existingKeyPermissions = map[string][]string{
	"FunctionsIncrementRole":       keyPermissions["FunctionsIncrementRole"],
	"FunctionsCheckCollectionRole": keyPermissions["FunctionsCheckCollectionRole"],
	"FunctionsCheckAllRole":        keyPermissions["FunctionsCheckAllRole"],
	"SweepRole":                    keyPermissions["SweepRole"],
	"FunctionsNotifyRole":          {"kms:Decrypt", "kms:GenerateDataKey"}, // the ledger is ours
	"FileReceivedPipeRole":         {"kms:Decrypt"},
	"StatusChangedPipeRole":        {"kms:Decrypt", "kms:DescribeKey"}, // its dead-letter queue is ours
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	t.Run("ByDefault", func(t *testing.T) {
		t.Parallel()
		compare(t, sorted(permissions), granted(byDefault()))
	})
	t.Run("ExpressWithKey", func(t *testing.T) {
		t.Parallel()
		want := map[string][]string{}
		for role, pairs := range permissions {
			want[role] = slices.Clone(pairs)
			for _, action := range keyPermissions[role] {
				want[role] = append(want[role], action+" "+testKey)
			}
		}
		replace(want["FileReceivedPipeRole"], "states:StartExecution ${WorkflowStateMachine}",
			"states:StartSyncExecution ${WorkflowStateMachine}")
		compare(t, sorted(want), granted(express()))
	})
	t.Run("Adopting", func(t *testing.T) {
		t.Parallel()
		want := map[string][]string{}
		for role, pairs := range permissions {
			want[role] = slices.Clone(pairs)
			for _, action := range []string{"BatchGetItem", "GetItem", "UpdateItem", "Query"} {
				replace(want[role], "dynamodb:"+action+" ${TablesExportStatus.Arn}",
					"dynamodb:"+action+" arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/UCExportToCrownStatus")
			}
			for _, action := range []string{"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"} {
				replace(want[role], "sqs:"+action+" ${QueuesFileReceived.Arn}", "sqs:"+action+" "+testFileQueue)
			}
			for _, action := range []string{"DescribeStream", "GetRecords", "GetShardIterator"} {
				replace(want[role], "dynamodb:"+action+" ${TablesExportStatus.StreamArn}", "dynamodb:"+action+" "+
					testStream)
			}
			replace(want[role], "sqs:SendMessage ${QueuesExportState.Arn}", "sqs:SendMessage "+testStateQueue)
			replace(want[role], "sns:Publish ${MonitoringTopic}", "sns:Publish "+testTopic)
			for _, action := range existingKeyPermissions[role] {
				want[role] = append(want[role], action+" "+otherKey)
			}
		}
		compare(t, sorted(want), granted(adopting()))
	})
}

// A role's rights come from its one policy alone, and only its service may assume it.
func TestRoles(t *testing.T) {
	t.Parallel()
	made := byDefault()
	services := map[string]string{
		"FunctionsIncrementRole": "lambda", "FunctionsCheckCollectionRole": "lambda", "FunctionsCheckAllRole": "lambda",
		"FunctionsNotifyRole": "lambda", "SweepRole": "lambda", "SweepScheduleRole": "scheduler",
		"WorkflowRole":         "states",
		"FileReceivedPipeRole": "pipes", "StatusChangedPipeRole": "pipes",
	}
	want := map[string]any{}
	for role, service := range services {
		statement := map[string]any{
			"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": map[string]any{"Service": service +
				".amazonaws.com"},
		}
		if service != "lambda" {
			statement["Condition"] = map[string]any{"StringEquals": map[string]any{
				"aws:SourceAccount": "${AWS::AccountId}"}}
		}
		want[role] = map[string]any{"Version": "2012-10-17", "Statement": []any{statement}}
	}
	got := map[string]any{}
	for role, properties := range made.ofType("AWS::IAM::Role") {
		got[role] = properties["AssumeRolePolicyDocument"]
		for _, other := range []string{"ManagedPolicyArns", "Policies"} {
			if properties[other] != nil {
				t.Errorf("%s has %s: %v", role, other, properties[other])
			}
		}
	}
	compare(t, want, got)
	for _, kind := range made.types("AWS::IAM::") {
		if kind != "AWS::IAM::Role" && kind != "AWS::IAM::Policy" {
			t.Errorf("rights are granted by a %s too", kind)
		}
	}
	if extra := made.types("AWS::Lambda::Permission"); extra != nil {
		t.Errorf("functions may be called by others: %v", extra)
	}
}

// granted flattens the policies into pairs of action and resource. A statement that says anything else is written
// out whole, so that it matches no expected pair.
func granted(made template) map[string][]string {
	pairs := map[string][]string{}
	for _, policy := range made.ofType("AWS::IAM::Policy") {
		for _, role := range list(policy["Roles"]) {
			role = role[len("${") : len(role)-len("}")]
			for _, statement := range policy["PolicyDocument"].(map[string]any)["Statement"].([]any) {
				pairs[role] = append(pairs[role], flatten(statement.(map[string]any))...)
			}
		}
	}
	return sorted(pairs)
}

func flatten(statement map[string]any) []string {
	keys := slices.Sorted(maps.Keys(statement))
	if !slices.Equal(keys, []string{"Action", "Effect", "Resource"}) || statement["Effect"] != "Allow" {
		return []string{fmt.Sprint(statement)}
	}
	var pairs []string
	for _, action := range list(statement["Action"]) {
		for _, resource := range list(statement["Resource"]) {
			pairs = append(pairs, action+" "+resource)
		}
	}
	return pairs
}

func sorted(pairs map[string][]string) map[string][]string {
	result := map[string][]string{}
	for role := range pairs {
		result[role] = slices.Sorted(slices.Values(pairs[role]))
	}
	return result
}

func replace(pairs []string, old, now string) {
	if i := slices.Index(pairs, old); i >= 0 {
		pairs[i] = now
	}
}

func compare(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), got (+):\n%s", diff)
	}
}
