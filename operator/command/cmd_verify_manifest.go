package command

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/manifest"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// namesInMemory bounds the names of a manifest that are held in memory, in bytes.
const namesInMemory = 8 << 20

// manifestLine is a line of the answer of verify --manifest: a collection of the run, of the list, or of both.
type manifestLine struct {
	Run        string `json:"run"`
	Collection string `json:"collection"`
	Agrees     bool   `json:"agrees"`
	HasRow     bool   `json:"has_row"` // in the export status table
	Listed     int    `json:"listed"`  // names in the list, each once
	Arrived    int64  `json:"arrived"` // files with a receipt
	Counted    int64  `json:"counted"` // files that the ledger or the row counts, the larger number
	manifest.Comparison
}

// compare compares the files of a run with a list, some collections at a time, so that it holds the names of these
// only.
func (c *verifyCommand) compare(a *app, reader *store.Store, state store.RunState) error {
	list, err := c.Manifest.manifest(a)
	if err != nil {
		return fmt.Errorf("reading the list of files: %w", err)
	}
	defer func() { _ = list.Close() }()
	rows := map[string]store.State{}
	names := list.Collections()
	for _, one := range state.Collections {
		rows[one.Row.CollectionName] = one
		names = append(names, one.Row.CollectionName)
	}
	slices.Sort(names)
	sum, differ := manifestSummary{Run: c.Name}, false
	for some := range slices.Chunk(slices.Compact(names), concurrent) {
		lines, err := c.compareSome(a, reader, list, rows, some)
		if err != nil {
			return err
		}
		for _, line := range lines {
			differ = differ || !line.Agrees
			if !a.json {
				sum.add(line, c.Limit)
			} else if err := a.writeJSON(line, ""); err != nil {
				return err
			}
		}
	}
	if !a.json {
		err = a.print(func(p show.Printer) { sum.print(p, a.command) })
	}
	return notDone(!differ, err)
}

// manifest reads the file as a list of collection and file. An error says which file it is about.
func (f inputFile) manifest(a *app) (*manifest.Manifest, error) {
	return readInput(a, f, func(in io.Reader) (*manifest.Manifest, error) {
		list := manifest.New(namesInMemory)
		if err := list.Read(linesOf(in)); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", f.name(), err), list.Close())
		}
		return list, nil
	})
}

// compareSome compares collections concurrently.
func (c *verifyCommand) compareSome(a *app, reader *store.Store, list *manifest.Manifest, rows map[string]store.State,
	collections []string,
) ([]manifestLine, error) {
	lines := make([]manifestLine, len(collections))
	group, ctx := errgroup.WithContext(a)
	for i, collection := range collections {
		group.Go(func() error {
			names, err := list.Names(collection)
			if err != nil {
				return err
			}
			listed, line := manifest.NewList(names), manifestLine{Run: c.Name, Collection: collection}
			line.Listed = listed.Len()
			key := snapshot.CollectionKey{CorrelationID: c.Name, CollectionName: collection}
			var count report.Count
			err = reader.Receipts(ctx, key, func(receipt store.Receipt) error {
				count.Add(receipt)
				listed.Arrive(receipt.Filename, !receipt.Success && !receipt.Repeated)
				return nil
			})
			line.Comparison, line.Arrived = listed.Compare(), count.Files
			line.judge(rows[collection])
			lines[i] = line
			return err
		})
	}
	return lines, group.Wait()
}

// judge decides whether list, receipts and row agree about which files there are. A collection without files needs no
// line in the list.
func (l *manifestLine) judge(state store.State) {
	sent := false
	if row := state.Row; row != nil {
		l.HasRow, l.Counted = true, max(state.Collection.Counted, row.FilesReceived.N)
		sent = row.FilesSent.N > 0 || state.Malformed != nil
	}
	l.Agrees = !l.Differ() && l.HasRow && !(l.Listed == 0 && sent)
}
