package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"snapshot-status-checker/internal/snapshot"
)

// plan is what is sent and written, from one seed. The faults do not follow it.
type plan struct {
	correlationID string
	collections   []collection
	sends         []send // shuffled
	duplicates    int
	again         int // files that come in two messages
}

// send is one sending of a message. Again sends its file in another message, as a sender does whose own bookkeeping
// failed.
type send struct {
	message int
	again   bool
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
	againShare     = 0.1 // with countBy=file; otherwise each counts
	lateShare      = 0.2 // of the collections: Sent is written after the last file was counted
)

func newPlan(seed uint64, collections, messages int, by snapshot.CountBy) *plan {
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
		p.sends = append(p.sends, send{message: message})
	}
	for _, message := range random.Perm(messages)[:p.duplicates] {
		p.sends = append(p.sends, send{message: message})
	}
	if by == snapshot.ByFile {
		p.again = int(againShare * float64(messages))
	}
	for _, message := range random.Perm(messages)[:p.again] {
		p.sends = append(p.sends, send{message: message, again: true})
	}
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
