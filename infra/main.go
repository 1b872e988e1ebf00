// Command infra is the CDK app of the snapshot status checker: it reads the context's settings, builds the functions
// and makes the stack. It is the only importer of CDK.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	err := run()
	jsii.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	app := awscdk.NewApp(nil)
	settings, err := ReadSettings(contextOf(app))
	if err != nil {
		return fmt.Errorf("reading the context's settings:\n%w", err)
	}
	goarch := settings.Architecture.GOARCH()
	if err := buildFunctions(goarch); err != nil {
		return fmt.Errorf("building the functions for %s: %w", goarch, err)
	}
	NewStack(app, settings, "build/functions/"+goarch)
	app.Synth(nil)
	return nil
}

// contextOf is the whole context: of cdk.json, of the command line itself, and of `-c`.
func contextOf(app awscdk.App) map[string]any {
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	return context
}

// buildFunctions makes build/functions/<goarch>/<task>/bootstrap for every task, so that `cdk deploy` builds what it
// deploys.
func buildFunctions(goarch string) error {
	command := exec.Command("make", "--no-print-directory", "functions", "GOARCH="+goarch)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	command.Env = environment()
	return command.Run()
}

// environment is ours without the options of a make that may have called us.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "MAKEFLAGS=") || strings.HasPrefix(variable, "MAKELEVEL=")
	})
}
