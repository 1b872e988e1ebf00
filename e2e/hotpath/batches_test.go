package hotpath

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Batches as the pipe makes them: several collections, duplicates inside of a batch and in others, a message that
// nobody can read, a row that nobody can read.
func batchThroughThePipe(t *testing.T, s *stack) {
	const run = "piped"
	s.put(t, run, "a", number(40))
	s.put(t, run, "b", number(30))
	s.put(t, run, "c", number(100))
	s.put(t, run, "broken", text("many"))
	messages := []string{"not JSON", receipt(run, "broken", "x")}
	for i := range 30 {
		b, c := receipt(run, "b", fmt.Sprint(i)), receipt(run, "c", fmt.Sprint(i))
		messages = append(messages, receipt(run, "a", fmt.Sprint(i)), b, putBack(fmt.Sprint("c-", i), c))
		if i < 10 { // again, in the same batch or in another
			messages = append(messages, receipt(run, "a", fmt.Sprint("more-", i)), putBack(fmt.Sprint("c-", i), c), putBack(fmt.Sprint("c-", i), c))
		}
	}
	s.calls.take()
	ids := s.send(t, messages...)
	s.servePipes(t)
	s.settle(t)

	got := []string{s.stands(t, run, "a"), s.stands(t, run, "b"), s.stands(t, run, "c")}
	if diff := cmp.Diff([]string{"Received 40", "Received 30", "Sent 30"}, got); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{ids[0]: "NOT_JSON", ids[1]: "NOT_COUNTED"}, s.kept(t)); diff != "" {
		t.Errorf("kept (-want +got)\n%s", diff)
	}
	if dead := s.drain(t, s.deadLetters(t)); len(dead) > 0 {
		t.Errorf("%d messages are dead letters", len(dead))
	}
	batches, most := s.batches(t, run), 2 // the moves of a and b to Received
	for _, batch := range batches {
		delete(batch, "")
		delete(batch, "broken")
		most += len(batch)
	}
	if len(batches) > len(messages)/2 {
		t.Errorf("%d messages came in %d executions", len(messages), len(batches))
	}
	s.wantUpdates(t, fmt.Sprintf("%d messages in %d batches", len(messages), len(batches)), most)
}

// Hundreds of files of one collection at once: whoever finds that another brought the row up to date does not write.
func hotCollection(t *testing.T, s *stack) {
	const run, files = "crowded", 400
	s.put(t, run, "a", number(files+1))
	var messages []string
	for i := range files {
		messages = append(messages, receipt(run, "a", fmt.Sprint(i)))
	}
	s.calls.take()
	s.send(t, messages...)
	s.servePipes(t)
	s.settle(t)
	if got := s.stands(t, run, "a"); got != fmt.Sprint("Sent ", files) {
		t.Errorf("the collection stands at %s, want %d received", got, files)
	}
	batches := s.batches(t, run)
	s.wantUpdates(t, fmt.Sprintf("%d files in %d batches", files, len(batches)), len(batches))

	s.send(t, receipt(run, "a", "last"))
	s.settle(t)
	if got := s.stands(t, run, "a"); got != fmt.Sprint("Received ", files+1) {
		t.Errorf("after the last file the collection stands at %s", got)
	}
}

// wantUpdates compares how many updates of rows took effect.
func (s *stack) wantUpdates(t *testing.T, of string, most int) {
	t.Helper()
	updates, overtaken, reads, transactions := 0, 0, 0, 0
	for call, n := range s.calls.take() {
		switch {
		case call.Table == s.outputs.ExportStatusTableName && strings.HasPrefix(call.Operation, "Update") && call.Refused:
			overtaken += n
		case call.Table == s.outputs.ExportStatusTableName && strings.HasPrefix(call.Operation, "Update"):
			updates += n
		case call.Operation == "BatchGetItem":
			reads += n
		case call.Operation == "TransactWriteItems":
			transactions += n
		}
	}
	t.Logf("%s: %d read calls, %d transactions, %d updates of rows and %d that came too late", of, reads, transactions, updates, overtaken)
	if updates == 0 || updates > most {
		t.Errorf("%s: %d updates of rows took effect, want at most %d", of, updates, most)
	}
}
