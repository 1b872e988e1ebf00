package store_test

import (
	"slices"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

func TestAReadersPlaceIsTakenOnceItsTimeIsOver(t *testing.T) {
	w, last := receivedBut(t)
	w.db.before = func(_ string, write table.Write) {
		if slices.Contains(write.Remove, "Reader") {
			panic("dies")
		}
	}
	func() {
		defer func() { _ = recover() }()
		w.check("dying", snapshot.Received)
		t.Fatal("it did not die")
	}()
	w.db.before = func(string, table.Write) {}
	w.set(last, snapshot.Received)
	w.check("too early", snapshot.Received)
	w.wantTold(0)
	w.now = w.now.Add(snapshot.ReaderLease)
	w.check("heir", snapshot.Received)
	w.wantTold(1)
}

// reader is what the ledger holds of the run's reader.
func (w *wide) reader() (reader, until any) {
	w.Helper()
	item, err := w.db.DB.Get(w.Context(), table.Read{Ref: w.runs.Ledger.At("run", run), Consistent: true})
	if err != nil {
		w.Fatal(err)
	}
	return item["Reader"], item["ReaderUntil"]
}

// deadReader is the run of receivedBut whose reader's time is over.
func deadReader(t *testing.T) (w *wide, last string) {
	w, last = receivedBut(t)
	w.setReader("dead")
	w.now = w.now.Add(snapshot.ReaderLease)
	return w, last
}

// setReader gives the run a reader that has just begun.
func (w *wide) setReader(reader string) {
	w.Helper()
	_, err := w.db.DB.Update(w.Context(), table.Write{Ref: w.runs.Ledger.At("run", run),
		Set: map[string]any{"Reader": reader, "ReaderUntil": w.now.Add(snapshot.ReaderLease).Unix()}})
	if err != nil {
		w.Fatal(err)
	}
}

// Who takes a dead reader's place has it for as long as any other: nobody takes it from them meanwhile.
func TestAnHeirKeepsTheReadersPlace(t *testing.T) {
	w, _ := deadReader(t)
	ended := false
	w.beforeTheReadingEnds(func() {
		ended = true
		heir, _ := w.reader()
		w.check("third", snapshot.Received)
		if now, _ := w.reader(); now != heir || heir == "dead" {
			t.Errorf("%v took the place of %v", now, heir)
		}
	})
	w.check("heir", snapshot.Received)
	if !ended {
		t.Error("nobody took the dead reader's place")
	}
}

// A reader whose time was over, and who begins anew before somebody takes its place, keeps it.
func TestAReaderThatBeginsAnewIsNotDead(t *testing.T) {
	w, _ := deadReader(t)
	w.db.before = func(_ string, write table.Write) {
		if write.Set["Reader"] != nil {
			w.db.before = func(string, table.Write) {}
			w.setReader("dead")
		}
	}
	w.check("heir", snapshot.Received)
	if reader, until := w.reader(); reader != "dead" || until != w.now.Add(snapshot.ReaderLease).Unix() {
		t.Errorf("the reader is %v until %v, want the one that began anew", reader, until)
	}
}

// A reader that runs again after its answer was lost goes on, and ends what it began.
func TestAReaderThatRunsAgainGoesOn(t *testing.T) {
	w, last := receivedBut(t)
	w.set(last, snapshot.Received)
	w.db.before = func(_ string, write table.Write) {
		if slices.Contains(write.Remove, "Reader") {
			panic("dies")
		}
	}
	func() {
		defer func() { _ = recover() }()
		w.check(last, snapshot.Received)
	}()
	w.db.before = func(string, table.Write) {}
	w.set(w.rows[0], "Sent") // which is what it would see first
	if claimed := w.check(last, snapshot.Received).Claimed; len(claimed) != 1 {
		t.Errorf("claimed %v, want what it had claimed before it died", claimed)
	}
	item, err := w.db.DB.Get(t.Context(), table.Read{Ref: w.runs.Ledger.At("run", run), Consistent: true})
	if err != nil || item.Has("Reader") {
		t.Errorf("the run still has a reader: %v, %v", item, err)
	}
}
