package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
)

// Outputs are the outputs of the deployed stack.
type Outputs struct {
	FileReceivedQueueUrl     string
	ExportStatusTableName    string
	LedgerTableName          string
	ExportStateQueueUrl      string
	MonitoringTopicArn       string
	RejectedMessagesQueueUrl string
	StateMachineArn          string
}

// Deploy deploys the project's CDK app to the engine at the endpoint as `cdk deploy` deploys it to AWS, except for this
// machine's processor and without saved queries. It writes the outputs to outputsFile. Settings are the app's, as
// key=value. Repeating it changes nothing. It stops the engine's own poller of stream pipes (StopStreamPipes).
// Deployments to several engines may run concurrently, to one engine not.
func (p Project) Deploy(ctx context.Context, endpoint, outputsFile string, settings []string, log Log) error {
	if err := p.installCDK(ctx, log); err != nil {
		return err
	}
	if err := p.bootstrap(ctx, endpoint, log); err != nil {
		return err
	}
	assembly, release, err := p.assembly(ctx, endpoint, settings, log)
	if err != nil {
		return err
	}
	defer release()
	err = log.step("deploy the stack", func() error {
		return p.cdk(ctx, endpoint, log, "deploy", "--app", assembly, "--require-approval", "never",
			"--outputs-file", outputsFile,
			"--parameters", "SavedQueries=false") // the engine has no AWS::Logs::QueryDefinition
	})
	if err != nil {
		return fmt.Errorf("deploying: %w", err)
	}
	stack, _, err := ReadOutputs(outputsFile)
	if err != nil {
		return err
	}
	return StopStreamPipes(ctx, Config(endpoint), stack)
}

// bootstrap prepares the engine for CDK, unless that is done. The CDK command line must be installed.
func (p Project) bootstrap(ctx context.Context, endpoint string, log Log) error {
	ready, err := bootstrapped(ctx, endpoint)
	if err != nil || ready {
		return err
	}
	return log.step("bootstrap the engine for CDK", func() error {
		// Without the app, which cdk would build first.
		if err := p.cdk(ctx, endpoint, log, "bootstrap", "aws://000000000000/"+Region, "--app", ""); err != nil {
			return fmt.Errorf("bootstrapping: %w", err)
		}
		return nil
	})
}

// Diff returns an error if the project's CDK app with these settings differs from the stack on the engine. It compares
// templates: the engine makes no change sets.
func (p Project) Diff(ctx context.Context, endpoint string, settings []string, log Log) error {
	unlock, err := p.Lock(ctx, "deploy")
	if err != nil {
		return err
	}
	defer unlock()
	if err := p.cdk(ctx, endpoint, log, append([]string{"diff", "--fail", "--method=template"},
		app(filepath.Join(p.Dir(), "cdk.out", "diff"), settings)...)...); err != nil {
		return fmt.Errorf("comparing with the deployed stack: %w", err)
	}
	return nil
}

// cdk runs the CDK command line against the engine at the endpoint.
func (p Project) cdk(ctx context.Context, endpoint string, log Log, args ...string) error {
	env := environment(
		"AWS_ENDPOINT_URL="+endpoint, "AWS_ENDPOINT_URL_S3="+endpoint,
		"AWS_REGION="+Region, "AWS_DEFAULT_REGION="+Region,
		"AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey,
		"AWS_ENVAR_ALLOWLIST=AWS_REGION,AWS_DEFAULT_REGION", // else cdklocal removes the region
		"CDK_DISABLE_CLI_TELEMETRY=1", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1",
	)
	return p.run(ctx, log, env, filepath.Join(p.Root, "node_modules", ".bin", "cdklocal"),
		append(args, "--ci", "--no-notices")...)
}

// bootstrapped reports whether the engine is bootstrapped for CDK.
func bootstrapped(ctx context.Context, endpoint string) (bool, error) {
	name := "CDKToolkit"
	_, err := cloudformation.NewFromConfig(Config(endpoint)).DescribeStacks(ctx,
		&cloudformation.DescribeStacksInput{StackName: &name})
	if apiErr := smithy.APIError(nil); errors.As(err, &apiErr) && apiErr.ErrorCode() == "ValidationError" {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading stack CDKToolkit: %w", err)
	}
	return true, nil
}

// ReadOutputs reads a file that `cdk deploy --outputs-file` wrote for one stack.
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
