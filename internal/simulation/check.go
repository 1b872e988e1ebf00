package simulation

import (
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// observe checks the guarantees on a write of ours that took effect.
func (w *world) observe(write table.Write, old table.Item) {
	if write.Table == w.tables.Status.Table {
		w.changed(write.Ref, old)
		w.checkRow(write, old)
		return
	}
	for _, prefix := range []string{"Request", "AllReceived", "AllSuccessful", "Stalled", "LetGo"} {
		if _, claims := write.Set[prefix+"ClaimedBy"]; claims {
			w.checkClaim(prefix, write, old)
		}
	}
}

func (w *world) checkRow(write table.Write, old table.Item) {
	if old == nil {
		w.broken("a row was made for %q", write.Sort)
		return
	}
	c := w.find(write.Sort)
	before, now := decode(c.name, old), w.row(c)
	counted, _ := w.item(w.tables.Ledger.At("collection#"+run+"#"+c.name, "collection")).Int("Counted")
	switch {
	case now.FilesCounted.N > counted:
		w.broken("the row of %s holds %d files, but %d were counted", c.name, now.FilesCounted.N, counted)
	case now.FilesReceived.N > int64(len(c.arrived)):
		w.broken("counted twice: %s has received %d files, but %d arrived", c.name, now.FilesReceived.N, len(c.arrived))
	case before.Status == now.Status:
	case before.Status.Is(snapshot.Sent) && now.Status.Is(snapshot.Received):
		if !before.Complete() {
			w.broken("%s became Received with %d of %d files", c.name, before.FilesReceived.N, before.FilesSent.N)
		}
	case before.Status.Is(snapshot.Received) && now.Status.Is(snapshot.Success):
		if !c.success {
			w.broken("%s became Success without a success file of this attempt", c.name)
		}
	default:
		w.broken("%s was moved from %s to %s", c.name, before.Status, now.Status)
	}
}

// checkClaim: nothing is claimed twice for one attempt unless its claimer died. The clock stands still while
// anybody lives, so a lease that is over belongs to a dead claimer.
func (w *world) checkClaim(prefix string, write table.Write, old table.Item) {
	before, _ := old.Int(prefix + "Attempt")
	until, _ := old.Int(prefix + "ClaimedUntil")
	paid, _ := old.Bool(prefix + "Delivered")
	now := write.Set[prefix+"Attempt"].(int64)
	switch {
	case !old.Has(prefix + "Attempt"):
	case before == now && paid:
		w.broken("%s was claimed for attempt %d after it was delivered", prefix, now)
	case before == now && w.clock.Unix() < until:
		w.broken("%s was claimed twice for attempt %d while its claimer lives", prefix, now)
	case before > now:
		w.broken("%s was claimed for attempt %d after %d", prefix, now, before)
	}
}

// checkSend: a request goes out for a collection that was received, news for a run all of which was, and
// while nobody dies everything goes out once.
func (w *world) checkSend(debt snapshot.Debt) {
	if w.sent[debt] > 1 && !w.plan.Storm {
		w.broken("%s for attempt %d of %q was sent twice although nobody died", debt.Kind, debt.Attempt, debt.CollectionName)
	}
	switch debt.Kind {
	case snapshot.SuccessFileRequest:
		if !w.reached[reached{debt.CollectionName, debt.Attempt, snapshot.Received}] {
			w.broken("a request was sent for attempt %d of %s, which was not received", debt.Attempt, debt.CollectionName)
		}
	case snapshot.AllReceived, snapshot.AllSuccessful:
		if w.over {
			return
		}
		sum := int64(0)
		all := true
		for _, c := range w.collections {
			attempt := w.row(c).Attempt()
			sum += attempt
			all = all && w.reached[reached{c.name, attempt, debt.Kind.Wanted()}]
		}
		if sum == debt.Attempt && !all {
			w.broken("%s was told, but not every collection is %s", debt.Kind, debt.Kind.Wanted())
		}
	}
}

// checkRest checks the world that has come to rest.
func (w *world) checkRest() {
	for _, c := range w.collections {
		w.checkCollection(c)
	}
	if w.violation != "" {
		return
	}
	tally := snapshot.Tally{}
	for _, c := range w.collections {
		tally.Add(w.row(c), w.exempt)
	}
	for _, news := range snapshot.News {
		told := w.sent[snapshot.Debt{Kind: news, CollectionKey: snapshot.CollectionKey{CorrelationID: run}, Attempt: tally.Attempts}]
		if tally.True(news) && told == 0 {
			w.broken("%s is true and was not told for attempts %d", news, tally.Attempts)
		}
	}
	for _, id := range w.mustKeep {
		if !w.everKept[id] {
			w.broken("%s was lost", id)
		}
	}
}

func (w *world) checkCollection(c *collection) {
	if c.never || c.empty {
		return
	}
	row := w.row(c)
	wanted := snapshot.Received
	if c.success {
		wanted = snapshot.Success
	}
	// Of one that was taken over, a look that does not know of it yet may use a success file that came unasked.
	needless := c.success && c.taken == c.files
	request := snapshot.Debt{Kind: snapshot.SuccessFileRequest, CollectionKey: row.CollectionKey, Attempt: row.Attempt()}
	switch {
	case row.FilesReceived.N != int64(c.files):
		w.broken("%s has received %d of %d files", c.name, row.FilesReceived.N, c.files)
	case row.FilesCounted.N != int64(c.before+c.files-c.taken):
		w.broken("%s holds %d counted files, not %d", c.name, row.FilesCounted.N, c.before+c.files-c.taken)
	case !row.Status.Is(wanted):
		w.broken("%s is stuck in %s instead of %s", c.name, row.Status, wanted)
	case string(row.Status) != c.spell(string(wanted)):
		w.broken("%s is spelled %s", c.name, row.Status)
	case w.sent[request] == 0 && !needless:
		w.broken("the sender was not asked for attempt %d of %s", row.Attempt(), c.name)
	}
}

func (w *world) find(name string) *collection {
	for _, c := range w.collections {
		if c.name == name {
			return c
		}
	}
	return &collection{name: name}
}
