package quota

import (
	"fmt"
	"math/rand/v2"
)

// Spread says how a run's files are spread over its collections.
type Spread string

// The spreads.
const (
	Even   Spread = "even"   // each collection has as many
	Skewed Spread = "skewed" // the n-th largest has 1/n of the largest
	Hot    Spread = "hot"    // one has all but one file of each other
)

// Shape is a run.
type Shape struct {
	Name        string
	Files       int
	Collections int
	Spread      Spread
	Active      int     // collections whose files are sent at the same time, mixed at random
	Rate        float64 // files a second that the senders deliver; 0: all are in the queue when the clock starts
	Partitions  int     // over which DynamoDB has split the run's rows; 0 and 1: not split
}

// Workflow is the workflowType.
type Workflow string

// The types.
const (
	Standard Workflow = "STANDARD"
	Express  Workflow = "EXPRESS"
)

// Settings are those of the stack that matter here.
type Settings struct {
	Workflow  Workflow
	BatchSize int
	Window    float64 // batchWindowSeconds
	Reserved  int     // reserved concurrency of increment; 0: none
}

func (s Settings) String() string {
	name := fmt.Sprintf("%s %d", s.Workflow, s.BatchSize)
	if s.Window > 1 || s.Window == 1 && s.BatchSize <= 10 {
		name += fmt.Sprintf(", window %g s", s.Window)
	}
	if s.Reserved > 0 {
		name += fmt.Sprintf(", reserved %d", s.Reserved)
	}
	return name
}

// sizes are the collections' numbers of files.
func (s Shape) sizes() []int {
	sizes := make([]int, s.Collections)
	switch s.Spread {
	case Hot:
		for i := range sizes {
			sizes[i] = 1
		}
		sizes[0] = s.Files - (s.Collections - 1)
	case Skewed:
		harmonic := 0.0
		for i := range sizes {
			harmonic += 1 / float64(i+1)
		}
		spare := s.Files - s.Collections // each has one
		left := spare
		for i := len(sizes) - 1; i > 0; i-- {
			more := int(float64(spare) / harmonic / float64(i+1))
			sizes[i] = 1 + more
			left -= more
		}
		sizes[0] = 1 + left
	default:
		for i := range sizes {
			sizes[i] = (i+1)*s.Files/s.Collections - i*s.Files/s.Collections
		}
	}
	return sizes
}

// sender deals the files out: as many collections as are active are open, each next file is of one of them.
type sender struct {
	random *rand.Rand
	left   []int   // files that the collections still have to send
	open   []int32 // collections
	next   int32
}

func newSender(shape Shape, random *rand.Rand) *sender {
	s := &sender{random: random, left: shape.sizes()}
	for range min(max(shape.Active, 1), shape.Collections) {
		s.open, s.next = append(s.open, s.next), s.next+1
	}
	return s
}

// file is the collection of the next file; false if all are sent.
func (s *sender) file() (int32, bool) {
	for len(s.open) > 0 {
		i := s.random.IntN(len(s.open))
		collection := s.open[i]
		if s.left[collection] > 0 {
			s.left[collection]--
			return collection, true
		}
		if int(s.next) < len(s.left) {
			s.open[i], s.next = s.next, s.next+1
			continue
		}
		last := len(s.open) - 1
		s.open[i], s.open = s.open[last], s.open[:last]
	}
	return 0, false
}
