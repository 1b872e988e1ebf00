package command

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/manifest"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

type filesCommand struct {
	Name       string    `arg:"" name:"run" help:"The correlation id."`
	Collection string    `arg:"" help:"The collection."`
	Expected   inputFile `placeholder:"LIST" help:"A file (or -) with one name a line; lists the missing ones."`
}

func (c *filesCommand) Help() string {
	return "Lists the files that arrived for a collection, the earliest first: time, message, execution. A name that " +
		"was counted in several messages is marked, and with countBy=file a message that was not counted because it " +
		"repeats a file. (A message that SQS delivers twice counts once.) With --expected, exits with 3 if a file " +
		"is missing."
}

// fileList is the answer of files.
type fileList struct {
	Run        string   `json:"run"`
	Collection string   `json:"collection"`
	Files      []file   `json:"files"`
	Repeated   []string `json:"repeated"`          // names that were counted in several messages
	Missing    []string `json:"missing,omitempty"` // of those expected
}

type file struct {
	Name      string    `json:"name"`     // from the message; may be empty
	Identity  string    `json:"identity"` // of its message
	CountedAt time.Time `json:"counted_at"`
	Execution string    `json:"execution"`
	Success   bool      `json:"success_file"`
	Counted   bool      `json:"counted"`           // not if the message repeats a file, which needs countBy=file
	Repeats   string    `json:"repeats,omitempty"` // the message that brought the file, if it is known
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
	key := snapshot.CollectionKey{CorrelationID: run.Run, CollectionName: one.Collection}
	var receipts []store.Receipt
	if err := reader.Receipts(a, key, func(receipt store.Receipt) error {
		receipts = append(receipts, receipt)
		return nil
	}); err != nil {
		return err
	}
	list := newFileList(key, receipts)
	list.compare(expected)
	err = a.answer(list, func(p show.Printer) { list.print(p, c.Expected != "") })
	return notDone(len(list.Missing) == 0, err)
}

// expected reads the list of --expected; nil without it.
func (c *filesCommand) expected(a *app) ([]string, error) {
	if c.Expected == "" {
		return nil, nil
	}
	text, err := c.Expected.read(a)
	if err != nil {
		return nil, fmt.Errorf("reading the expected files: %w", err)
	}
	names := fileNames(text)
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: the list of expected files is empty", c.Expected.name())
	}
	return names, nil
}

// newFileList lists the files, the earliest first, and the names that are repeated.
func newFileList(key snapshot.CollectionKey, receipts []store.Receipt) fileList {
	l := fileList{Run: key.CorrelationID, Collection: key.CollectionName, Files: []file{}, Repeated: []string{}}
	repeats := report.Repeats(receipts)
	for i, receipt := range receipts {
		l.Files = append(l.Files, file{Name: receipt.Filename, Identity: receipt.Identity,
			CountedAt: receipt.ReceivedAt, Execution: receipt.Execution, Success: receipt.Success,
			Counted: !receipt.Repeated, Repeats: repeats[i]})
	}
	slices.SortFunc(l.Files, func(a, b file) int {
		return cmp.Or(a.CountedAt.Compare(b.CountedAt), cmp.Compare(a.Identity, b.Identity))
	})
	times := map[string]int{}
	for _, file := range l.Files {
		if !file.Counted || file.Name == "" {
			continue
		}
		if times[file.Name]++; times[file.Name] == 2 {
			l.Repeated = append(l.Repeated, file.Name)
		}
	}
	return l
}

func (l *fileList) print(p show.Printer, compared bool) {
	var rows [][]string
	for _, file := range l.Files {
		note := ""
		switch {
		case file.Success:
			note = "success file"
		case file.Repeats != "":
			note = "not counted: repeats " + file.Repeats
		case !file.Counted:
			note = "not counted: repeats a file"
		case slices.Contains(l.Repeated, file.Name):
			note = p.Tone(show.Bad, "repeated name")
		}
		rows = append(rows, []string{cmp.Or(file.Name, "(no name in the message)"), stamp(&file.CountedAt),
			file.Identity, file.Execution[strings.LastIndex(file.Execution, ":")+1:], note})
	}
	if len(rows) > 0 {
		p.Table([]string{"FILE", "COUNTED (UTC)", "MESSAGE", "EXECUTION", ""}, rows)
	} else {
		p.Line("No file of %s has arrived.", l.Collection)
	}
	for _, name := range l.Missing {
		p.Line("%s %s", p.Tone(show.Bad, "missing:"), name)
	}
	n := 0
	for _, file := range l.Files {
		if manifest.MayBeCut(file.Name) {
			n++
		}
	}
	if n > 0 && compared {
		p.Line("Of %d names only the first %d bytes are stored and compared. A missing file may be among them.", n,
			snapshot.MaxFilename)
	}
	if compared && len(l.Missing) == 0 {
		p.Line("All expected files have arrived.")
	}
}

// fileNames splits a list of names, one a line, by the line ends of any system. Empty lines are none.
func fileNames(list string) []string {
	list = strings.ReplaceAll(list, "\r\n", "\n")
	if !strings.Contains(list, "\n") {
		list = strings.ReplaceAll(list, "\r", "\n")
	}
	var names []string
	for name := range strings.SplitSeq(list, "\n") {
		if strings.TrimSpace(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

// compare finds the missing names (manifest.List says which names are equal).
func (l *fileList) compare(expected []string) {
	list := manifest.NewList(expected)
	for _, file := range l.Files {
		list.Arrive(file.Name, file.Counted && !file.Success)
	}
	l.Missing = list.Compare().Missing
}
