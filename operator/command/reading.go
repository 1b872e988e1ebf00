package command

import (
	"bytes"
	"encoding/json"
	"fmt"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
	"snapshot-status-checker/operator/visible"
)

// reader reads the deployment's tables.
func (a *app) reader() (*store.Store, report.Settings, error) {
	if a.source != nil {
		reader, settings := a.source()
		return reader, settings, nil
	}
	found, err := a.deployment()
	if err == nil {
		err = found.Missing("ExportStatusTableName", "LedgerTableName")
	}
	if err != nil {
		return nil, report.Settings{}, err
	}
	return found.Store(), report.Settings{Exempt: found.Settings.ExemptStatuses,
		StalledAfter: found.Settings.StalledAfter}, nil
}

// run reads a run and describes it. One that neither table knows is exitNotFound.
func (a *app) run(correlationID string) (report.Run, error) {
	reader, settings, err := a.reader()
	if err != nil {
		return report.Run{}, err
	}
	state, err := a.state(reader, correlationID)
	if err != nil {
		return report.Run{}, err
	}
	return report.New(correlationID, state, settings, a.now()), nil
}

// state reads a run. One that neither table knows is exitNotFound.
func (a *app) state(reader *store.Store, correlationID string) (store.RunState, error) {
	state, err := reader.Run(a, correlationID)
	if err == nil && state.Run == nil && len(state.Collections) == 0 {
		err = answer{exitNotFound, fmt.Sprintf("neither table knows run %s; list the runs: %s",
			visible.Quote(correlationID), a.command.Do("runs"))}
	}
	return state, err
}

// collection finds a run's collection, also by its name without the leading "db.".
func (a *app) collection(run report.Run, name string) (report.Collection, error) {
	for _, wanted := range []string{name, "db." + name} {
		for _, c := range run.Collections {
			if c.Collection == wanted {
				return c, nil
			}
		}
	}
	return report.Collection{}, answer{exitNotFound, fmt.Sprintf("run %s has no collection %s; list them: %s",
		run.Run, visible.Quote(name), a.command.Do("show", run.Run))}
}

func (a *app) printer() show.Printer { return show.Printer{Out: a.out, Colors: a.colors, Now: a.now()} }

// printJSON writes a value as one JSON document.
func (a *app) printJSON(value any) error {
	return a.writeJSON(value, "  ")
}

// writeJSON writes a value in JSON, of which a terminal obeys nothing.
func (a *app) writeJSON(value any, indent string) error {
	var document bytes.Buffer
	encoder := json.NewEncoder(&document)
	encoder.SetIndent("", indent)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	if _, err := a.out.Write(visible.JSON(document.Bytes())); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// notDone is exitNotDone without a text, if it is not done.
func notDone(done bool) error {
	if done {
		return nil
	}
	return answer{code: exitNotDone}
}
