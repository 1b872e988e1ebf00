package simulation

import (
	"encoding/json"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// checkWrite checks the guarantees on a write of a task that took effect.
func (s *schedule) checkWrite(write table.Write, old, now table.Item) {
	if write.Table == s.tables.Status.Table {
		s.rowChanged(write.Ref, old)
		s.checkRow(write, old)
		return
	}
	for _, prefix := range []string{"Request", "AllReceived", "AllSuccessful", "Stalled", "Abandoned", "Late"} {
		if _, enqueues := write.Set[prefix+"Owner"]; enqueues {
			s.checkEntry(prefix, write, old)
		}
	}
	if added, counts := write.Add["Recent"].(table.Blobs); counts {
		s.checkCount(write.Ref, old, now, added)
	}
	if generation, _ := now.Int("Generation"); write.Partition == "run" && int(generation) > s.exports {
		s.violated("the notifications became due %d times again after %d new exports", generation, s.exports)
	}
}

func (s *schedule) checkRow(write table.Write, old table.Item) {
	if old == nil {
		s.violated("a row was made for %q", write.Sort)
		return
	}
	c := s.find(write.Sort)
	before, now := s.decodeRow(c.name, old), s.row(c)
	counted := s.ledger(c.name).Counted
	switch {
	case now.Adopted() && now.Held() > counted:
		s.violated("the row of %s holds %d files, but %d were counted", c.name, now.Held(), counted)
	case !c.gone && now.FilesReceived.N > int64(len(c.arrived)):
		s.violated("counted twice: %s has received %d files, but %d arrived", c.name, now.FilesReceived.N,
			len(c.arrived))
	case now.FilesReceived.N < before.FilesReceived.N:
		s.violated("%s went back from %d to %d received files", c.name, before.FilesReceived.N, now.FilesReceived.N)
	case before.Status == now.Status:
	case before.Status.Is(snapshot.Sent) && now.Status.Is(snapshot.Received):
		if !before.Complete() {
			s.violated("%s became Received with %d of %d files", c.name, before.FilesReceived.N, before.FilesSent.N)
		}
	case before.Status.Is(snapshot.Received) && now.Status.Is(snapshot.Success):
		if !c.success && !c.lateSuccess {
			s.violated("%s became Success without a success file of this export", c.name)
		}
	default:
		s.violated("%s was moved from %s to %s", c.name, before.Status, now.Status)
	}
}

// checkCount: a digest was in no set before, and a counted message has a receipt. By file every message but that of a
// success file has a second digest, without a receipt.
func (s *schedule) checkCount(ref table.Ref, old, now table.Item, added table.Blobs) {
	recent, _ := old.Blobs("Recent")
	receipts := 0
	for _, digest := range added {
		if recent.Has(digest) || s.inLedger(ref.Partition, "page#", digest) {
			s.violated("a message of %s was counted twice", ref.Partition)
		}
		if s.inLedger(ref.Partition, "receipts#", digest) {
			receipts++
		}
	}
	if s.countBy.MaxDigests()*receipts < len(added) {
		s.violated("a message of %s was counted without a receipt", ref.Partition)
	}
}

// inLedger reports whether a page or receipts of the partition hold the digest.
func (s *schedule) inLedger(partition, prefix, digest string) bool {
	for _, sort := range s.db.Keys(s.tables.Ledger, partition) {
		if !strings.HasPrefix(sort, prefix) {
			continue
		}
		item := s.item(s.tables.Ledger.At(partition, sort))
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

// checkEntry: nothing is enqueued twice for one version, and no entry gets a new owner unless its owner died or gave up
// the lease. The clock stops while a process lives, so a lease that has ended belongs to a dead owner.
func (s *schedule) checkEntry(prefix string, write table.Write, old table.Item) {
	before, _ := old.Int(prefix + "Version")
	until, _ := old.Int(prefix + "LeaseUntil")
	delivered, _ := old.Bool(prefix + "Delivered")
	now := write.Set[prefix+"Version"].(int64)
	again := old.Has(prefix+"Version") && before == now
	generation, _ := old.Int("Generation")
	successful, _ := old.Int("AllSuccessfulVersion")
	notified, _ := old.Bool("AllSuccessfulDelivered")
	request := prefix == "Request"
	switch {
	case again && delivered:
		s.violated("%s was enqueued for version %d after it was delivered", prefix, now)
	case again && write.Set[prefix+"Owner"] != "" && s.clock.Unix() < until:
		s.violated("%s of version %d got a new owner before its lease ended", prefix, now)
	case before > now && !request:
		s.violated("%s was enqueued for version %d after %d", prefix, now, before)
	case prefix == "Late" && !again && notified && successful == generation:
		s.violated("%s was enqueued although monitoring knew that the run was successful", prefix)
	case request && s.find(collectionOf(write.Ref)).empty:
		s.violated("a request was enqueued for %s, which has no files", collectionOf(write.Ref))
	case !request && !again && s.noRows[s.current]:
		s.violated("%s was enqueued for a run without rows", prefix)
	}
	if request && !again {
		s.sends++
		s.requested = s.sends
	}
}

// checkSend: a notification is for a complete run. Package history checks the rest from the log lines.
func (s *schedule) checkSend(out snapshot.Outgoing) {
	if out.Kind == snapshot.RunStalled || out.Kind == snapshot.RunAbandoned || out.Kind == snapshot.RunLate {
		return
	}
	s.sends++
	if out.Kind == snapshot.SuccessFileRequest {
		return
	}
	s.notified[out.Kind] = s.sends
	if s.generation() != out.Version || s.expired {
		return
	}
	for _, c := range s.collections {
		row := s.row(c)
		if row == nil || c.mayBeGone || c.export > 0 && out.Version == c.since {
			continue // it may have reached the status when it was read
		}
		if !s.reached[reached{c.name, s.ledger(c.name).Epoch(*row), out.Kind.Wanted()}] {
			s.violated("%s was sent, but %s is not %s", out.Kind, c.name, out.Kind.Wanted())
		}
	}
}

func (s *schedule) generation() int64 {
	generation, _ := s.item(s.tables.Ledger.At("run", run)).Int("Generation")
	return generation
}

// checkIdle checks the result of a phase.
func (s *schedule) checkIdle() {
	tally := snapshot.Tally{}
	for _, c := range s.collections {
		s.checkCollection(c)
		if row := s.row(c); row != nil {
			tally.Add(*row, s.exempt)
		}
	}
	s.checkHistory()
	if s.violation != "" {
		return
	}
	for _, kind := range snapshot.Notifications {
		if tally.All(kind) && s.notified[kind] <= s.requested {
			s.violated("%s holds, and monitoring was not notified after the last request", kind)
		}
	}
	for _, id := range s.mustReject {
		if !s.everRejected[id] {
			s.violated("%s was lost", id)
		}
	}
}

func (s *schedule) checkCollection(c *collection) {
	row := s.row(c)
	if c.unchecked() || row == nil {
		return
	}
	wanted, late := snapshot.Received, int64(len(c.late))
	ledger, arrived := s.ledger(c.name), int64(c.earlierFiles+c.files-c.countedElsewhere)+late
	if c.success || c.lateSuccess && row.Status.Is(snapshot.Success) {
		wanted = snapshot.Success
	}
	epoch := ledger.Epoch(*row)
	request := snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: row.CollectionKey, Version: epoch}
	switch {
	case row.FilesReceived.N < int64(c.files), row.FilesReceived.N > int64(c.files)+late:
		s.violated("%s has received %d of %d files", c.name, row.FilesReceived.N, c.files)
	case row.Adopted() && row.Held() != ledger.Counted:
		s.violated("%s holds %d files, %d were counted", c.name, row.Held(), ledger.Counted)
	case ledger.Counted != arrived:
		s.violated("%d files of %s were counted, not %d", ledger.Counted, c.name, arrived)
	case !row.Status.Is(wanted):
		s.violated("%s is stuck in %s instead of %s", c.name, row.Status, wanted)
	case string(row.Status) != c.spell(string(wanted)):
		s.violated("%s is spelled %s", c.name, row.Status)
	case c.empty && s.sent[request] > 0:
		s.violated("the sender was asked for the _success file of %s, which has no files", c.name)
	case !c.empty && s.sent[request] == 0:
		s.violated("the sender was not asked for epoch %d of %s", epoch, c.name)
	}
}

func (s *schedule) find(name string) *collection {
	for _, c := range s.collections {
		if c.name == name {
			return c
		}
	}
	return &collection{name: name, mayBeGone: true}
}
