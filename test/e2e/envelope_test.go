package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"
)

// 450 collections are completed by two envelopes: more at once than the history of a STANDARD execution holds, so it
// leaves some of them to the sweep. By itself, since it keeps the engine busy.
func TestManyCollectionsInAnEnvelope(t *testing.T) {
	s := deploy(t, configurations[0].settings...)
	r := s.newRun(t)
	const collections, first, concurrent = 450, 400, 50
	var files, requests []string
	for i := range collections {
		name := fmt.Sprintf("db.envelope.collection%03d", i)
		r.put(name, "Sent", 1)
		files = append(files, object(r.file(name)))
		requests = append(requests, r.request(name))
		if i%concurrent == concurrent-1 {
			r.settle(nil) // each row starts an execution, and the engine runs 100 functions concurrently
		}
	}
	ended := r.start(envelope(files[:first]...), envelope(files[first:]...))
	var output struct{ Reconciled int }
	if err := json.Unmarshal([]byte(*ended[0].Output), &output); err != nil {
		t.Fatal(err)
	}
	if output.Reconciled == 0 || output.Reconciled >= first {
		t.Errorf("an execution reconciled %d of its %d collections", output.Reconciled, first)
	}
	r.wantNotifications()

	r.sweep(collections, 1)
	for i := range collections {
		r.wantRow(fmt.Sprintf("db.envelope.collection%03d", i), "Received", 1)
	}
	r.wantRequests(requests...)
	r.wantNotifications(r.allReceived())
	r.wantRejected()
}
