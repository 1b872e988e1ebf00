// The program first-deployment asks AWS what only AWS can answer. It makes a deployment of its own, removes it again
// and prints a table of facts. docs/first-deployment.md lists what is known by other means.
//
//	go run ./tools/first-deployment          # prints the plan and its costs
//	go run ./tools/first-deployment --yes    # carries it out
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
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"snapshot-status-checker/local"
)

// plan is what --yes agrees to.
const plan = `This deploys the system to account %[1]s, region %[2]s, as stack
%[3]s, asks AWS about it, and removes it again:

  1. validate the state machine's definition; test each task state with mocked results (creates nothing)
  2. create a topic for alarms and two queues that listen; cdk deploy, environment %[4]s
  3. send a run of 5 collections through it, with duplicates, one malformed message and a late status
  4. wait for its alarm RejectedMessages
  5. deny increment its right to write to DynamoDB, wait for the alarms, allow it again, replay the message
  6. cdk diff; delete the stack and everything else that was created; %[5]s

It takes 30 to 50 minutes, mostly waiting for alarms, and costs a few cents, never more than a dollar: alarms, metrics
and a dashboard for an hour, a few hundred state transitions, calls and messages. It changes nothing that it did not
create. The region must be bootstrapped for CDK (npx cdk bootstrap), and you need an administrator's rights.
Ctrl-C ends it early and cleans up.
`

// maxDuration bounds all questions together, so that a deployment that hangs is removed within the hour.
const maxDuration = 50 * time.Minute

type command struct {
	Yes          bool   `help:"Carry it out. Without this, only print the plan."`
	Profile      string `help:"Profile of the AWS configuration files."`
	Region       string `help:"Region (default: the profile's)."`
	Environment  string `placeholder:"NAME" help:"Name of a new environment (default: first- and 6 random letters)."`
	DeleteTables bool   `help:"Delete the two tables too, which remain after the stack."`
}

func main() {
	var c command
	kong.Parse(&c, kong.Name("first-deployment"), kong.Description(
		"Asks AWS what only AWS can answer: deploys the system under a new name, prints facts, and cleans up."))
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

// run reports whether every fact is as expected. Without --yes there are none.
func (c *command) run(ctx context.Context, out io.Writer) (good bool, err error) {
	t, err := c.newTrial(ctx)
	if err != nil {
		return false, err
	}
	tables := "its two tables remain (--delete-tables deletes them too)"
	if c.DeleteTables {
		tables = "delete its two tables"
	}
	fmt.Fprintf(out, plan, t.account, t.config.Region, t.stack, t.environment, tables)
	if !c.Yes {
		fmt.Fprintln(out, "\nNothing was done. To carry it out, add --yes.")
		return true, nil
	}
	if err := t.unused(ctx); err != nil {
		return false, err
	}
	within, cancel := context.WithTimeout(ctx, maxDuration)
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
		return nil, errors.New("no region: set --region, AWS_REGION or the profile's region")
	}
	caller, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("reading the caller's identity (set --profile, or sign in): %w", err)
	}
	if c.Environment == "" {
		c.Environment = "first-" + strings.ToLower(rand.Text()[:6])
	}
	cdk := commandLine{project: project, profile: c.Profile, region: config.Region}
	t := newTrial(config, aws.ToString(caller.Account), c.Environment, cdk)
	t.deleteTables = c.DeleteTables
	return t, nil
}

// unused returns an error if the stack exists, since the trial removes it at the end.
func (t *trial) unused(ctx context.Context) error {
	stack, err := t.find(ctx, &t.stack)
	if err == nil && stack != nil {
		err = fmt.Errorf("stack %s exists, and the trial would remove it: use another --environment", t.stack)
	}
	return err
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

// serve does nothing: AWS serves the pipes.
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
