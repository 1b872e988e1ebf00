package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// query is a question to Logs Insights over the logs of all functions.
type query struct{ id, name, text string }

// Whoever asks puts a name in the place of the dots.
var queries = []query{
	{"FollowRun", "follow one run", `fields @timestamp, service, message, collection_name, file_name, identity, outcome, status, kind, reason_code, error, execution_id
| filter correlation_id = "..." and message != "metrics"
| sort @timestamp asc
| limit 10000`},
	{"FollowCollection", "follow one collection", `fields @timestamp, service, message, file_name, identity, outcome, status, files_received, files_sent, kind, version, event_id, execution_id
| filter correlation_id = "..." and collection_name = "..." and message != "metrics"
| sort @timestamp asc
| limit 10000`},
	{"FollowExecution", "follow one execution", `fields @timestamp, service, message, correlation_id, collection_name, file_name, outcome, kind, reason_code, error
| filter execution_id = "..." and message != "metrics"
| sort @timestamp asc
| limit 10000`},
	{"FollowFile", "find a file or message", `fields @timestamp, message, correlation_id, collection_name, file_name, identity, reason_code, execution_id
| filter @message like "..."
| sort @timestamp asc
| limit 1000`},
	{"RepeatedFiles", "files that were counted more than once", `fields jsonParse(@message) as line
| filter message = "counted"
| unnest line.messages into counted
| stats count(*) as times by correlation_id, collection_name, counted.file_name
| filter times > 1
| sort times desc
| limit 1000`},
	{"Troubles", "errors and warnings", `fields @timestamp, service, level, message, error, reason_code, detail, correlation_id, collection_name, execution_id
| filter level in ["ERROR", "WARN"]
| sort @timestamp desc
| limit 1000`},
}

// NewQueries saves the queries under the stack's name, unless whoever deploys says by a parameter that what it deploys
// to does not know saved queries: the local engine.
func NewQueries(scope constructs.Construct, id string, props WatchedProps) {
	here := constructs.NewConstruct(scope, &id)
	wanted := awscdk.NewCfnParameter(scope, jsii.String("SavedQueries"), &awscdk.CfnParameterProps{
		Description: jsii.String("Whether to save queries for Logs Insights"), Default: "true",
		AllowedValues: jsii.Strings("true", "false")})
	condition := awscdk.NewCfnCondition(here, jsii.String("Wanted"), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionEquals(wanted.ValueAsString(), jsii.String("true")),
	})
	var groups []any
	for _, f := range props.functions() {
		groups = append(groups, f.LogGroup().LogGroupName())
	}
	for _, q := range queries {
		made := awslogs.NewCfnQueryDefinition(here, &q.id, &awslogs.CfnQueryDefinitionProps{
			Name:          jsii.String(props.Settings.StackName() + "/" + q.name),
			QueryString:   jsii.String(q.text),
			LogGroupNames: &groups,
		})
		made.CfnOptions().SetCondition(condition)
	}
}
