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

// Shape says what a run is to be like.
type Shape struct {
	Run         string  `json:"run"`         // its correlation id
	Seed        uint64  `json:"seed"`        // one seed and shape, one plan
	Collections int     `json:"collections"` // at least 1
	Files       int     `json:"files"`       // of each collection, at least 1
	Duplicates  float64 `json:"duplicates"`  // share of the files' messages that come twice, 0 to 1
	Malformed   int     `json:"malformed"`   // messages that are rejected
	LateSent    int     `json:"late_sent"`   // collections whose status Sent comes after their last file
	Missing     int     `json:"missing"`     // collections one of whose files never comes
	Blocked     int     `json:"blocked"`     // collections in status Blocked_Topic: nothing of them comes
	Failing     int     `json:"failing"`     // collections whose row cannot be read: counting their files fails
}

// Plan is a run of a shape, with all of its messages in the order in which they are sent.
type Plan struct {
	Run
	Shape      Shape
	Messages   []Message
	Duplicates int // messages among them that come a second time
}

// The kinds of collections that do not go straight through.
const blocked = "Blocked_Topic"

// NewPlan plans a run. It depends on the shape alone. The error says what is wrong with the shape.
func NewPlan(shape Shape) (Plan, error) {
	if err := shape.check(); err != nil {
		return Plan{}, err
	}
	random := rand.New(rand.NewPCG(shape.Seed, 0))
	p := Plan{Shape: shape, Run: Run{CorrelationID: shape.Run, SnapshotType: "full", ExportDate: "2026-11-23"}}
	order := random.Perm(shape.Collections)
	kind := make([]int, shape.Collections) // place of each collection in a random order
	for place, i := range order {
		kind[i] = place
	}
	for i := range shape.Collections {
		c := Collection{Name: shape.collectionName(i), Status: "Sent", Files: shape.Files, WithoutCounter: i%3 == 1}
		switch place := kind[i]; {
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
	fail(s.Run == "", "the run has no name")
	fail(!utf8.ValidString(s.Run), "the run's name is not UTF-8")
	if longest := len(s.collectionName(s.Collections - 1)); longest > snapshot.MaxCollectionName {
		fail(true, fmt.Sprintf("the run's name is too long: its collections would have names of %d bytes, at most "+
			"%d are possible", longest, snapshot.MaxCollectionName))
	}
	fail(s.Collections < 1 || s.Files < 1, "a run has at least one collection, and a collection one file")
	fail(!(s.Duplicates >= 0 && s.Duplicates <= 1), "the share of duplicates is from 0 to 1")
	fail(s.Malformed < 0 || s.LateSent < 0 || s.Missing < 0 || s.Blocked < 0 || s.Failing < 0,
		"there are no fewer than 0 of anything")
	fail(s.Blocked+s.Missing+s.LateSent+s.Failing > s.Collections, fmt.Sprintf(
		"%d collections are too few for %d that are blocked, %d that lack a file, %d that are sent late and %d that "+
			"fail",
		s.Collections, s.Blocked, s.Missing, s.LateSent, s.Failing))
	return errors.Join(errs...)
}

// addMessages adds the files' messages in a random order, each with an identity of its own if it comes twice, and then
// the second copies and the malformed ones at random places.
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
	var again []Message
	for i, f := range files {
		message := Message{Text: Text(p.File(p.Collections[f.collection].Name, f.number))}
		if i < p.Duplicates {
			identity := fmt.Sprintf("%s-%d-%d", p.CorrelationID, f.collection, f.number)
			message = Envelope(Record(identity, p.File(p.Collections[f.collection].Name, f.number)))
			again = append(again, message)
		}
		p.Messages = append(p.Messages, message)
	}
	kinds := p.Malformed()
	for i := range p.Shape.Malformed {
		again = append(again, kinds[i%len(kinds)])
	}
	p.Messages = slices.Concat(p.Messages, again)
	shuffle(len(p.Messages), func(i, j int) { p.Messages[i], p.Messages[j] = p.Messages[j], p.Messages[i] })
}
