package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
)

// Outputs are the outputs of the deployed stack, under the names that outsiders use.
type Outputs struct {
	FileReceivedQueueUrl     string
	ExportStatusTableName    string
	LedgerTableName          string
	ExportStateQueueUrl      string
	MonitoringTopicArn       string
	RejectedMessagesQueueUrl string
	StateMachineArn          string
}

// Deploy deploys the project's CDK app to the engine at the endpoint, exactly as `cdk deploy` deploys it to AWS but
// for this machine's processor and without saved queries, and writes the outputs to outputsFile. Context holds further
// settings of the app, as key=value. Deploying what is deployed already changes nothing. The engine's own poller of
// stream pipes is left stopped: see StopStreamPipes. Deployments of one project wait for each other, since they share
// the folders that are built into.
func (p Project) Deploy(ctx context.Context, endpoint, outputsFile string, settings []string, log Log) error {
	unlock, err := p.Lock(ctx, "deploy")
	if err != nil {
		return err
	}
	defer unlock()
	if err := p.installCDK(ctx, log); err != nil {
		return err
	}
	ready, err := bootstrapped(ctx, endpoint)
	if err != nil {
		return err
	}
	if !ready {
		fmt.Fprintln(log.Steps, "preparing the engine for CDK (cdklocal bootstrap)")
		// Outside of the app, or bootstrapping would build it first.
		account := "aws://000000000000/" + Region
		if err := p.cdk(ctx, endpoint, log, "bootstrap", account, "--app", ""); err != nil {
			return fmt.Errorf("bootstrapping: %w", err)
		}
	}
	fmt.Fprintln(log.Steps, "deploying (cdklocal deploy)")
	args := []string{"deploy", "--require-approval", "never", "--outputs-file", outputsFile,
		"--parameters", "SavedQueries=false"} // the engine has no AWS::Logs::QueryDefinition
	if err := p.cdk(ctx, endpoint, log, append(args, p.app(settings)...)...); err != nil {
		return fmt.Errorf("deploying: %w", err)
	}
	stack, _, err := ReadOutputs(outputsFile)
	if err != nil {
		return err
	}
	return StopStreamPipes(ctx, Config(endpoint), stack)
}

// Diff returns an error if the project's CDK app, with these settings, is not what is deployed to the engine at the
// endpoint. It compares templates: the engine makes no change sets.
func (p Project) Diff(ctx context.Context, endpoint string, settings []string, log Log) error {
	unlock, err := p.Lock(ctx, "deploy")
	if err != nil {
		return err
	}
	defer unlock()
	if err := p.cdk(ctx, endpoint, log, append([]string{"diff", "--fail", "--method=template"},
		p.app(settings)...)...); err != nil {
		return fmt.Errorf("comparing with what is deployed: %w", err)
	}
	return nil
}

// app is the options by which cdk makes the app with these settings (key=value).
func (p Project) app(settings []string) []string {
	args := []string{"--output", filepath.Join(p.Dir(), "cdk.out"), "-c", "architecture=" + architecture()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// cdk runs the CDK command line against the engine at the endpoint.
func (p Project) cdk(ctx context.Context, endpoint string, log Log, args ...string) error {
	env := environment(
		"AWS_ENDPOINT_URL="+endpoint, "AWS_ENDPOINT_URL_S3="+endpoint,
		"AWS_REGION="+Region, "AWS_DEFAULT_REGION="+Region,
		"AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey,
		"AWS_ENVAR_ALLOWLIST=AWS_REGION,AWS_DEFAULT_REGION", // or cdklocal takes the region away
		"CDK_DISABLE_CLI_TELEMETRY=1", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1",
	)
	return p.run(ctx, log, env, filepath.Join(p.Root, "node_modules", ".bin", "cdklocal"),
		append(args, "--ci", "--no-notices")...)
}

// architecture is this machine's processor as the CDK app's setting of that name calls it.
func architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// bootstrapped tells whether the engine has what CDK needs to deploy.
func bootstrapped(ctx context.Context, endpoint string) (bool, error) {
	name := "CDKToolkit"
	_, err := cloudformation.NewFromConfig(Config(endpoint)).DescribeStacks(ctx,
		&cloudformation.DescribeStacksInput{StackName: &name})
	if apiErr := smithy.APIError(nil); errors.As(err, &apiErr) && apiErr.ErrorCode() == "ValidationError" {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for CDK's own stack: %w", err)
	}
	return true, nil
}

// ReadOutputs reads a file that `cdk deploy --outputs-file` wrote for one stack, and returns that stack's name too.
func ReadOutputs(file string) (stack string, outputs Outputs, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", Outputs{}, fmt.Errorf("reading the stack's outputs: %w", err)
	}
	var stacks map[string]Outputs
	if err := json.Unmarshal(raw, &stacks); err != nil {
		return "", Outputs{}, fmt.Errorf("reading the stack's outputs: %w", err)
	}
	if len(stacks) != 1 {
		return "", Outputs{}, fmt.Errorf("reading the stack's outputs: %s has %d stacks, want one", file, len(stacks))
	}
	for stack, outputs = range stacks {
	}
	return stack, outputs, nil
}
