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
	"time"

	"github.com/alecthomas/kong"

	"snapshot-status-checker/local"
)

type commands struct {
	Run     runCommand     `cmd:"" help:"Measure everything; print a table, write docs/benchmarks.md, keep the raw results in build/bench/<time>/."`
	Compare compareCommand `cmd:"" help:"Show two runs side by side."`
}

type runCommand struct {
	Files              int           `env:"FILES" default:"1000" help:"Files of a run at batch size 1; twice as many at 10, four times at 100."`
	FilesPerCollection int           `env:"FILES_PER_COLLECTION" default:"100" help:"Files of a collection, at most."`
	InFlight           int           `env:"IN_FLIGHT" default:"10" help:"Collections whose receipts are mixed; 0: all of the run."`
	CountFiles         int           `env:"COUNT_FILES" default:"1000" help:"Files of a run that is counted, and of a hot collection."`
	Base               string        `env:"BASE" help:"A commit: its version is measured too, before the present one, and compared."`
	Rounds             int           `env:"ROUNDS" default:"1" help:"How often the speeds are measured, in turn; the best counts."`
	WorkMessages       int           `env:"WORK_MESSAGES" default:"2000" help:"Messages through a function's own process at batch size 1; five times as many at 100."`
	CeilingFor         time.Duration `env:"CEILING_FOR" default:"1500ms" help:"How long each kind of bare call is made."`
	ColdStarts         int           `env:"COLD_STARTS" default:"21" help:"Starts of each function."`
	MicroTime          string        `env:"MICRO_TIME" default:"100ms" help:"Time of each Go benchmark, six times."`
	Report             string        `env:"REPORT" default:"docs/benchmarks.md" help:"The report to write, in the project's folder, and with it the table of prices in the README; -: neither."`
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

// functionConcurrency is what the engine allows, as an account's limit does.
const functionConcurrency = 100

func (c *runCommand) Run(ctx context.Context, project local.Project) error {
	if min(c.Files, c.FilesPerCollection, c.CountFiles, c.ColdStarts, c.Rounds) < 1 ||
		c.WorkMessages < 4*workCollections {
		return fmt.Errorf("FILES, FILES_PER_COLLECTION, COUNT_FILES, COLD_STARTS and ROUNDS must be 1 or more, WORK_MESSAGES %d "+
			"or more", 4*workCollections)
	}
	o := options{
		Project: project, Log: os.Stderr, Files: c.Files, FilesPerCollection: c.FilesPerCollection,
		InFlight:   c.InFlight,
		CountFiles: c.CountFiles, Concurrency: functionConcurrency, CeilingFor: c.CeilingFor, ColdStarts: c.ColdStarts,
		WorkMessages: c.WorkMessages, Rounds: c.Rounds,
	}
	var base *local.Project
	var label string
	if c.Base != "" {
		checkedOut, short, err := checkOut(ctx, project, c.Base)
		if err != nil {
			return err
		}
		base, label = &checkedOut, short
	}
	found, failed := newSuite(o, base, label).runAll(ctx)
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
		if err := putPrices(filepath.Join(project.Root, "README.md"), found); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "raw results: %s\n", folder)
	return nil
}
