package command

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/show"
)

type filesCommand struct {
	Name       string    `arg:"" name:"run" help:"The correlation id."`
	Collection string    `arg:"" help:"The collection."`
	Expected   inputFile `placeholder:"LIST" help:"A file (- for standard input) with one file name a line: says which of them have not come."`
}

func (c *filesCommand) Help() string {
	return `Lists the files that came for a collection, the earliest first: when, in which message, counted by which execution. A name that came in several messages was counted several times and is marked. (A message that SQS delivers twice counts once and is listed once.) With --expected, exits with 3 if one is missing.`
}

// fileList is what files answers.
type fileList struct {
	Run        string   `json:"run"`
	Collection string   `json:"collection"`
	Files      []file   `json:"files"`
	Repeated   []string `json:"repeated"`          // names that came in several messages
	Missing    []string `json:"missing,omitempty"` // of those expected
}

type file struct {
	Name      string    `json:"name"`     // as the message said, which need not say it
	Identity  string    `json:"identity"` // of its message
	CountedAt time.Time `json:"counted_at"`
	Execution string    `json:"execution"`
	Success   bool      `json:"success_file"`
}

func (c *filesCommand) Run(a *app) error {
	run, err := a.run(c.Name)
	if err != nil {
		return err
	}
	one, err := a.collection(run, c.Collection)
	if err != nil {
		return err
	}
	expected, err := c.expected(a)
	if err != nil {
		return err
	}
	reader, _, err := a.reader()
	if err != nil {
		return err
	}
	list := fileList{Run: run.Run, Collection: one.Collection, Files: []file{}}
	key := snapshot.CollectionKey{CorrelationID: run.Run, CollectionName: one.Collection}
	if err := reader.Receipts(a, key, list.add); err != nil {
		return err
	}
	list.sort()
	list.compare(expected)
	if a.json {
		err = a.printJSON(list)
	} else {
		list.print(a.printer(), c.Expected != "")
	}
	if err != nil {
		return err
	}
	return notDone(len(list.Missing) == 0)
}

// expected reads the names that are expected; nil if none are.
func (c *filesCommand) expected(a *app) ([]string, error) {
	if c.Expected == "" {
		return nil, nil
	}
	text, err := c.Expected.read(a)
	if err != nil {
		return nil, fmt.Errorf("reading the expected files: %w", err)
	}
	return fileNames(text), nil
}

func (l *fileList) add(receipt store.Receipt) error {
	l.Files = append(l.Files, file{Name: receipt.Filename, Identity: receipt.Identity, CountedAt: receipt.ReceivedAt,
		Execution: receipt.Execution, Success: receipt.Success})
	return nil
}

func (l *fileList) print(p show.Printer, compared bool) {
	if len(l.Files) == 0 {
		p.Line("No file of %s has come.", l.Collection)
	} else {
		var rows [][]string
		for _, file := range l.Files {
			note := ""
			switch {
			case file.Success:
				note = "success file"
			case slices.Contains(l.Repeated, file.Name):
				note = p.Tone(show.Bad, "name repeated")
			}
			name := file.Name
			if name == "" {
				name = "(the message named none)"
			}
			rows = append(rows, []string{name, stamp(&file.CountedAt), file.Identity,
				file.Execution[strings.LastIndex(file.Execution, ":")+1:], note})
		}
		p.Table([]string{"FILE", "COUNTED (UTC)", "MESSAGE", "EXECUTION", ""}, rows)
	}
	for _, name := range l.Missing {
		p.Line("%s %s", p.Tone(show.Bad, "missing:"), name)
	}
	if n := l.cut(); n > 0 && compared {
		p.Line("Of %d names that came only the first %d bytes are stored. Names are compared by these, so a missing "+
			"one may be among them.",
			n, snapshot.MaxFilename)
	}
	if compared && len(l.Missing) == 0 {
		p.Line("All that were expected have come.")
	}
}
