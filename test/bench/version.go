package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"snapshot-status-checker/local"
)

// version is a version of the system: the present one, or the one that it is compared with.
type version struct {
	label   string // what the log adds to its measurements
	project local.Project
	found   *results
	memory  map[string]int64 // peak in bytes of each task's processes
	caller  caller           // of its function that counts
	// environments are those of its functions as deployed, by task.
	environments map[string][]string
}

// tasks lists the version's functions: the folders that the Makefile builds too.
func (v *version) tasks() ([]string, error) {
	folders, err := filepath.Glob(filepath.Join(v.project.Root, "functions", "*", "bootstrap"))
	if err == nil && len(folders) == 0 {
		err = fmt.Errorf("no functions/*/bootstrap in %s", v.project.Root)
	}
	if err != nil {
		return nil, fmt.Errorf("listing the functions: %w", err)
	}
	var tasks []string
	for _, folder := range folders {
		tasks = append(tasks, filepath.Base(filepath.Dir(folder)))
	}
	return tasks, nil
}

// folderOf is the package of a task's program.
func folderOf(task string) string { return "./functions/" + task + "/bootstrap" }

// running is a version that is deployed to a testbed of its own.
type running struct {
	*version
	testbed *testbed
	sys     *system
}

// deployed deploys all versions and calls do with them, in every other round with the present one first: figures to
// compare are measured within the same minute.
func (s *suite) deployed(
	ctx context.Context, counts bool, workflowType string, round int, do func([]running) error,
) error {
	return s.deployNext(ctx, s.versions, counts, workflowType, func(all []running) error {
		if round%2 == 1 {
			slices.Reverse(all)
		}
		return do(all)
	})
}

func (s *suite) deployNext(
	ctx context.Context, versions []*version, counts bool, workflowType string, do func([]running) error,
) error {
	if len(versions) == 0 {
		return do(nil)
	}
	v := versions[0]
	return s.inTestbed(ctx, counts, v.memory, func(w *testbed) (*system, error) {
		sys, err := w.deployStack(ctx, v.project, workflowType)
		if err != nil {
			return nil, fmt.Errorf("the version%s: %w", v.label, err)
		}
		if v.caller, err = w.callerOf(ctx, sys); err != nil {
			return nil, fmt.Errorf("the version%s: %w", v.label, err)
		}
		v.environments = map[string][]string{}
		for _, function := range sys.functions {
			v.environments[function.task] = function.environ()
		}
		return sys, s.deployNext(ctx, versions[1:], counts, workflowType, func(all []running) error {
			return do(append([]running{{v, w, sys}}, all...))
		})
	})
}

// each calls do with one version after the other.
func each(all []running, do func(running) error) error {
	for _, r := range all {
		if err := do(r); err != nil {
			return fmt.Errorf("the version%s: %w", r.label, err)
		}
	}
	return nil
}

// inspectAll builds the functions of all versions and the baseline's, and measures their programs.
func (s *suite) inspectAll(ctx context.Context) error {
	for _, v := range s.versions {
		tasks, err := v.tasks()
		if err != nil {
			return err
		}
		for _, task := range tasks {
			found, err := inspect(ctx, v.project, folderOf(task), v.environments[task], s.ColdStarts)
			if err != nil {
				return err
			}
			found.Task, found.LoadMemory = task, v.memory[task]
			v.found.Functions = append(v.found.Functions, found)
		}
	}
	found, err := inspect(ctx, s.Project, baselineFolder, nil, s.ColdStarts)
	found.Task, found.LoadMemory = baselineName, s.memory[baselineName]
	s.Functions = append(s.Functions, found)
	return err
}

func inspect(
	ctx context.Context, project local.Project, folder string, env []string, starts int,
) (function, error) {
	dir, err := os.MkdirTemp("", "bench-functions-")
	if err != nil {
		return function{}, fmt.Errorf("making a folder to build in: %w", err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "bootstrap")
	if err := buildFunction(ctx, project, folder, program); err != nil {
		return function{}, err
	}
	file, err := os.Stat(program)
	if err != nil {
		return function{}, fmt.Errorf("reading the size of %s: %w", folder, err)
	}
	typical, err := typicalStart(ctx, program, slices.Concat(lambdaEnvironment(), env), starts)
	return function{Size: file.Size(), ColdStart: typical.Wall, ColdCPU: typical.CPU, ColdMemory: typical.Memory}, err
}
