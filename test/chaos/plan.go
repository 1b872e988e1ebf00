package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

// plan is what is sent and written, from one seed. The faults do not follow it.
type plan struct {
	correlationID string
	collections   []collection
	sends         []int // of messages, shuffled
	duplicates    int
}

type collection struct {
	name  string
	files int
	// sentAt is the share of the messages that are sent before Sent is written; above 1, after the last file was
	// counted.
	sentAt float64
}

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
		p.sends = append(p.sends, message)
	}
	p.sends = append(p.sends, random.Perm(messages)[:p.duplicates]...)
	random.Shuffle(len(p.sends), func(i, j int) { p.sends[i], p.sends[j] = p.sends[j], p.sends[i] })
	return p
}

// collectionOf distributes the messages: some collections get three times as many as others.
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

// envelope is a message that brings another one under its identity, as in a replay.
func envelope(identity, body string) string {
	return asText(fields{"Records": []fields{{"messageId": identity, "body": body}}})
}

func asText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // cannot happen: only strings
	}
	return string(text)
}
