package command

import (
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

type verifyCommand struct {
	Name     string    `arg:"" name:"run" help:"The correlation id."`
	Manifest inputFile `placeholder:"FILE" help:"A list (or -) of collection and file: compares the files with it."`
	Limit    int       `default:"10" help:"With --manifest, names of a kind at most; 0 for all. JSON has all."`
	History  bool      `help:"Check the log lines of the functions against the guarantees instead."`
}

func (c *verifyCommand) Help() string {
	return "Compares the receipts of every collection of a run with the counters in the ledger and the export status " +
		"table. Reads every receipt. Exits with 3 if they differ. While files arrive, counters may differ for a " +
		"moment: verify again. With --manifest, compares the names of the files that arrived with a list instead: " +
		"CSV of collection and file, or a JSON object a line. Exits with 3 if a file is missing, unexpected or " +
		"repeated. With --history it reads what the functions logged about the run (CloudWatch Logs), and exits " +
		"with 3 if that contradicts a guarantee: each message counted once, each move in order, each request and " +
		"notification sent once."
}

// verification is the answer of verify.
type verification struct {
	Run         string              `json:"run"`
	Collections int                 `json:"collections"`
	Receipts    report.Count        `json:"receipts"` // of all collections
	Differences []report.Difference `json:"differences"`
}

func (c *verifyCommand) Run(a *app) error {
	if c.Manifest != "" && c.History {
		return exit{exitUsage, "--manifest and --history are two questions: ask one at a time"}
	}
	reader, settings, err := a.reader()
	if err != nil {
		return err
	}
	state, err := a.state(reader, c.Name)
	switch {
	case err != nil:
		return err
	case c.Manifest != "":
		return c.compare(a, reader, state)
	case c.History:
		return c.verifyHistory(a, reader, settings, state)
	}
	counts := make([]report.Count, len(state.Collections))
	if err := a.receipts(reader, c.Name, namesOf(state), func(i int, receipt store.Receipt) error {
		counts[i].Add(receipt)
		return nil
	}); err != nil {
		return err
	}
	found := verification{Run: c.Name, Collections: len(counts), Differences: []report.Difference{}}
	for i, counted := range counts {
		found.Receipts.Files += counted.Files
		found.Receipts.SuccessFiles += counted.SuccessFiles
		found.Receipts.RepeatedFiles += counted.RepeatedFiles
		found.Differences = append(found.Differences, report.Verify(state.Collections[i], counted)...)
	}
	return notDone(len(found.Differences) == 0, a.answer(found, found.print))
}

func (v verification) print(p show.Printer) {
	p.Line("%s: %d collections, receipts of %d files and %d success files", v.Run, v.Collections, v.Receipts.Files,
		v.Receipts.SuccessFiles)
	if n := v.Receipts.RepeatedFiles; n > 0 {
		p.Line("not counted: %s (countBy=file)", report.Plural(int(n), "repeated file", "repeated files"))
	}
	if len(v.Differences) == 0 {
		p.Line("%s", p.Tone(show.Good, "Receipts, ledger and table agree."))
		return
	}
	for _, difference := range v.Differences {
		tone := show.Bad
		if difference.Heals {
			tone = show.Busy
		}
		p.Line("%s %s: %s", p.Tone(tone, "●"), difference.Collection, difference.Sentence)
	}
}
