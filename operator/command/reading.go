package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// reader reads the deployment's tables.
func (a *app) reader() (*store.Store, report.Settings, error) {
	if a.source != nil {
		reader, settings := a.source()
		return reader, settings, nil
	}
	found, err := a.deploymentWith("ExportStatusTableName", "LedgerTableName")
	if err != nil {
		return nil, report.Settings{}, err
	}
	return found.Store(), report.Settings{Exempt: found.Settings.ExemptStatuses,
		StalledAfter: found.Settings.StalledAfter, LateAfter: found.Settings.LateAfter}, nil
}

// run reads a run and describes it. If neither table knows it, the error is exitNotFound.
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

// state reads a run. If neither table knows it, the error is exitNotFound.
func (a *app) state(reader *store.Store, correlationID string) (store.RunState, error) {
	state, err := reader.Run(a, correlationID)
	if err == nil && state.Run == nil && len(state.Collections) == 0 {
		err = exit{exitNotFound, fmt.Sprintf("run %s is in neither table; list the runs: %s",
			show.Quote(correlationID), a.command.Do("runs"))}
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
	return report.Collection{}, exit{exitNotFound, fmt.Sprintf("run %s has no collection %s; list them: %s",
		run.Run, show.Quote(name), a.command.Do("show", run.Run))}
}

// concurrent is how many runs or collections are read concurrently.
const concurrent = 8

// receipts passes the receipts of a run's collections to visit with the index of their collection, concurrently those
// of several collections.
func (a *app) receipts(reader *store.Store, run string, collections []string, visit func(int, store.Receipt) error,
) error {
	group, ctx := errgroup.WithContext(a)
	group.SetLimit(concurrent)
	for i, name := range collections {
		group.Go(func() error {
			return reader.Receipts(ctx, snapshot.CollectionKey{CorrelationID: run, CollectionName: name},
				func(receipt store.Receipt) error { return visit(i, receipt) })
		})
	}
	return group.Wait()
}

// namesOf are the names of the collections that have a row.
func namesOf(state store.RunState) (names []string) {
	for _, one := range state.Collections {
		names = append(names, one.Row.CollectionName)
	}
	return names
}

func (a *app) printer(out io.Writer) show.Printer {
	return show.Printer{Out: out, Colors: a.colors, Now: a.now()}
}

// answer writes the answer of a command: the value in JSON, or its text for people.
func (a *app) answer(value any, text func(show.Printer)) error {
	if a.json {
		return a.writeJSON(value, "  ")
	}
	return a.print(text)
}

// print writes a text for people.
func (a *app) print(text func(show.Printer)) error {
	var out bytes.Buffer
	text(a.printer(&out))
	return a.write(out.Bytes())
}

func (a *app) write(text []byte) error {
	if _, err := a.out.Write(text); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// writeJSON writes a value in JSON that a terminal shows and does not interpret.
func (a *app) writeJSON(value any, indent string) error {
	var document bytes.Buffer
	encoder := json.NewEncoder(&document)
	encoder.SetIndent("", indent)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return a.write(show.JSON(document.Bytes()))
}

// notDone is the error of writing the answer or, if it was written and says no, exitNotDone.
func notDone(done bool, err error) error {
	if err == nil && !done {
		return exit{code: exitNotDone}
	}
	return err
}
