package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"snapshot-status-checker/local"
)

// version is a version of the system: the present one, or the one that it is measured against.
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

// running is a version that is deployed to an engine of its own.
type running struct {
	*version
	world *world
	sub   *subject
}

// deployed deploys all versions and does something with them, in every other round with the present one first. So what
// is
// compared is measured within the same minute.
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
	return s.in(ctx, counts, v.memory, func(w *world) (*subject, error) {
		sub, err := w.deployStack(ctx, v.project, workflowType)
		if err != nil {
			return nil, fmt.Errorf("the version%s: %w", v.label, err)
		}
		v.environments = map[string][]string{}
		for _, function := range sub.functions {
			v.environments[function.task] = function.environ()
		}
		return sub, s.deployNext(ctx, versions[1:], counts, workflowType, func(all []running) error {
			return do(append([]running{{v, w, sub}}, all...))
		})
	})
}

// each does something with one version after the other.
func each(all []running, do func(running) error) error {
	for _, r := range all {
		if err := do(r); err != nil {
			return fmt.Errorf("the version%s: %w", r.label, err)
		}
	}
	return nil
}
