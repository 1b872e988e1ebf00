package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

// plan is what is sent and written, all of it from one seed. What breaks, and when, is left to chance.
type plan struct {
	correlationID string
	collections   []collection
	sends         []send // shuffled
	duplicates    int
}

type collection struct {
	name  string
	files int
	// sentAt is when Sent is written, as a share of what is sent by then; above 1, after the last file was counted.
	sentAt float64
}

// send is one sending of a file's message. Of two with the same message the first that is sent is a plain message, and
// the other an envelope's record with its identity.
type send struct{ message int }

const (
	duplicateShare = 0.2
	lateShare      = 0.2 // of the collections: Sent is written after the last file was counted
)

func newPlan(seed uint64, collections, messages int) *plan {
	random := rand.New(rand.NewPCG(seed, 0))
	p := &plan{correlationID: fmt.Sprintf("chaos-%d", seed), duplicates: int(duplicateShare * float64(messages))}
	for i := range collections {
		c := collection{name: fmt.Sprintf("db.chaos.collection-%03d", i), sentAt: 0.1 + 0.9*random.Float64()}
		if float64(i) < lateShare*float64(collections) {
			c.sentAt = 2
		}
		p.collections = append(p.collections, c)
	}
	for message := range messages {
		p.collections[p.collectionOf(message)].files++
		p.sends = append(p.sends, send{message})
	}
	for _, message := range random.Perm(messages)[:p.duplicates] {
		p.sends = append(p.sends, send{message})
	}
	random.Shuffle(len(p.sends), func(i, j int) { p.sends[i], p.sends[j] = p.sends[j], p.sends[i] })
	return p
}

// collectionOf gives every collection messages, some of them three times as many as others.
func (p *plan) collectionOf(message int) int {
	n := len(p.collections)
	if message/n%2 == 1 && message%n >= n/2 {
		return message%n - n/2
	}
	return message % n
}

type fields map[string]any

func (p *plan) file(message int) string {
	return asText(fields{
		"correlation_id": p.correlationID, "collection_name": p.collections[p.collectionOf(message)].name,
		"snapshot_type": "full", "export_date": "2026-11-23", "filename": fmt.Sprintf("file-%06d.txt.gz.enc", message),
	})
}

func (p *plan) successFile(collectionName string) string {
	return asText(fields{
		"correlation_id": p.correlationID, "collection_name": collectionName, "snapshot_type": "full",
		"export_date": "2026-11-23", "is_success_file": "true", "filename": "_" + collectionName + "_success",
	})
}

// envelope is a message that brings another one under its identity, as a person puts back what was kept.
func envelope(identity, body string) string {
	return asText(fields{"Records": []fields{{"messageId": identity, "body": body}}})
}

func asText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // nothing here but strings
	}
	return string(text)
}
