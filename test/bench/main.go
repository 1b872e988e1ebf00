// Command bench measures the system on the local engine, against a baseline and against the engine itself.
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
	Run     runCommand     `cmd:"" help:"Measure everything and write docs/benchmarks.md."`
	Compare compareCommand `cmd:"" help:"Compare two runs of the benchmarks."`
}

type runCommand struct {
	options   `embed:""`
	Base      string `env:"BASE" help:"A commit to measure too and to compare with."`
	MicroTime string `env:"MICRO_TIME" default:"100ms" help:"Time of each Go benchmark, six times."`
	Report    string `env:"REPORT" default:"docs/benchmarks.md" help:"The report to write; -: none, and no prices."`
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
	if min(c.Files, c.FilesPerCollection, c.CountFiles, c.ColdStarts, c.Rounds) < 1 ||
		c.WorkMessages < 4*workCollections {
		return fmt.Errorf("FILES, FILES_PER_COLLECTION, COUNT_FILES, COLD_STARTS and ROUNDS must be 1 or more, "+
			"WORK_MESSAGES %d or more", 4*workCollections)
	}
	c.Project, c.Log = project, os.Stderr
	var base *local.Project
	var label string
	if c.Base != "" {
		checkedOut, short, err := checkOut(ctx, project, c.Base)
		if err != nil {
			return err
		}
		base, label = &checkedOut, short
	}
	found, failed := newSuite(c.options, base, label).runAll(ctx)
	folder := filepath.Join(project.Root, "build", "bench", found.Taken.Format("2006-01-02T15-04-05"))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return errors.Join(failed, fmt.Errorf("making the folder of the results: %w", err))
	}
	if err := errors.Join(failed, found.save(folder)); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "Go benchmarks")
	micro, err := runMicro(ctx, project, folder, c.MicroTime)
	if err != nil {
		return err
	}
	report := writeReport(found, micro)
	fmt.Println(report.table)
	if c.Report != "-" {
		if err := os.WriteFile(filepath.Join(project.Root, c.Report), []byte(report.document), 0o644); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
		if err := putPrices(filepath.Join(project.Root, "docs", "reference.md"), found); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "raw results: %s\n", folder)
	return nil
}
