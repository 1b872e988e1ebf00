package deployment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/caarlos0/env/v11"

	"snapshot-status-checker/internal/function/settings"
	"snapshot-status-checker/local"
)

// DefaultStack is the stack that `cdk deploy` makes without further settings.
const DefaultStack = "snapshot-sender-status-checker-dev"

// Where says where to find a deployment. The zero Where is the local stack if it is up in the project of the working
// directory, else DefaultStack of the default credentials' account.
type Where struct {
	Local   bool          // the local stack and nothing else
	Stack   string        // a stack on AWS
	Profile string        // of the AWS configuration files; "" for the default
	Region  string        // "" for the profile's
	Names   local.Outputs // of single resources, in place of the stack's
}

// Find finds the deployment, with its settings. Its errors say what to do.
func (w Where) Find(ctx context.Context) (Deployment, error) {
	found, err := w.Locate(ctx)
	if err == nil {
		found.Settings, err = found.settings(ctx)
	}
	return found, err
}

// Locate finds the deployment without its Settings.
func (w Where) Locate(ctx context.Context) (Deployment, error) {
	elsewhere := w != Where{Local: w.Local}
	if w.Local && elsewhere {
		return Deployment{}, errors.New("--local needs no other flags: leave out --stack, --profile, --region and " +
			"the resources' names, or leave out --local")
	}
	if !elsewhere {
		if found, err := findLocal(); err == nil || w.Local {
			return found, err
		}
	}
	found, err := w.findOnAWS(ctx)
	if err == nil {
		found.name(w.Names)
	}
	return found, err
}

func findLocal() (Deployment, error) {
	project, err := local.FindProject()
	if err != nil {
		return Deployment{}, fmt.Errorf("finding the local stack: run this inside the project: %w", err)
	}
	stack, outputs, err := local.ReadOutputs(project.OutputsFile())
	if errors.Is(err, os.ErrNotExist) {
		return Deployment{}, errors.New("the local stack is not up: start it with `make up`")
	}
	if err != nil {
		return Deployment{}, err
	}
	port, err := project.EnginePort()
	if err != nil {
		return Deployment{}, err
	}
	if port == 0 {
		return Deployment{}, errors.New("the local engine has ended: start it again with `make up`")
	}
	return Deployment{Outputs: outputs, Stack: stack, Local: true, Config: local.Config(local.Endpoint(port))}, nil
}

func (w Where) findOnAWS(ctx context.Context) (Deployment, error) {
	config, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithSharedConfigProfile(w.Profile),
		awsconfig.WithRegion(w.Region))
	if err != nil {
		return Deployment{}, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if config.Region == "" {
		return Deployment{}, errors.New(
			"no region: set --region or AWS_REGION, or one in the profile (or start the local stack with `make up`)")
	}
	if w.Stack == "" && w.Names != (local.Outputs{}) {
		return Deployment{Config: config}, nil
	}
	stack := cmp.Or(w.Stack, DefaultStack)
	outputs, err := ReadStack(ctx, config, stack)
	return Deployment{Outputs: outputs, Stack: stack, Config: config}, err
}

// ReadStack reads the outputs of a deployed stack.
func ReadStack(ctx context.Context, config aws.Config, stack string) (local.Outputs, error) {
	var outputs local.Outputs
	described, err := cloudformation.NewFromConfig(config).DescribeStacks(ctx,
		&cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		return outputs, fmt.Errorf("finding stack %s in %s (another one: --stack, --profile, --region): %w", stack,
			config.Region, err)
	}
	for _, output := range described.Stacks[0].Outputs {
		field := reflect.ValueOf(&outputs).Elem().FieldByName(aws.ToString(output.OutputKey))
		if field.IsValid() {
			field.SetString(aws.ToString(output.OutputValue))
		}
	}
	if outputs.LedgerTableName == "" {
		return outputs, fmt.Errorf("stack %s has no output LedgerTableName: it is not a snapshot status checker; name "+
			"another one with --stack", stack)
	}
	return outputs, nil
}

// name replaces outputs by the names that were given.
func (d *Deployment) name(names local.Outputs) {
	from, to := reflect.ValueOf(names), reflect.ValueOf(&d.Outputs).Elem()
	for i := range from.NumField() {
		if given := from.Field(i).String(); given != "" {
			to.Field(i).SetString(given)
		}
	}
}

// flags are the command line's names for the outputs.
var flags = map[string]string{
	"ExportStatusTableName": "--export-status-table", "LedgerTableName": "--ledger-table",
	"FileReceivedQueueUrl": "--file-received-queue", "ExportStateQueueUrl": "--export-state-queue",
	"RejectedMessagesQueueUrl": "--rejected-queue", "MonitoringTopicArn": "--monitoring-topic",
	"StateMachineArn": "--state-machine",
}

// Missing returns an error that names the flag for each of these outputs that the deployment lacks.
func (d Deployment) Missing(outputs ...string) error {
	var missing []string
	for _, output := range outputs {
		if reflect.ValueOf(d.Outputs).FieldByName(output).String() == "" {
			missing = append(missing, flags[output])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("unknown resources: name a stack (--stack), or the resources: %s", strings.Join(missing, ", "))
}

// settings reads the settings of the sweep, which has them all. Without a stack or a state machine its name is unknown;
// then they are the defaults.
func (d Deployment) settings(ctx context.Context) (Settings, error) {
	defaults := Settings{StalledAfter: time.Hour}
	if d.stackName() == "" {
		return defaults, nil
	}
	name := d.FunctionName("sweep")
	function, err := lambda.NewFromConfig(d.Config).GetFunctionConfiguration(ctx,
		&lambda.GetFunctionConfigurationInput{FunctionName: &name})
	var found Settings
	switch {
	case err == nil && function.Environment == nil:
		return defaults, nil
	case err == nil:
		found, err = SettingsOf(function.Environment.Variables)
	}
	if err != nil {
		return Settings{}, fmt.Errorf("reading the settings of function %s (doctor checks the deployment): %w", name,
			err)
	}
	return found, nil
}

// SettingsOf reads the settings from the sweep's environment variables.
func SettingsOf(variables map[string]string) (Settings, error) {
	if variables == nil {
		variables = map[string]string{} // nil would be the environment of this process
	}
	sweep, err := env.ParseAsWithOptions[settings.Sweep](env.Options{Environment: variables})
	return Settings{ExemptStatuses: sweep.ExemptStatuses,
		StalledAfter: time.Duration(sweep.StalledAfterMinutes) * time.Minute, LateAfter: sweep.LateAfter,
		CountBy: sweep.CountBy, LogLevel: slog.Level(sweep.LogLevel)}, err
}
