package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
)

// onEngine points the SDK to the engine by its environment variables.
func onEngine(t *testing.T) aws.Config {
	t.Helper()
	endpoint := localtest.Engine(t)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test",
		"AWS_SECRET_ACCESS_KEY": "test", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull} {
		t.Setenv(name, value)
	}
	return localtest.Config(endpoint)
}

// Without --yes only the plan is printed. With it, a stack that exists is refused: the trial would remove it.
func TestNothingIsDoneWithoutYesOrToAnExistingStack(t *testing.T) {
	config := onEngine(t)
	client := cloudformation.NewFromConfig(config)
	var out bytes.Buffer
	if good, err := (&command{Region: config.Region}).run(t.Context(), &out); err != nil || !good {
		t.Fatalf("good: %v, %v", good, err)
	}
	for _, text := range []string{"account 000000000000, region eu-west-1", "\nsnapshot-sender-status-checker-first-",
		"minutes", "never more than a dollar", "(--delete-tables deletes them too)", "Nothing was done"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the plan does not contain %q", text)
		}
	}
	name := aws.String("snapshot-sender-status-checker-taken")
	if _, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: name,
		TemplateBody: aws.String(`{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}`)}); err != nil {
		t.Fatal(err)
	}
	_, err := (&command{Yes: true, Region: config.Region, Environment: "taken"}).run(t.Context(), &out)
	if err == nil || !strings.Contains(err.Error(), "exists") || !strings.Contains(err.Error(), "--environment") {
		t.Errorf("got %v", err)
	}
	stacks, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, stack := range stacks.Stacks {
		names = append(names, *stack.StackName)
	}
	if !slices.Contains(names, *name) || len(named("-first-", names)) > 0 {
		t.Errorf("the stacks are %q", names)
	}
	if _, err := client.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: name}); err != nil {
		t.Error(err)
	}
}

// An error of cdk is returned, and its absence names npm ci.
func TestCommandLinePassesSettingsProfileAndRegion(t *testing.T) {
	root := t.TempDir()
	cdk := commandLine{project: local.Project{Root: root}, profile: "sandbox", region: "eu-central-1"}
	if err := cdk.deploy(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "npm ci") {
		t.Errorf("not installed: %v", err)
	}
	program(t, root, `echo "$AWS_REGION $*" > called`)
	for want, do := range map[string]func(context.Context, []string) error{
		"deploy --require-approval never --progress events": cdk.deploy, "diff --fail": cdk.diff,
	} {
		if err := do(t.Context(), []string{"environment=e", "alarmTopicArn=a"}); err != nil {
			t.Fatal(err)
		}
		called, err := os.ReadFile(filepath.Join(root, "called"))
		want = "eu-central-1 " + want + " -c environment=e -c alarmTopicArn=a --profile sandbox --no-notices\n"
		if err != nil || string(called) != want {
			t.Errorf("called with %q, want %q (%v)", called, want, err)
		}
	}
	program(t, root, "exit 1")
	if err := cdk.diff(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "cdk diff") {
		t.Errorf("a difference: %v", err)
	}
}

// program writes a cdk of the test's own.
func program(t *testing.T, root, script string) {
	t.Helper()
	folder := filepath.Join(root, "node_modules", ".bin")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "cdk"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}
