package simulation

import (
	"encoding/json"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// observe checks the guarantees on a write of ours that took effect.
func (w *world) observe(write table.Write, old, now table.Item) {
	if write.Table == w.tables.Status.Table {
		w.changed(write.Ref, old)
		w.checkRow(write, old)
		return
	}
	for _, prefix := range []string{"Request", "AllReceived", "AllSuccessful", "Stalled", "Abandoned"} {
		if _, enqueues := write.Set[prefix+"Owner"]; enqueues {
			w.checkEntry(prefix, write, old)
		}
	}
	if added, counts := write.Add["Recent"].(table.Blobs); counts {
		w.checkCount(write.Ref, old, now, added)
	}
	if generation, _ := now.Int("Generation"); write.Partition == "run" && int(generation) > w.exports {
		w.broken("the notifications became due %d times again after %d new exports", generation, w.exports)
	}
}

func (w *world) checkRow(write table.Write, old table.Item) {
	if old == nil {
		w.broken("a row was made for %q", write.Sort)
		return
	}
	c := w.find(write.Sort)
	before, now := w.decodeRow(c.name, old), w.row(c)
	switch {
	case now.Adopted() && now.Held() > w.ledger(c.name).Counted:
		w.broken("the row of %s holds %d files, but %d were counted", c.name, now.Held(), w.ledger(c.name).Counted)
	case !c.gone && now.FilesReceived.N > int64(len(c.arrived)):
		w.broken("counted twice: %s has received %d files, but %d arrived", c.name, now.FilesReceived.N, len(c.arrived))
	case now.FilesReceived.N < before.FilesReceived.N:
		w.broken("%s went back from %d to %d received files", c.name, before.FilesReceived.N, now.FilesReceived.N)
	case before.Status == now.Status:
	case before.Status.Is(snapshot.Sent) && now.Status.Is(snapshot.Received):
		if !before.Complete() {
			w.broken("%s became Received with %d of %d files", c.name, before.FilesReceived.N, before.FilesSent.N)
		}
	case before.Status.Is(snapshot.Received) && now.Status.Is(snapshot.Success):
		if !c.success && !c.lateSuccess {
			w.broken("%s became Success without a success file of this export", c.name)
		}
	default:
		w.broken("%s was moved from %s to %s", c.name, before.Status, now.Status)
	}
}

// checkCount: what is counted stood in no set before, and has a receipt.
func (w *world) checkCount(ref table.Ref, old, now table.Item, added table.Blobs) {
	recent, _ := old.Blobs("Recent")
	for _, digest := range added {
		if recent.Has(digest) || w.inLedger(ref.Partition, "page#", digest) {
			w.broken("a message of %s was counted twice", ref.Partition)
		}
		if !w.inLedger(ref.Partition, "receipts#", digest) {
			w.broken("a message of %s was counted without a receipt", ref.Partition)
		}
	}
}

// inLedger reports whether an item of the partition holds the digest: a page, or receipts.
func (w *world) inLedger(partition, prefix, digest string) bool {
	for _, sort := range w.db.Keys(w.tables.Ledger, partition) {
		if !strings.HasPrefix(sort, prefix) {
			continue
		}
		item := w.item(w.tables.Ledger.At(partition, sort))
		digests, _ := item.Blobs("Digests")
		var receipts []struct{ Digest []byte }
		text, _ := item.String("Messages")
		_ = json.Unmarshal([]byte(text), &receipts) // of a page it is empty
		for _, receipt := range receipts {
			digests = append(digests, string(receipt.Digest))
		}
		if table.NewBlobs(digests...).Has(digest) {
			return true
		}
	}
	return false
}

// checkEntry: nothing is enqueued twice for one version, and no message is taken over unless its owner died or gave it
// up. The clock stands still while anybody lives, so a lease that is over belongs to a dead owner.
func (w *world) checkEntry(prefix string, write table.Write, old table.Item) {
	before, _ := old.Int(prefix + "Version")
	until, _ := old.Int(prefix + "LeaseUntil")
	delivered, _ := old.Bool(prefix + "Delivered")
	now := write.Set[prefix+"Version"].(int64)
	again := old.Has(prefix+"Version") && before == now
	switch {
	case again && delivered:
		w.broken("%s was enqueued for version %d after it was delivered", prefix, now)
	case again && write.Set[prefix+"Owner"] != "" && w.clock.Unix() < until:
		w.broken("%s of version %d was taken over while its owner lives", prefix, now)
	case before > now && prefix != "Request":
		w.broken("%s was enqueued for version %d after %d", prefix, now, before)
	}
	if prefix == "Request" && w.find(collectionOf(write.Ref)).empty {
		w.broken("a request was enqueued for %s, which has no files", collectionOf(write.Ref))
	}
	if prefix != "Request" && !again && w.noRows[w.current] {
		w.broken("%s was enqueued for a run without rows", prefix)
	}
	if prefix == "Request" && !again {
		w.sends++
		w.requested = w.sends
	}
}

// checkSend: a request goes out for a collection that was received, a notification for a run all of which was, and
// while nobody dies everything goes out once.
func (w *world) checkSend(out snapshot.Outgoing) {
	if out.Kind == snapshot.RunStalled || out.Kind == snapshot.RunAbandoned {
		return
	}
	w.sends++
	if w.sent[out] > 1 && !w.plan.Storm {
		w.broken("%s, version %d, of %q was sent twice although nobody died", out.Kind, out.Version, out.CollectionName)
	}
	if out.Kind == snapshot.SuccessFileRequest {
		if !w.reached[reached{out.CollectionName, out.Version, snapshot.Received}] {
			w.broken("a request was sent for epoch %d of %s, which was not received", out.Version, out.CollectionName)
		}
		return
	}
	w.notified[out.Kind] = w.sends
	if w.generation() != out.Version || w.over {
		return
	}
	for _, c := range w.collections {
		row := w.row(c)
		if row == nil || c.mayBeGone || c.export > 0 && out.Version == c.since {
			continue // it may have been done when it was read
		}
		if !w.reached[reached{c.name, w.ledger(c.name).Epoch(*row), out.Kind.Wanted()}] {
			w.broken("%s was sent, but %s is not %s", out.Kind, c.name, out.Kind.Wanted())
		}
	}
}

func (w *world) generation() int64 {
	generation, _ := w.item(w.runRef()).Int("Generation")
	return generation
}

// checkRest checks the world that has come to rest.
func (w *world) checkRest() {
	tally := snapshot.Tally{}
	for _, c := range w.collections {
		w.checkCollection(c)
		if row := w.row(c); row != nil {
			tally.Add(*row, w.exempt)
		}
	}
	if w.violation != "" {
		return
	}
	for _, kind := range snapshot.Notifications {
		if tally.All(kind) && w.notified[kind] <= w.requested {
			w.broken("%s holds, and monitoring was not notified since the last request", kind)
		}
	}
	for _, id := range w.mustReject {
		if !w.everKept[id] {
			w.broken("%s was lost", id)
		}
	}
}

func (w *world) checkCollection(c *collection) {
	row := w.row(c)
	if c.unchecked() || row == nil {
		return
	}
	wanted, late := snapshot.Received, int64(len(c.late))
	if c.success || c.lateSuccess && row.Status.Is(snapshot.Success) {
		wanted = snapshot.Success
	}
	epoch := w.ledger(c.name).Epoch(*row)
	request := snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: row.CollectionKey, Version: epoch}
	switch {
	case row.FilesReceived.N < int64(c.files), row.FilesReceived.N > int64(c.files)+late:
		w.broken("%s has received %d of %d files", c.name, row.FilesReceived.N, c.files)
	case row.Adopted() && row.Held() != w.ledger(c.name).Counted:
		w.broken("%s holds %d files, %d were counted", c.name, row.Held(), w.ledger(c.name).Counted)
	case w.ledger(c.name).Counted != int64(c.before+c.files-c.taken+len(c.late)):
		w.broken("%d files of %s were counted, not %d", w.ledger(c.name).Counted, c.name, c.before+c.files-c.taken+
			len(c.late))
	case !row.Status.Is(wanted):
		w.broken("%s is stuck in %s instead of %s", c.name, row.Status, wanted)
	case string(row.Status) != c.spell(string(wanted)):
		w.broken("%s is spelled %s", c.name, row.Status)
	case c.empty && w.sent[request] > 0:
		w.broken("the sender was asked for the _success file of %s, which has no files", c.name)
	case !c.empty && w.sent[request] == 0:
		w.broken("the sender was not asked for epoch %d of %s", epoch, c.name)
	}
}

func (w *world) find(name string) *collection {
	for _, c := range w.collections {
		if c.name == name {
			return c
		}
	}
	return &collection{name: name, mayBeGone: true}
}
