package snapshot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"snapshot-status-checker/internal/snapshot"
)

// jsonText draws any JSON value, often with a message's names and values.
func jsonText(depth int) *rapid.Generator[string] {
	text := rapid.Map(rapid.String(), quoted)
	name := rapid.OneOf(text, rapid.Map(rapid.SampledFrom([]string{"Records", "body", "messageId", "correlation_id",
		"collection_name", "snapshot_type", "export_date", "is_success_file", "filename", "file_name"}), quoted))
	message := rapid.Map(text, func(collection string) string { return body("collection_name", collection) })
	values := []*rapid.Generator[string]{text, message,
		rapid.SampledFrom([]string{"null", "true", "false", `""`, "0", "-1.5E+3"})}
	if depth > 0 {
		deeper := rapid.SliceOfN(jsonText(depth-1), 0, 4)
		space := rapid.SampledFrom([]string{"", " ", "\n\t"})
		values = append(values, rapid.Map(jsonText(depth-1), quoted), rapid.Custom(func(t *rapid.T) string {
			return "[" + strings.Join(deeper.Draw(t, "elements"), ","+space.Draw(t, "space")) + "]"
		}), rapid.Custom(func(t *rapid.T) string {
			var records []string
			for _, text := range deeper.Draw(t, "bodies") {
				records = append(records, record("", space.Draw(t, "space")+text))
			}
			return envelope(records...)
		}), rapid.Custom(func(t *rapid.T) string {
			var fields []string
			for _, value := range deeper.Draw(t, "values") {
				fields = append(fields, name.Draw(t, "name")+":"+space.Draw(t, "space")+value)
			}
			return "{" + strings.Join(fields, ",") + "}"
		}))
	}
	return rapid.OneOf(values...)
}

func TestUnwrapAnyJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		holdsForAnyInput(t, []byte(jsonText(4).Draw(t, "input")))
	})
}

// A record's result does not depend on the other records.
func TestUnwrapIsIndependentOfOtherRecords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var records []string
		var alone []snapshot.Receipt
		for i, text := range rapid.SliceOfN(jsonText(3), 1, 4).Draw(t, "bodies") {
			one := record(fmt.Sprint("m", i), quoted(text))
			records = append(records, one)
			alone = append(alone, snapshot.Unwrap([]byte("["+one+"]"), execution)...)
		}
		together := snapshot.Unwrap([]byte("["+strings.Join(records, ",")+"]"), execution)
		if diff := cmp.Diff(alone, together); diff != "" {
			t.Error(diff)
		}
	})
}

// Without other writers, a reconciliation ends after few steps from any state, and never moves backwards. A collection
// that it moved to Received has its request.
func TestNextStepEnds(t *testing.T) {
	t.Parallel()
	counter := rapid.Map(rapid.Int64Range(-2, 4), func(number int64) snapshot.Counter {
		if number == -2 {
			return none
		}
		return n(number)
	})
	statuses := []snapshot.Status{"", "Exported", "Blocked_Topic", snapshot.Sent, snapshot.Received, snapshot.Success}
	rapid.Check(t, func(t *rapid.T) {
		r := row(rapid.SampledFrom(statuses).Draw(t, "status"), counter.Draw(t, "sent"), counter.Draw(t, "received"))
		r.EpochStart, r.SyncedFiles = counter.Draw(t, "epoch start"), counter.Draw(t, "synced")
		c := snapshot.Collection{
			Counted:       rapid.Int64Range(0, 6).Draw(t, "counted"),
			SuccessEpochs: rapid.SliceOfN(rapid.Int64Range(-2, 6), 0, 3).Draw(t, "success epochs"),
			Request:       entry(0, rapid.SampledFrom([]string{"", "me", "other"}).Draw(t, "owner"), 0),
		}
		c.Request.Version, c.Request.Delivered = counter.Draw(t, "version"), rapid.Bool().Draw(t, "delivered")
		c.Request.Until = now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "lease")))
		for range 6 {
			before := r.Status
			switch step := snapshot.NextStep(r, c, "me", now); step {
			case snapshot.SyncRow:
				epoch := r.Epoch()
				r.FilesReceived = n(max(c.Counted-epoch, r.FilesReceived.N))
				r.EpochStart, r.SyncedFiles = n(epoch), r.FilesReceived
			case snapshot.AdoptRow:
				r.FilesReceived = n(r.FilesReceived.N)
				r.EpochStart, r.SyncedFiles = n(c.Counted-r.FilesReceived.N), r.FilesReceived
			case snapshot.EnqueueRequest, snapshot.LeaseRequest:
				c.Request = c.Request.Take(c.Epoch(r), "me", now, time.Minute)
			case snapshot.ReleaseRequest:
				c.Request = c.Request.Released()
			case snapshot.MoveToReceived:
				if r.Status = snapshot.Received; !c.Request.For(c.Epoch(r)) {
					t.Errorf("moved without a request: %+v %+v", r, c)
				}
			case snapshot.MoveToSuccess:
				r.Status = snapshot.Success
			case snapshot.Rest:
				return
			default:
				t.Fatalf("step %q", step)
			}
			if slices.Index(statuses, r.Status) < slices.Index(statuses, before) {
				t.Errorf("moved from %s to %s", before, r.Status)
			}
		}
		t.Errorf("no rest: %+v %+v", r, c)
	})
}
