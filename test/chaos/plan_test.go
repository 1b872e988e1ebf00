package chaos

import (
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func TestPlanSendsEachMessage(t *testing.T) {
	t.Parallel()
	const collections, messages = 7, 100
	p := newPlan(1, collections, messages, snapshot.ByFile)
	times, twice, again := map[int]int{}, 0, 0
	for _, send := range p.sends {
		if send.again {
			again++
		} else if times[send.message]++; times[send.message] == 2 {
			twice++
		}
	}
	if len(times) != messages || twice != messages/5 || again != messages/10 || len(p.sends) != messages+twice+again {
		t.Errorf("%d messages, %d of them twice, %d files again, in %d sends", len(times), twice, again, len(p.sends))
	}
	if p.sends[0].message == 0 && p.sends[1].message == 1 && p.sends[2].message == 2 {
		t.Error("not shuffled")
	}
	files, late := 0, 0
	for _, c := range p.collections {
		files += c.files
		if c.files == 0 {
			t.Errorf("%s has no files", c.name)
		}
		if c.sentAt > 1 {
			late++
		}
	}
	if files != messages || late == 0 || late == collections {
		t.Errorf("%d files, Sent is written late for %d collections", files, late)
	}
	last := map[string]bool{}
	for _, w := range p.writings() {
		if last[w.collection.name] {
			t.Errorf("%s is written to after Sent", w.collection.name)
		}
		last[w.collection.name] = w.sent
	}
}

// The duplicate of a message needs the id that the first send returns.
func TestNextSendsWaitsForTheIdentity(t *testing.T) {
	t.Parallel()
	identities := make([]string, 3)
	now, rest := nextSends([]send{{message: 0}, {message: 1}, {message: 0}, {message: 2}}, identities)
	if len(now) != 2 || len(rest) != 2 {
		t.Errorf("took %v and left %v, want the second of a message left", now, rest)
	}
	identities[0], identities[1] = "a", "b"
	now, rest = nextSends(rest, identities)
	if len(now) != 2 || len(rest) != 0 {
		t.Errorf("took %v and left %v, want all taken", now, rest)
	}
}
