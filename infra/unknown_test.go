package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
)

// A key that resembles a setting is an error, which names both.
func TestKeyThatResemblesASettingIsAnError(t *testing.T) {
	t.Parallel()
	for key, setting := range map[string]string{
		"batchsize": "batchSize", "BATCHSIZE": "batchSize", "BatchSize": "batchSize", "Environment": "environment",
		"TAGS": "tags", "Tags": "tags", "tag": "tags", "tagss": "tags",
		"batch-size": "batchSize", "batch_size": "batchSize", "BATCH_SIZE": "batchSize", "batchSiz": "batchSize",
		"batchSzie": "batchSize", "bachSiz": "batchSize", "batchSizes": "batchSize", "batchSize ": "batchSize",
		"batchsizes": "batchSize", "enviroment": "environment", "enviromnent": "environment",
		"aplication": "application", "logLevl": "logLevel", "logLvl": "logLevel", "exemptStatus": "exemptStatuses",
		"alarmTopic": "", "alarmTopicArns": "alarmTopicArn", "kmsKeyArns": "kmsKeyArn",
		"existing-kms-key-arns": "existingKmsKeyArns", "fileReceivedQueueARN": "fileReceivedQueueArn",
		"exportStateQueArn": "exportStateQueueArn", "monitoringTopicUrn": "monitoringTopicArn",
		"team": "", "stage": "", "env": "", "region": "", "vpcId": "", "": "",
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
	for _, key := range []string{
		"@aws-cdk/aws-iam:minimizePolicies", "@aws-cdk/core:bootstrapQualifier",
		"@aws-cdk-containers/ecs-service-extensions:enableDefaultLogDriver",
		"aws-cdk:enableDiffNoFail", "aws:cdk:version-reporting", "aws:cdk:enable-path-metadata",
		"aws:cdk:bundling-stacks", "availability-zones:account=1:region=eu-west-1",
		"vpc-provider:account=1:filter.vpc-id=vpc-1:region=eu-west-1",
		"ssm:account=1:parameterName=/x:region=eu-west-1", "ami:account=1", "acknowledged-issue-numbers",
		"cli-telemetry", "cdk-migrate",
	} {
		context[key] = true
	}
	s, err := ReadSettings(context)
	if err != nil || len(s.Unknown) != 0 {
		t.Errorf("unknown %q, %v", s.Unknown, err)
	}
}

// The CDK command line shows a warning for each key that nothing reads.
func TestUnknownKeysCauseWarnings(t *testing.T) {
	t.Parallel()
	synthesizing.Lock()
	defer synthesizing.Unlock()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir()), Context: &map[string]any{
		"team": "data", "batchSize": "10", "@aws-cdk/core:stackRelativeExports": true}})
	s, err := ReadSettings(contextOf(app))
	if err != nil || s.BatchSize != 10 {
		t.Fatalf("batchSize %d, %v", s.BatchSize, err)
	}
	stack := awscdk.NewStack(app, jsii.String("stack"), nil)
	warnOfUnknown(stack, s)
	given := assertions.Annotations_FromStack(stack)
	all := *given.FindWarning(jsii.String("*"), assertions.Match_AnyValue())
	named := *given.FindWarning(jsii.String("*"),
		assertions.Match_StringLikeRegexp(jsii.String("^context team: unknown setting")))
	if len(all) != 1 || len(named) != 1 {
		t.Errorf("%d warnings, %d of them name the key", len(all), len(named))
	}
}
