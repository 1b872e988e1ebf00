package chaos

import "testing"

func TestPlanSendsEachMessage(t *testing.T) {
	t.Parallel()
	const collections, messages = 7, 100
	p := newPlan(1, collections, messages)
	times, twice := map[int]int{}, 0
	for _, message := range p.sends {
		if times[message]++; times[message] == 2 {
			twice++
		}
	}
	if len(times) != messages || twice != messages/5 || len(p.sends) != messages+twice {
		t.Errorf("%d messages, %d of them twice, in %d sends", len(times), twice, len(p.sends))
	}
	if p.sends[0] == 0 && p.sends[1] == 1 && p.sends[2] == 2 {
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
	now, rest := nextSends([]int{0, 1, 0, 2}, identities)
	if len(now) != 2 || len(rest) != 2 {
		t.Errorf("took %v and left %v, want the second of a message left", now, rest)
	}
	identities[0], identities[1] = "a", "b"
	now, rest = nextSends(rest, identities)
	if len(now) != 2 || len(rest) != 0 {
		t.Errorf("took %v and left %v, want all taken", now, rest)
	}
}
