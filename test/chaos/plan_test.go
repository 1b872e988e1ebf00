package chaos

import (
	"slices"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func TestPlanSendsEachMessage(t *testing.T) {
	t.Parallel()
	p, err := newPlan(Options{Seed: 1, Collections: 7, Messages: 105, CountBy: snapshot.ByFile})
	if err != nil {
		t.Fatal(err)
	}
	times, twice, again := map[string]int{}, 0, 0
	for _, send := range p.sends {
		if send.again {
			again++
		} else if times[send.text]++; times[send.text] == 2 {
			twice++
		}
	}
	if len(times) != 105 || p.files != 105 || twice != 21 || p.duplicates != 21 {
		t.Errorf("%d messages of %d files, %d of them twice, want 105 and 21", len(times), p.files, twice)
	}
	if again == 0 || again != p.again || len(p.sends) != 105+twice+again {
		t.Errorf("%d files come again, the plan says %d, in %d sends", again, p.again, len(p.sends))
	}
	first := slices.IndexFunc(p.sends, func(s send) bool { return s.again })
	if first >= len(p.sends)-again {
		t.Errorf("the files that come again are not shuffled: the first is send %d of %d", first, len(p.sends))
	}
	late := 0
	for _, c := range p.collections {
		if c.sentAt > 1 {
			late++
		}
	}
	if late != 1 {
		t.Errorf("Sent is written late for %d collections, want 1", late)
	}
	last := map[string]bool{}
	for _, w := range p.writings() {
		if last[w.collection.name] {
			t.Errorf("%s is written to after Sent", w.collection.name)
		}
		last[w.collection.name] = w.sent
	}
}

// Kills depend on requests, not on time.
func TestKillsFollowRequests(t *testing.T) {
	t.Parallel()
	f := &faults{killEvery: 10, kills: make(chan struct{}, 1)}
	called := 0
	for range 10_000 {
		f.request()
		select {
		case <-f.kills:
			called++
		default:
		}
	}
	if called < 500 || called > 2_000 { // 1,000 expected, with a standard deviation of 30
		t.Errorf("%d kills in 10,000 requests, want about 1,000", called)
	}
	for range 1_000 { // pending kills do not add up
		f.request()
	}
	if len(f.kills) != 1 || f.requests.Load() != 11_000 {
		t.Errorf("%d pending kills after %d requests", len(f.kills), f.requests.Load())
	}
}
