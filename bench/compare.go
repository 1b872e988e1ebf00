package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"snapshot-status-checker/internal/local"
)

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
	fmt.Print(sideBySideTable(found[0], found[1]))
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

// sideBySideTable shows what both results have.
func sideBySideTable(a, b results) string {
	var lines [][]string
	add := func(what string, x, y float64) {
		ratio := "-"
		if x != 0 {
			ratio = fmt.Sprintf("%.2f", y/x)
		}
		lines = append(lines, []string{what, number(x), number(y), ratio})
	}
	for _, name := range names {
		x, hasX := a.best(name)
		y, hasY := b.best(name)
		if hasX && hasY {
			add(name+": files a second", x.filesPerSecond(), y.filesPerSecond())
		}
		before, hadBefore := a.cost(name)
		after, hasAfter := b.cost(name)
		if hadBefore && hasAfter {
			add(name+": calls a file", before.perFile(float64(before.allCalls())), after.perFile(float64(after.allCalls())))
			add(name+": write units a file", before.perFile(before.Functions.writeUnits()), after.perFile(after.Functions.writeUnits()))
			add(name+": read units a file", before.perFile(before.Functions.readUnits()), after.perFile(after.Functions.readUnits()))
			add(name+": states a file", before.perFile(float64(before.States)), after.perFile(float64(after.States)))
			add(name+": USD a million files", before.Million, after.Million)
		}
	}
	for _, x := range a.Functions {
		for _, y := range b.Functions {
			if x.Task == y.Task {
				add(x.Task+": cold start, ms", x.ColdStart.Seconds()*1000, y.ColdStart.Seconds()*1000)
				add(x.Task+": MB on disk", mb(x.Size), mb(y.Size))
				add(x.Task+": MB in memory", mb(x.LoadMemory), mb(y.LoadMemory))
			}
		}
	}
	for _, x := range a.Ceilings {
		for _, y := range b.Ceilings {
			if x.Call == y.Call {
				add("engine: "+x.Call+", a second", x.PerSecond, y.PerSecond)
			}
		}
	}
	var out strings.Builder
	writeTable(&out, []string{"", a.Taken.Format("2006-01-02 15:04"), b.Taken.Format("2006-01-02 15:04"), "ratio"}, lines)
	return out.String()
}
