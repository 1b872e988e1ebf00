// Command bench measures the system on the local engine, beside a plain baseline and another version of itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/local"
)

type commands struct {
	Run     runCommand     `cmd:"" help:"Measure, and write docs/benchmarks.md and the prices in docs/reference.md."`
	Compare compareCommand `cmd:"" help:"Compare two results of run."`
}

type runCommand struct {
	Size   `embed:""`
	Base   string `env:"BASE" help:"A commit to measure too and to compare with."`
	Report string `env:"REPORT" default:"docs/benchmarks.md" help:"The page to write; -: none, and no prices."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	project, err := local.FindProject()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	command := kong.Parse(&commands{}, kong.Name("bench"), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(project))
	command.FatalIfErrorf(command.Run())
}

func (c *runCommand) Run(ctx context.Context, project local.Project) error {
	if c.Files < 1 || c.Rounds < 1 {
		return errors.New("FILES and ROUNDS must be 1 or more")
	}
	versions := []version{{project: project}}
	if c.Base != "" {
		base, err := checkOut(ctx, project, c.Base)
		if err != nil {
			return err
		}
		versions = []version{base, versions[0]}
	}
	found, err := measureAll(ctx, project, versions, c.Size, os.Stderr)
	if err != nil {
		return err
	}
	file := resultsFile(project, found.Taken.Format("2006-01-02T15-04-05"))
	if err := found.save(file); err != nil {
		return err
	}
	fmt.Print(found.tables())
	fmt.Fprintln(os.Stderr, "results:", file)
	if c.Report == "-" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(project.Root, c.Report), []byte(found.page()), 0o644); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return putPrices(filepath.Join(project.Root, "docs", "reference.md"), found)
}

type compareCommand struct {
	A string `arg:"" help:"The older results: a file, or a name in build/bench."`
	B string `arg:"" help:"The newer ones."`
}

func (c *compareCommand) Run(project local.Project) error {
	older, errA := readResults(project, c.A)
	newer, errB := readResults(project, c.B)
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	fmt.Print(compareResults(older, newer))
	return nil
}
