package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"snapshot-status-checker/test/scenario"
)

// run is what the demo sends, in three parts.
type run struct {
	scenario.Run
	first      []scenario.Message // shuffled; then the status of the collections that are SentLast is written
	late       []scenario.Message // sent when all collections but the last are successful
	afterwards []scenario.Message // sent when the run is successful; must change nothing
}

// wantStatus is Success in the case of the sender's status.
func wantStatus(c scenario.Collection) string {
	if c.Status == strings.ToUpper(c.Status) {
		return "SUCCESS"
	}
	return "Success"
}

// newRun plans a run. Its last collection's last file is late, and the one before is SentLast.
func newRun(correlationID string, collections, files int) *run {
	r := &run{Run: scenario.Run{CorrelationID: correlationID, SnapshotType: "incremental", ExportDate: "2026-11-23"}}
	for i := range collections {
		c := scenario.Collection{
			Name: fmt.Sprintf("db.%s.collection-%03d", correlationID, i), Status: "Sent", Files: files,
			WithoutCounter: i%3 == 1, SentLast: i == collections-2,
		}
		if i == min(2, collections-1) {
			c.Status = "SENT"
		}
		r.Collections = append(r.Collections, c)
		for file := range files {
			text := scenario.Text(r.File(c.Name, file))
			switch {
			case i == collections-1 && file == files-1:
				r.late = append(r.late, scenario.Message{Text: text})
			case file%4 == 1: // in an envelope, with an object as its body …
				r.first = append(r.first, scenario.Envelope(scenario.Record(r.identity(i, file), r.File(c.Name, file))))
			case file%4 == 3: // … or an escaped string
				r.first = append(r.first, scenario.Envelope(scenario.Record(r.identity(i, file), text)))
			default:
				r.first = append(r.first, scenario.Message{Text: text})
			}
		}
	}
	r.addDuplicates()
	r.first = append(r.first, r.Malformed()...)
	rand.Shuffle(len(r.first), func(i, j int) { r.first[i], r.first[j] = r.first[j], r.first[i] })
	return r
}

// identity is the identity of a file's message inside an envelope.
func (r *run) identity(collection, file int) string {
	return fmt.Sprintf("%s-%d-%d", r.CorrelationID, collection, file)
}

// addDuplicates sends the first collection's first file under one identity four times: twice in one envelope, once more
// in the first part, and once more afterwards.
func (r *run) addDuplicates() {
	c := r.Collections[0]
	if len(r.Collections) == 1 && c.Files == 1 {
		return // its only file is the late one
	}
	duplicate := scenario.Record(r.identity(0, 0), r.File(c.Name, 0))
	for i, sent := range r.first {
		if sent.Text == scenario.Text(r.File(c.Name, 0)) {
			r.first[i] = scenario.Envelope(duplicate, duplicate)
		}
	}
	r.first = append(r.first, scenario.Envelope(duplicate))
	r.afterwards = append(r.afterwards, scenario.Envelope(duplicate))
}
