package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// query is a saved query of Logs Insights over the logs of all functions, one command a line. Users replace the dots
// by a name.
type query struct {
	id, name string
	commands []string
}

var queries = []query{
	{"FollowRun", "follow one run", []string{
		"fields @timestamp, service, message, collection_name, file_name, identity, outcome, status, " +
			"from_status, to_status, kind, reason_code, error, execution_id",
		`filter correlation_id = "..." and message != "metrics"`, "sort @timestamp asc", "limit 10000"}},
	{"FollowCollection", "follow one collection", []string{
		"fields @timestamp, service, message, file_name, identity, outcome, status, from_status, to_status, " +
			"epoch, files_received, files_sent, kind, version, event_id, execution_id",
		`filter correlation_id = "..." and collection_name = "..." and message != "metrics"`,
		"sort @timestamp asc", "limit 10000"}},
	{"FollowExecution", "follow one execution", []string{
		"fields @timestamp, service, message, correlation_id, collection_name, file_name, outcome, kind, " +
			"reason_code, error",
		`filter execution_id = "..." and message != "metrics"`, "sort @timestamp asc", "limit 10000"}},
	{"FollowFile", "find a file or message", []string{
		"fields @timestamp, message, correlation_id, collection_name, file_name, identity, reason_code, execution_id",
		`filter @message like "..."`, "sort @timestamp asc", "limit 1000"}},
	{"RepeatedFiles", "files counted more than once", []string{
		"fields jsonParse(@message) as line", `filter message = "counted"`, "unnest line.messages into counted",
		"stats count(*) as times by correlation_id, collection_name, counted.file_name", "filter times > 1",
		"sort times desc", "limit 1000"}},
	{"Errors", "errors and warnings", []string{
		"fields @timestamp, service, level, message, error, reason_code, detail, correlation_id, collection_name, " +
			"execution_id",
		`filter level in ["ERROR", "WARN"]`, "sort @timestamp desc", "limit 1000"}},
}

// NewQueries saves the queries under the stack's name. A parameter turns them off for the local engine, which has no
// saved queries.
func NewQueries(scope constructs.Construct, id string, p parts) {
	here := constructs.NewConstruct(scope, &id)
	wanted := awscdk.NewCfnParameter(scope, jsii.String("SavedQueries"), &awscdk.CfnParameterProps{
		Description: jsii.String("Whether to save queries for Logs Insights"), Default: "true",
		AllowedValues: jsii.Strings("true", "false")})
	condition := awscdk.NewCfnCondition(here, jsii.String("Wanted"), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionEquals(wanted.ValueAsString(), jsii.String("true")),
	})
	var groups []any
	for _, f := range p.allFunctions() {
		groups = append(groups, f.LogGroup().LogGroupName())
	}
	for _, q := range queries {
		made := awslogs.NewCfnQueryDefinition(here, &q.id, &awslogs.CfnQueryDefinitionProps{
			Name:          jsii.String(p.settings.StackName() + "/" + q.name),
			QueryString:   jsii.String(strings.Join(q.commands, "\n| ")),
			LogGroupNames: &groups,
		})
		made.CfnOptions().SetCondition(condition)
	}
}
