package chaos

import (
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// Each difference from a run of one collection with two files is one broken guarantee.
func TestCheckSeesWhatIsMissingAndWhatExistsTwice(t *testing.T) {
	t.Parallel()
	type result struct {
		row      snapshot.Row
		more     []store.State // further rows
		receipts map[string]int
		requests []string
		rejected string // reason of a rejected message
		failed   string // code of a failed write of the other writer
	}
	counter := func(n int64) snapshot.Counter { return snapshot.Counter{N: n, Set: true} }
	for name, test := range map[string]struct {
		change func(*result)
		broken int
	}{
		"as it should be":         {func(*result) {}, 0},
		"another status":          {func(r *result) { r.row.Status = "Received" }, 1},
		"a file not in the row":   {func(r *result) { r.row.FilesReceived = counter(1) }, 1},
		"a file in the row twice": {func(r *result) { r.row.FilesReceived = counter(3) }, 1},
		"a count not in the row":  {func(r *result) { r.row.SyncedFiles = counter(1) }, 1},
		"a second row":            {func(r *result) { r.more = []store.State{{Row: &snapshot.Row{}}} }, 1},
		"an update lost":          {func(r *result) { r.row.FilesSent = counter(1) }, 1},
		"another row":             {func(r *result) { r.row.CollectionName = "b" }, 3},
		"a file lost":             {func(r *result) { delete(r.receipts, "2") }, 1},
		"a file counted twice":    {func(r *result) { r.receipts["2"]++ }, 1},
		"a file never sent":       {func(r *result) { r.receipts["3"] = 1 }, 1},
		"no request":              {func(r *result) { r.requests = nil }, 2},
		"two requests":            {func(r *result) { r.requests = append(r.requests, "id-2") }, 1},
		"retries used up":         {func(r *result) { r.rejected = "NOT_COUNTED" }, 0},
		"a rejected message":      {func(r *result) { r.rejected = "NOT_JSON" }, 1},
		"a failed write":          {func(r *result) { r.failed = "ConflictException" }, 1},
		"a request without an id": {func(r *result) { r.requests = []string{""} }, 1},
	} {
		s := &system{plan: &plan{files: 2, collections: []collection{{name: "a", files: []string{"1", "2"}}}}}
		is := result{receipts: map[string]int{"1": 1, "2": 1}, requests: []string{"id"}, row: snapshot.Row{
			CollectionKey: snapshot.CollectionKey{CollectionName: "a"}, Status: "Success", FilesSent: counter(2),
			FilesReceived: counter(2), SyncedFiles: counter(2), EpochStart: counter(0)}}
		test.change(&is)
		for _, id := range is.requests {
			s.seen.requests.add("a", id)
		}
		if is.rejected != "" {
			s.seen.rejected.add(is.rejected, "id")
		}
		if is.failed != "" {
			s.seen.writeErrors.add(is.failed, "")
		}
		for _, title := range []string{"All collections received by NiFi", "All collections successful"} {
			s.seen.notifications.add("Full - "+title, "id of "+title)
		}
		r := &Report{system: s}
		r.checkRows(append(is.more, store.State{Row: &is.row}))
		r.checkReceipts(s.plan.collections[0], is.receipts)
		r.checkMessages()
		if len(r.Broken) != test.broken {
			t.Errorf("%s: %d broken, want %d: %q", name, len(r.Broken), test.broken, r.Broken)
		}
	}
}
