package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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
	for _, one := range state.Collections {
		rows[one.Row.CollectionName] = one
	}
	names := slices.Sorted(slices.Values(append(list.Collections(), namesOf(state)...)))
	sum, differ := manifestSummary{run: c.Name}, false
	for some := range slices.Chunk(slices.Compact(names), concurrent) {
		lines, err := c.compareSome(a, reader, list, rows, some)
		if err != nil {
			return err
		}
		for _, line := range lines {
			differ = differ || !line.Agrees
			if !a.json {
				sum.add(a.printer(nil), line, c.Limit)
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

// manifestSummary is the answer of verify --manifest for people: sums, and the collections that differ, with the first
// names of each kind.
type manifestSummary struct {
	run                              string
	collections, differ, listed, cut int
	arrived                          int64
	kinds                            [5]int       // names, by the order of kindsOf
	lines                            bytes.Buffer // about those that differ
}

// kind is a kind of difference, with the names.
type kind struct {
	name  string
	total int
	names []string
}

// kindsOf are the differences of a collection, the more urgent first.
func kindsOf(c manifest.Comparison) []kind {
	repeated := make([]string, len(c.Repeated))
	for i, one := range c.Repeated {
		repeated[i] = fmt.Sprintf("%s (%d messages)", one.Name, one.Messages)
	}
	return []kind{{"missing", len(c.Missing), c.Missing}, {"unexpected", len(c.Unexpected), c.Unexpected},
		{"repeated", len(repeated), repeated}, {"listed again", len(c.ListedAgain), c.ListedAgain},
		{"without a name", c.Nameless, nil}}
}

// add adds a collection, with so many names of a kind at most; 0 for all.
func (s *manifestSummary) add(p show.Printer, line manifestLine, limit int) {
	s.collections++
	s.listed += line.Listed
	s.arrived += line.Arrived
	s.cut += line.Cut
	if line.Agrees {
		return
	}
	s.differ++
	var sums []string
	switch {
	case !line.HasRow:
		sums = append(sums, "in the list, and without a row in the export status table")
	case line.Listed == 0:
		sums = append(sums, "not in the list")
	}
	kinds := kindsOf(line.Comparison)
	for i, kind := range kinds {
		if s.kinds[i] += kind.total; kind.total > 0 {
			sums = append(sums, fmt.Sprintf("%d %s", kind.total, kind.name))
		}
	}
	p.Out = &s.lines
	p.Line("%s %s: %s", p.Tone(show.Bad, "●"), line.Collection, strings.Join(sums, ", "))
	if len(line.Missing) > 0 && line.Counted > line.Arrived {
		p.Line("  %d files are counted and %d have receipts: the others may be among the missing (receipts expire "+
			"after 60 days; files that another system counted have none)", line.Counted, line.Arrived)
	}
	for _, kind := range kinds {
		first := kind.names
		if limit > 0 {
			first = first[:min(limit, len(first))]
		}
		for _, name := range first {
			p.Line("  %s: %s", kind.name, name)
		}
		if more := len(kind.names) - len(first); more > 0 {
			p.Line("  … and %d more %s (--limit 0 shows all)", more, kind.name)
		}
	}
}

func (s *manifestSummary) print(p show.Printer, command report.Command) {
	p.Line("%s: %d collections, %d files in the list, receipts of %d files", s.run, s.collections, s.listed, s.arrived)
	_, _ = s.lines.WriteTo(p.Out)
	if s.cut > 0 {
		p.Line("%d names are longer than what is stored of them; only that is compared.", s.cut)
	}
	if s.differ == 0 {
		p.Line("%s", p.Tone(show.Good, "All files of the list have arrived, and no others."))
		return
	}
	var sums []string
	for i, kind := range kindsOf(manifest.Comparison{}) {
		if s.kinds[i] > 0 {
			sums = append(sums, fmt.Sprintf("%d %s", s.kinds[i], kind.name))
		}
	}
	p.Line("%d of %d collections differ: %s.", s.differ, s.collections, strings.Join(sums, ", "))
	if s.kinds[0] > 0 {
		run := report.Flag("run", s.run)
		p.Line("The messages of missing files may have been rejected: %s", command.Do("rejected list "+run))
		p.Line("Or they are dead letters: %s", command.Do("rejected list --dead-letters "+run))
	}
}
