// The program first-deployment asks AWS what only AWS can answer, by a deployment of its own that it removes again, and
// prints a table of facts. docs/first-deployment.md says what else is known, and by which means.
//
//	go run ./tools/first-deployment          # says what it would do, and what that costs
//	go run ./tools/first-deployment --yes    # does it
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"snapshot-status-checker/local"
)

// plan is what a person agrees to by --yes.
const plan = `This deploys the system to account %[1]s, region %[2]s, as stack
%[3]s, asks AWS about it, and removes it again:

  1. validate the state machine's definition; test each of its task states with mocked results (nothing is made)
  2. make a topic for alarms and two queues that listen; cdk deploy, environment %[4]s
  3. send a run of 5 collections through it, with duplicates, one bad message and a late status
  4. wait until its alarm RejectedMessages goes off
  5. deny increment its right to write to DynamoDB, wait until the alarms say so, allow it again, replay the message
  6. cdk diff; delete the stack and all else that this made; %[5]s

It takes 30 to 50 minutes, most of them waiting for alarms, and costs a few cents: alarms, metrics and a dashboard for an
hour, a few hundred state transitions, calls and messages. In any case it is less than a dollar. It touches nothing that
it did not make. The region has to be bootstrapped for CDK (npx cdk bootstrap), and you need an administrator's rights.
Ctrl-C ends it early; it cleans up then too.
`

// longest bounds all questions together, so that a deployment which hangs is removed within the hour.
const longest = 50 * time.Minute

type command struct {
	Yes          bool   `help:"Do it. Without this, only say what would be done."`
	Profile      string `help:"Profile of the AWS configuration files."`
	Region       string `help:"Region (default: the profile's)."`
	Environment  string `placeholder:"NAME" help:"Name of a new environment (default: first- and 6 random letters)."`
	DeleteTables bool   `help:"Delete the two tables too, which outlive the stack."`
}

func main() {
	var c command
	kong.Parse(&c, kong.Name("first-deployment"), kong.Description(
		"Asks AWS what only AWS can answer: deploys the system under a name of its own, prints facts, and cleans up."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the cleaning up as well
	good, err := c.run(ctx, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "first-deployment:", err)
	}
	if !good {
		os.Exit(1)
	}
}

// run tells whether every fact is as it should be. Without --yes there are none.
func (c *command) run(ctx context.Context, out io.Writer) (good bool, err error) {
	t, err := c.newTrial(ctx)
	if err != nil {
		return false, err
	}
	tables := "its two tables, empty but for the run, stay (--delete-tables deletes them too)"
	if c.DeleteTables {
		tables = "delete its two tables"
	}
	fmt.Fprintf(out, plan, t.account, t.config.Region, t.stack, t.environment, tables)
	if !c.Yes {
		fmt.Fprintln(out, "\nNothing was done. Say --yes to do it.")
		return true, nil
	}
	if err := t.unused(ctx); err != nil {
		return false, err
	}
	within, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	t.run(within)
	printFacts(out, t.facts)
	return allGood(t.facts), nil
}

func (c *command) newTrial(ctx context.Context) (*trial, error) {
	project, err := local.FindProject()
	if err != nil {
		return nil, err
	}
	config, err := awsconfig.LoadDefaultConfig(ctx,
		awsconfig.WithSharedConfigProfile(c.Profile), awsconfig.WithRegion(c.Region))
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if config.Region == "" {
		return nil, errors.New("no region: set --region or AWS_REGION, or one in the profile")
	}
	caller, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("asking AWS who calls (set --profile, or sign in): %w", err)
	}
	if c.Environment == "" {
		c.Environment = "first-" + strings.ToLower(rand.Text()[:6])
	}
	cdk := commandLine{project: project, profile: c.Profile, region: config.Region}
	t := newTrial(config, aws.ToString(caller.Account), c.Environment, cdk)
	t.deleteTables = c.DeleteTables
	return t, nil
}

// unused makes sure that the stack does not exist yet, since it is removed at the end.
func (t *trial) unused(ctx context.Context) error {
	found, err := cloudformation.NewFromConfig(t.config).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{
		StackName: &t.stack,
	})
	if err == nil && len(found.Stacks) > 0 {
		return fmt.Errorf("stack %s exists, and this would remove it: name another --environment", t.stack)
	}
	if err != nil && !noStack(err) {
		return fmt.Errorf("looking whether stack %s exists: %w", t.stack, err)
	}
	return nil
}

// commandLine is the project's pinned CDK command line, for AWS.
type commandLine struct {
	project         local.Project
	profile, region string
}

func (c commandLine) deploy(ctx context.Context, settings []string) error {
	return c.run(ctx, settings, "deploy", "--require-approval", "never", "--progress", "events")
}

func (c commandLine) diff(ctx context.Context, settings []string) error {
	return c.run(ctx, settings, "diff", "--fail")
}

// serve has nothing to do: AWS serves pipes itself.
func (c commandLine) serve(context.Context, string) error { return nil }

func (c commandLine) run(ctx context.Context, settings []string, args ...string) error {
	program := filepath.Join(c.project.Root, "node_modules", ".bin", "cdk")
	if _, err := os.Stat(program); err != nil {
		return errors.New("the CDK command line is not installed: run npm ci")
	}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	if c.profile != "" {
		args = append(args, "--profile", c.profile)
	}
	cmd := exec.CommandContext(ctx, program, append(args, "--no-notices")...)
	cmd.Dir = c.project.Root
	cmd.Env = append(os.Environ(), "AWS_REGION="+c.region, "AWS_DEFAULT_REGION="+c.region)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cdk %s (its output is above): %w", args[0], err)
	}
	return nil
}
