package main

import (
	"maps"
	"testing"
)

func TestTablesAreEncryptedAndRetained(t *testing.T) {
	t.Parallel()
	table := func(hash, sort, expiry string, sse map[string]any) map[string]any {
		return map[string]any{
			"KeySchema": []any{map[string]any{"AttributeName": hash, "KeyType": "HASH"},
				map[string]any{"AttributeName": sort, "KeyType": "RANGE"}},
			"AttributeDefinitions": []any{map[string]any{"AttributeName": hash, "AttributeType": "S"},
				map[string]any{"AttributeName": sort, "AttributeType": "S"}},
			"TimeToLiveSpecification":          map[string]any{"AttributeName": expiry, "Enabled": true},
			"BillingMode":                      "PAY_PER_REQUEST",
			"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
			"DeletionProtectionEnabled":        true,
			"SSESpecification":                 sse,
		}
	}
	want := func(sse map[string]any) map[string]map[string]any {
		tables := map[string]map[string]any{
			"TablesExportStatus": table("CorrelationId", "CollectionName", "TimeToExist", sse),
			"TablesLedger":       table("PK", "SK", "ExpiresAt", sse),
		}
		tables["TablesExportStatus"]["StreamSpecification"] = map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"}
		return tables
	}
	compare(t, want(map[string]any{"SSEEnabled": true}), byDefault().ofType("AWS::DynamoDB::Table"))
	compare(t, want(map[string]any{"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": testKey}),
		express().ofType("AWS::DynamoDB::Table"))
	for id, r := range byDefault().Resources {
		if r.Type == "AWS::DynamoDB::Table" && r.DeletionPolicy != "Retain" {
			t.Errorf("%s is deleted with the stack: %s", id, r.DeletionPolicy)
		}
	}
}

func TestQueuesAreEncrypted(t *testing.T) {
	t.Parallel()
	queues := func(sse map[string]any, fileReceived map[string]any) map[string]map[string]any {
		with := func(more map[string]any) map[string]any {
			maps.Copy(more, sse)
			more["MessageRetentionPeriod"] = 14 * 24 * 3600.0
			return more
		}
		deadLettersOf := func(id string, receives float64) map[string]any {
			return map[string]any{"deadLetterTargetArn": "${" + id + ".Arn}", "maxReceiveCount": receives}
		}
		fileReceived["RedrivePolicy"] = deadLettersOf("QueuesFileReceivedDeadLetters", 5)
		return map[string]map[string]any{
			"QueuesFileReceived":            with(fileReceived),
			"QueuesFileReceivedDeadLetters": with(map[string]any{}),
			"QueuesExportState": with(map[string]any{"FifoQueue": true,
				"RedrivePolicy": deadLettersOf("QueuesExportStateDeadLetters", 10)}),
			"QueuesExportStateDeadLetters": with(map[string]any{"FifoQueue": true}),
			"QueuesRejectedMessages":       with(map[string]any{}),
			"StatusChangedPipeDeadLetters": with(map[string]any{}),
		}
	}
	t.Run("ByDefault", func(t *testing.T) {
		t.Parallel()
		compare(t, queues(map[string]any{"SqsManagedSseEnabled": true},
			map[string]any{"MaximumMessageSize": 128256.0, "VisibilityTimeout": 60.0}),
			byDefault().ofType("AWS::SQS::Queue"))
	})
	t.Run("BatchesOf20ToExpressWithKey", func(t *testing.T) {
		t.Parallel()
		compare(t, queues(map[string]any{"KmsMasterKeyId": testKey},
			map[string]any{"MaximumMessageSize": 5683.0, "VisibilityTimeout": 365.0}),
			express().ofType("AWS::SQS::Queue"))
	})
}

// Every queue and the topic refuse plain HTTP.
func TestQueuesAndTopicRefusePlainHTTP(t *testing.T) {
	t.Parallel()
	made := byDefault()
	refusal := func(principal any, action, resource string) map[string]any {
		return map[string]any{
			"Effect": "Deny", "Principal": principal, "Action": action, "Resource": resource,
			"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
		}
	}
	want, got := map[string]any{}, map[string]any{}
	for id := range made.ofType("AWS::SQS::Queue") {
		want["${"+id+"}"] = []any{refusal(map[string]any{"AWS": "*"}, "sqs:*", "${"+id+".Arn}")}
	}
	dead := "${QueuesFileReceivedDeadLetters}"
	want[dead] = append(want[dead].([]any), redriveDenial())
	want["${MonitoringTopic}"] = []any{refusal("*", "sns:Publish", "${MonitoringTopic}")}
	gather := func(kind, target string) {
		for _, policy := range made.ofType(kind) {
			for _, resource := range list(policy[target]) {
				var statements []any
				for _, statement := range policy["PolicyDocument"].(map[string]any)["Statement"].([]any) {
					delete(statement.(map[string]any), "Sid")
					statements = append(statements, statement)
				}
				got[resource] = statements
			}
		}
	}
	gather("AWS::SQS::QueuePolicy", "Queues")
	gather("AWS::SNS::TopicPolicy", "Topics")
	compare(t, want, got)
}

func TestTopicIsEncrypted(t *testing.T) {
	t.Parallel()
	key := func(made template) any { return made.ofType("AWS::SNS::Topic")["MonitoringTopic"]["KmsMasterKeyId"] }
	compare(t, any("alias/aws/sns"), key(byDefault()))
	compare(t, any(testKey), key(express()))
}

func TestLogGroupsAreEncryptedAndExpire(t *testing.T) {
	t.Parallel()
	names := map[string]string{
		"FunctionsIncrementLogs":       "/aws/lambda/checker-prod-increment",
		"FunctionsCheckCollectionLogs": "/aws/lambda/checker-prod-check-collection",
		"FunctionsCheckAllLogs":        "/aws/lambda/checker-prod-check-all",
		"FunctionsNotifyLogs":          "/aws/lambda/checker-prod-notify",
		"SweepLogs":                    "/aws/lambda/checker-prod-sweep",
		"WorkflowLogs":                 "/aws/vendedlogs/states/checker-prod",
		"FileReceivedPipeLogs":         "/aws/vendedlogs/pipes/checker-prod-file-received",
		"StatusChangedPipeLogs":        "/aws/vendedlogs/pipes/checker-prod-status-changed",
	}
	want := map[string]map[string]any{}
	for id, name := range names {
		want[id] = map[string]any{"LogGroupName": name, "RetentionInDays": 30.0, "KmsKeyId": testKey}
	}
	compare(t, want, express().ofType("AWS::Logs::LogGroup"))
}
