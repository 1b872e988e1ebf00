package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tableKeyRights are the rights on a customer managed key of a role that uses a table.
var tableKeyRights = []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
	"kms:ReEncryptFrom", "kms:ReEncryptTo"}

// The rights of all roles by default are those of docs/security.md: TestSecurityDocumentListsTheRoles. Settings add
// rights on keys, and change resources.
func TestKeysAndExistingResourcesChangeRights(t *testing.T) {
	t.Parallel()
	t.Run("ExpressWithKey", func(t *testing.T) {
		t.Parallel()
		want := granted(byDefault())
		for role, actions := range map[string][]string{
			"FunctionsIncrementRole": tableKeyRights, "FunctionsCheckCollectionRole": tableKeyRights,
			"FunctionsCheckAllRole": tableKeyRights, "FunctionsNotifyRole": tableKeyRights, "SweepRole": tableKeyRights,
			"WorkflowRole":          {"kms:Decrypt", "kms:GenerateDataKey"},
			"FileReceivedPipeRole":  {"kms:Decrypt"},
			"StatusChangedPipeRole": {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
		} {
			for _, action := range actions {
				want[role] = append(want[role], action+" "+testKey)
			}
		}
		replace(want["FileReceivedPipeRole"], "states:StartExecution", "states:StartSyncExecution")
		compare(t, sorted(want), granted(express()))
	})
	t.Run("Adopting", func(t *testing.T) {
		t.Parallel()
		want := granted(byDefault())
		for role, actions := range map[string][]string{ // for the existing resources that the role itself uses
			"FunctionsIncrementRole": tableKeyRights, "FunctionsCheckCollectionRole": tableKeyRights,
			"FunctionsCheckAllRole": tableKeyRights, "SweepRole": tableKeyRights,
			"FunctionsNotifyRole":   {"kms:Decrypt", "kms:GenerateDataKey"}, // the stack makes the ledger
			"FileReceivedPipeRole":  {"kms:Decrypt"},
			"StatusChangedPipeRole": {"kms:Decrypt", "kms:DescribeKey"}, // the stack makes its dead-letter queue
		} {
			for _, action := range actions {
				want[role] = append(want[role], action+" "+otherKey)
			}
			replace(want[role], "${TablesExportStatus.Arn}",
				"arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/UCExportToCrownStatus",
				"${QueuesFileReceived.Arn}", testFileQueue, "${TablesExportStatus.StreamArn}", testStream,
				"${QueuesExportState.Arn}", testStateQueue, "${MonitoringTopic}", testTopic)
		}
		compare(t, sorted(want), granted(adopting()))
	})
}

// A role's rights come from its policy alone, and only its service may assume it.
func TestRolesAreAssumedByTheirServiceAlone(t *testing.T) {
	t.Parallel()
	made := byDefault()
	services := map[string]string{
		"FunctionsIncrementRole": "lambda", "FunctionsCheckCollectionRole": "lambda", "FunctionsCheckAllRole": "lambda",
		"FunctionsNotifyRole": "lambda", "SweepRole": "lambda", "SweepScheduleRole": "scheduler",
		"WorkflowRole": "states", "FileReceivedPipeRole": "pipes", "StatusChangedPipeRole": "pipes",
	}
	want := map[string]any{}
	for role, service := range services {
		statement := map[string]any{"Action": "sts:AssumeRole", "Effect": "Allow",
			"Principal": map[string]any{"Service": service + ".amazonaws.com"}}
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
			t.Errorf("a %s grants rights too", kind)
		}
	}
	if extra := made.types("AWS::Lambda::Permission"); extra != nil {
		t.Errorf("functions have policies of their own: %v", extra)
	}
}

// granted flattens the policies into pairs of action and resource. A statement with anything else is written out whole,
// so that it matches no expected pair.
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

func replace(pairs []string, oldNew ...string) {
	for i := range pairs {
		pairs[i] = strings.NewReplacer(oldNew...).Replace(pairs[i])
	}
}

func compare(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), got (+):\n%s", diff)
	}
}
