package hotpath

import (
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/local/localtest"

	"github.com/google/go-cmp/cmp"
)

// Batches as the pipe makes them: several collections, duplicates inside a batch and in other batches, an unreadable
// message and an unreadable row.
func batchesThroughThePipe(t *testing.T, s *stack) {
	const run = "piped"
	s.PutRow(t, run, "a", "Sent", localtest.Number(40))
	s.PutRow(t, run, "b", "Sent", localtest.Number(30))
	s.PutRow(t, run, "c", "Sent", localtest.Number(100))
	s.PutRow(t, run, "broken", "Sent", localtest.Text("many"))
	messages := []string{"not JSON", receipt(run, "broken", "x")}
	for i := range 30 {
		b, c := receipt(run, "b", fmt.Sprint(i)), receipt(run, "c", fmt.Sprint(i))
		messages = append(messages, receipt(run, "a", fmt.Sprint(i)), b, replayed(fmt.Sprint("c-", i), c))
		if i < 10 { // again, in the same batch or in another
			messages = append(messages, receipt(run, "a", fmt.Sprint("more-", i)), replayed(fmt.Sprint("c-", i), c),
				replayed(fmt.Sprint("c-", i), c))
		}
	}
	s.calls.take()
	ids := s.send(t, messages...)
	s.StartPipes(t)
	s.Settle(t)

	got := []string{s.RowState(t, run, "a"), s.RowState(t, run, "b"), s.RowState(t, run, "c")}
	if diff := cmp.Diff([]string{"Received 40", "Received 30", "Sent 30"}, got); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{ids[0]: "NOT_JSON", ids[1]: "NOT_COUNTED"}, s.rejected(t)); diff != "" {
		t.Errorf("rejected (-want +got)\n%s", diff)
	}
	if dead := s.drain(t, s.deadLetters(t)); len(dead) > 0 {
		t.Errorf("%d messages are dead letters", len(dead))
	}
	batches, most := s.batches(t, run), 2*3+2 // a mark and an adoption for each row; a and b move to Received
	for _, batch := range batches {
		delete(batch, "")
		delete(batch, "broken")
		most += len(batch)
	}
	if len(batches) > len(messages)/2 {
		t.Errorf("%d messages came in %d executions", len(messages), len(batches))
	}
	if updates, _ := s.rowUpdates(t, fmt.Sprintf("%d messages in %d batches", len(messages),
		len(batches))); updates == 0 || updates > most {
		t.Errorf("%d updates of rows took effect, want at most %d", updates, most)
	}
}

// 400 files of one collection at once: each execution tries to write the row once.
func hotCollection(t *testing.T, s *stack) {
	const run, files = "crowded", 400
	s.PutRow(t, run, "a", "Sent", localtest.Number(files+1))
	var messages []string
	for i := range files {
		messages = append(messages, receipt(run, "a", fmt.Sprint(i)))
	}
	s.receiveOne(t, run, messages[0]) // adopts the row
	s.calls.take()
	s.send(t, messages[1:]...)
	s.StartPipes(t)
	s.Settle(t)
	if got := s.RowState(t, run, "a"); got != fmt.Sprint("Sent ", files) {
		t.Errorf("the collection is %s, want %d received", got, files)
	}
	batches := s.batches(t, run)
	if updates, refused := s.rowUpdates(t, fmt.Sprintf("%d files in %d batches", files, len(batches))); updates == 0 ||
		updates+refused > len(batches) {
		t.Errorf("%d updates of the row and %d that were refused, want at most %d: one for each batch", updates,
			refused, len(batches))
	}

	s.send(t, receipt(run, "a", "last"))
	s.Settle(t)
	if got := s.RowState(t, run, "a"); got != fmt.Sprint("Received ", files+1) {
		t.Errorf("after the last file the collection is %s", got)
	}
}

// rowUpdates returns how many updates of rows took effect since the last time, and how many were refused.
func (s *stack) rowUpdates(t *testing.T, of string) (updates, refused int) {
	t.Helper()
	reads, ledger := 0, 0
	for call, n := range s.calls.take() {
		switch {
		case call.Operation == "BatchGetItem":
			reads += n
		case call.Operation == "UpdateItem" && call.Table == s.Outputs.LedgerTableName:
			ledger += n
		case call.Operation == "UpdateItem" && call.Refused:
			refused += n
		case call.Operation == "UpdateItem":
			updates += n
		case strings.HasPrefix(call.Operation, "Transact"):
			t.Errorf("%d calls of %s: nothing makes transactions", n, call.Operation)
		}
	}
	t.Logf("%s: %d read calls, %d updates of the ledger, %d of rows, and %d of rows that were refused", of, reads,
		ledger, updates, refused)
	return updates, refused
}
