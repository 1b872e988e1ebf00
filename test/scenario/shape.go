package scenario

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"unicode/utf8"

	"snapshot-status-checker/internal/snapshot"
)

// Shape describes a run.
type Shape struct {
	Run         string  `json:"run"`         // correlation id
	Seed        uint64  `json:"seed"`        // a shape and a seed always give the same plan
	Collections int     `json:"collections"` // at least 1
	Files       int     `json:"files"`       // of each collection, at least 1
	Duplicates  float64 `json:"duplicates"`  // share of the files' messages that are sent twice, 0 to 1
	Malformed   int     `json:"malformed"`   // messages that are rejected
	LateSent    int     `json:"late_sent"`   // collections whose status becomes Sent after their last file arrived
	Missing     int     `json:"missing"`     // collections with a file that never arrives
	Blocked     int     `json:"blocked"`     // collections in status Blocked_Topic, without messages
	Failing     int     `json:"failing"`     // collections with an invalid row: counting their files fails
}

// Plan is a run of a shape, with all messages in the order in which they are sent.
type Plan struct {
	Run
	Shape      Shape
	Messages   []Message
	Duplicates int // among the messages
}

const blocked = "Blocked_Topic"

// NewPlan plans a run. The same shape gives the same plan. It returns an error if the shape is invalid.
func NewPlan(shape Shape) (Plan, error) {
	if err := shape.check(); err != nil {
		return Plan{}, err
	}
	random := rand.New(rand.NewPCG(shape.Seed, 0))
	p := Plan{Shape: shape, Run: Run{CorrelationID: shape.Run, SnapshotType: "full", ExportDate: "2026-11-23"}}
	places := make([]int, shape.Collections) // in a random order; they decide the kind of each collection
	for place, i := range random.Perm(shape.Collections) {
		places[i] = place
	}
	for i := range shape.Collections {
		c := Collection{Name: shape.collectionName(i), Status: "Sent", Files: shape.Files, WithoutCounter: i%3 == 1}
		switch place := places[i]; {
		case place < shape.Blocked:
			c.Status, c.Files = blocked, 0
		case place < shape.Blocked+shape.Missing:
			c.Missing = 1
		case place < shape.Blocked+shape.Missing+shape.LateSent:
			c.SentLast = true
		case place < shape.Blocked+shape.Missing+shape.LateSent+shape.Failing:
			c.Failing = true
		}
		p.Collections = append(p.Collections, c)
	}
	p.addMessages(random)
	return p, nil
}

func (s Shape) collectionName(i int) string { return fmt.Sprintf("db.%s.collection-%05d", s.Run, i) }

func (s Shape) check() error {
	var errs []error
	fail := func(broken bool, text string) {
		if broken {
			errs = append(errs, errors.New(text))
		}
	}
	fail(s.Run == "", "the run needs a correlation id")
	fail(!utf8.ValidString(s.Run), "the correlation id must be UTF-8")
	if longest := len(s.collectionName(s.Collections - 1)); longest > snapshot.MaxCollectionName {
		fail(true, fmt.Sprintf("the correlation id is too long: collection names would take %d bytes, at most %d are "+
			"allowed", longest, snapshot.MaxCollectionName))
	}
	fail(s.Collections < 1 || s.Files < 1, "collections and files must be at least 1")
	fail(!(s.Duplicates >= 0 && s.Duplicates <= 1), "the share of duplicates must be from 0 to 1")
	fail(s.Malformed < 0 || s.LateSent < 0 || s.Missing < 0 || s.Blocked < 0 || s.Failing < 0,
		"no number may be negative")
	fail(s.Blocked+s.Missing+s.LateSent+s.Failing > s.Collections, fmt.Sprintf(
		"%d collections are too few for %d blocked, %d with a missing file, %d with a late Sent and %d failing",
		s.Collections, s.Blocked, s.Missing, s.LateSent, s.Failing))
	return errors.Join(errs...)
}

// addMessages adds the files' messages, the duplicates and the malformed messages in a random order. A message that is
// sent twice is an envelope, whose record carries the identity.
func (p *Plan) addMessages(random *rand.Rand) {
	type file struct{ collection, number int }
	var files []file
	for i, c := range p.Collections {
		for number := range c.Arriving() {
			files = append(files, file{i, number})
		}
	}
	shuffle := func(n int, swap func(i, j int)) { random.Shuffle(n, swap) }
	shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	p.Duplicates = int(math.Round(p.Shape.Duplicates * float64(len(files))))
	var copies []Message
	for i, f := range files {
		message := Message{Text: Text(p.File(p.Collections[f.collection].Name, f.number))}
		if i < p.Duplicates {
			identity := fmt.Sprintf("%s-%d-%d", p.CorrelationID, f.collection, f.number)
			message = Envelope(Record(identity, p.File(p.Collections[f.collection].Name, f.number)))
			copies = append(copies, message)
		}
		p.Messages = append(p.Messages, message)
	}
	kinds := p.Malformed()
	for i := range p.Shape.Malformed {
		copies = append(copies, kinds[i%len(kinds)])
	}
	p.Messages = slices.Concat(p.Messages, copies)
	shuffle(len(p.Messages), func(i, j int) { p.Messages[i], p.Messages[j] = p.Messages[j], p.Messages[i] })
}
