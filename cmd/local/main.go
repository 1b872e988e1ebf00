// Command local runs the stack on this machine: see `make help`.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/demo"
)

type commands struct {
	Up    upCommand    `cmd:"" help:"Start the local engine, deploy the stack and serve its pipes, or update it."`
	Down  downCommand  `cmd:"" help:"Stop what up started."`
	Demo  demoCommand  `cmd:"" help:"Do up, send a run through the stack and check the result."`
	Pipes pipesCommand `cmd:"" help:"Serve the pipes of the deployed stack (up starts this in the background)."`
}

type upCommand struct{ upOptions }

// upOptions are shared by up and demo.
type upOptions struct {
	Port    int      `env:"PORT" help:"Port of the local engine (default: the running engine's, else 4566)."`
	Context []string `short:"c" sep:"none" help:"A setting of the CDK app, as key=value. May be repeated."`
	Verbose bool     `env:"VERBOSE" short:"v" help:"Show the output of the programs that are run."`
}

type downCommand struct{}

type demoCommand struct {
	upOptions
	demo.Options
}

type pipesCommand struct {
	Port int `required:"" help:"Port of the local engine."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	project, err := local.FindProject()
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
	command := kong.Parse(&commands{}, kong.Name("local"), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(project))
	command.FatalIfErrorf(command.Run())
}

func (c *upCommand) Run(ctx context.Context, project local.Project) error {
	if err := c.up(ctx, project); err != nil {
		return err
	}
	fmt.Println("The local stack is running. Outputs: .local/outputs.json. Logs: .local/*.log. To stop it: make down")
	return nil
}

func (o upOptions) up(ctx context.Context, project local.Project) error {
	log := local.Log{Steps: os.Stdout, Output: io.Discard}
	if o.Verbose {
		log.Output = os.Stderr
	}
	return project.Up(ctx, o.Port, o.Context, log)
}

func (c *demoCommand) Run(ctx context.Context, project local.Project) error {
	if err := c.Check(); err != nil {
		return err
	}
	if err := c.up(ctx, project); err != nil {
		return err
	}
	return demo.Run(ctx, project, c.Options, os.Stdout)
}

func (c *downCommand) Run(ctx context.Context, project local.Project) error {
	was, err := project.Down(ctx)
	if err != nil {
		return err
	}
	if was {
		fmt.Println("The local stack is stopped.")
	} else {
		fmt.Println("The local stack was not running.")
	}
	return nil
}

func (c *pipesCommand) Run(ctx context.Context, project local.Project) error {
	pipes, err := project.DeployedPipes(ctx, c.Port)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	for _, pipe := range pipes {
		log.Info("pipe", "name", pipe.Name, "source", pipe.Source, "target", pipe.Target,
			"batchSize", pipe.BatchSize, "batchWindow", pipe.BatchWindow, "synchronous", pipe.Synchronous)
	}
	return local.RunPipes(ctx, local.Config(local.Endpoint(c.Port)), pipes, log)
}
