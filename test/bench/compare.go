package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"snapshot-status-checker/local"
)

// minute is the format of a run's name in the head of a table.
const minute = "2006-01-02 15:04"

type compareCommand struct {
	A string `arg:"" help:"A folder with results: a path, or a name in build/bench."`
	B string `arg:"" help:"The other one."`
}

func (c *compareCommand) Run(ctx context.Context, project local.Project) error {
	var folders []string
	var found []results
	for _, name := range []string{c.A, c.B} {
		folder := name
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			folder = filepath.Join(project.Root, "build", "bench", name)
		}
		read, err := readResults(folder)
		if err != nil {
			return err
		}
		folders, found = append(folders, folder), append(found, read)
	}
	fmt.Print(compared(figures(found[0], found[0]), figures(found[1], found[1]), found[0].Taken.Format(minute),
		found[1].Taken.Format(minute)))
	a, b := filepath.Join(folders[0], microFile), filepath.Join(folders[1], microFile)
	if _, err := os.Stat(a); err != nil {
		return nil // one of them has no Go benchmarks
	}
	if _, err := os.Stat(b); err != nil {
		return nil
	}
	table, err := benchstat(ctx, project, a, b)
	fmt.Print("\n", table)
	return err
}
