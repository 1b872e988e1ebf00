package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"snapshot-status-checker/local"
)

// Size is how much is measured.
type Size struct {
	Files  int `env:"FILES" default:"1000" help:"Files of a run in batches of 1; other runs have 2 or 4 times as many."`
	Rounds int `env:"ROUNDS" default:"1" help:"How often to measure each configuration; the fastest counts."`
}

// kinds are the systems, in the order of measurement and of the tables: beside the baseline the workflow types.
var kinds = []string{baseline, "Standard", "Express"}

// batches are the batch sizes, the largest first since it leaves the fewest function processes behind. pollers is how
// many batches are fed concurrently, times how many times the files of batch size 1 a run has, so that all runs take
// about as long.
var batches = []struct{ size, pollers, times int }{{100, 8, 4}, {10, 16, 2}, {1, 32, 1}}

// version is a version of the project.
type version struct {
	project local.Project
	commit  string // empty: the present one
}

type suite struct {
	results
	project local.Project
	log     io.Writer
	runs    int
}

// measureAll measures the baseline and then the stacks of the versions, the present one last. It writes a line for each
// step to log.
func measureAll(
	ctx context.Context, project local.Project, versions []version, size Size, log io.Writer,
) (results, error) {
	begun := time.Now()
	s := &suite{project: project, log: log, results: results{Taken: begun.UTC().Truncate(time.Second), Size: size,
		Machine: describeMachine(project), Base: versions[0].commit}}
	for _, kind := range kinds {
		of := versions
		if kind == baseline {
			of = versions[len(versions)-1:]
		}
		if err := s.measureKind(ctx, kind, of); err != nil {
			return s.results, fmt.Errorf("%s: %w", kind, err)
		}
	}
	s.Took = time.Since(begun)
	return s.results, nil
}

// measureKind deploys a system of each version, each with an engine of its own, and measures them in turn: figures to
// compare are measured one right after the other.
func (s *suite) measureKind(ctx context.Context, kind string, versions []version) (err error) {
	var systems []*system
	defer func() {
		for _, deployed := range systems {
			err = errors.Join(err, deployed.close())
		}
	}()
	for _, v := range versions {
		deployed, err := deploy(ctx, s.project, v, kind, s.log)
		if err != nil {
			return err
		}
		systems = append(systems, deployed)
	}
	for _, deployed := range systems { // a first run starts the processes
		if _, err := s.measure(ctx, deployed, batches[0].size, batches[0].pollers, s.Size.Files/2); err != nil {
			return err
		}
	}
	for _, batch := range batches {
		for range s.Size.Rounds {
			for _, deployed := range systems {
				found, err := s.measure(ctx, deployed, batch.size, batch.pollers, batch.times*s.Size.Files)
				if err != nil {
					return err
				}
				s.keep(found)
			}
			slices.Reverse(systems)
		}
	}
	if kind == "Express" {
		return nil // the functions are those of Standard
	}
	for _, deployed := range systems {
		found, err := deployed.inspect(ctx)
		if err != nil {
			return err
		}
		s.Functions = append(s.Functions, found...)
	}
	return nil
}

func (s *suite) measure(ctx context.Context, deployed *system, batch, pollers, files int) (measured, error) {
	s.runs++
	r := newRun(fmt.Sprintf("bench-%03d", s.runs), files)
	found, err := deployed.measure(ctx, r, batch, pollers)
	if err != nil {
		return measured{}, fmt.Errorf("batches of %d: %w", batch, err)
	}
	fmt.Fprintf(s.log, "%5.0f s  %d files through %s %s\n", found.Seconds, found.Files, found.name(), found.Version)
	return found, nil
}
