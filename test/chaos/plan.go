package chaos

import (
	"fmt"
	"math/rand/v2"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/test/scenario"
)

// plan is what is sent and written, from one seed. The faults do not follow it.
type plan struct {
	run         scenario.Run // with its rows as they are before anything is sent
	collections []collection
	sends       []send // shuffled
	files       int
	duplicates  int // messages that are sent twice
	again       int // files that come in two messages
}

// send is one sending of a message. Again sends its file in another message, as a sender does whose own bookkeeping
// failed.
type send struct {
	text  string
	again bool
}

type collection struct {
	name  string
	files []string // names
	// sentAt is the share of the messages that are sent before Sent is written; above 1, after the last file was
	// counted.
	sentAt float64
}

const (
	duplicateShare = 0.2
	againShare     = 0.1 // with countBy=file; otherwise each counts
	lateShare      = 0.2 // of the collections: Sent is written after the last file was counted
)

func newPlan(o Options) (*plan, error) {
	planned, err := scenario.NewPlan(scenario.Shape{Run: fmt.Sprintf("chaos-%d", o.Seed), Seed: o.Seed,
		Collections: o.Collections, Files: o.Messages / o.Collections, Duplicates: duplicateShare,
		LateSent: int(max(1, lateShare*float64(o.Collections)))})
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(o.Seed, 1))
	p := &plan{run: planned.Run, duplicates: planned.Duplicates}
	p.run.Collections = nil
	for _, message := range planned.Messages {
		p.sends = append(p.sends, send{text: message.Text})
	}
	for _, c := range planned.Collections {
		p.run.Collections = append(p.run.Collections,
			scenario.Collection{Name: c.Name, Status: "Exporting", WithoutCounter: true})
		with := collection{name: c.Name, sentAt: 0.1 + 0.9*random.Float64()}
		if c.SentLast {
			with.sentAt = 2
		}
		for number := range c.Files {
			file := p.run.File(c.Name, number)
			with.files = append(with.files, scenario.Filename(file))
			if o.CountBy == snapshot.ByFile && random.Float64() < againShare {
				p.sends = append(p.sends, send{text: scenario.Text(file), again: true})
				p.again++
			}
		}
		p.files += len(with.files)
		p.collections = append(p.collections, with)
	}
	random.Shuffle(len(p.sends), func(i, j int) { p.sends[i], p.sends[j] = p.sends[j], p.sends[i] })
	return p, nil
}
