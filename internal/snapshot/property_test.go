package snapshot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"snapshot-status-checker/internal/snapshot"
)

// jsonText draws any JSON value, often with a message's names and values.
func jsonText(depth int) *rapid.Generator[string] {
	name := rapid.OneOf(
		rapid.SampledFrom([]string{"Records", "body", "messageId", "correlation_id", "collection_name", "snapshot_type",
			"export_date", "is_success_file", "filename", "file_name"}),
		rapid.String())
	return rapid.Custom(func(t *rapid.T) string {
		kinds := []string{"literal", "string", "number", "message"}
		if depth > 0 {
			kinds = append(kinds, "array", "object", "object", "envelope", "escaped")
		}
		space := rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
		switch rapid.SampledFrom(kinds).Draw(t, "kind") {
		case "literal":
			return rapid.SampledFrom([]string{"null", "true", "false", `""`}).Draw(t, "literal") + space
		case "string":
			return space + quoted(rapid.String().Draw(t, "string"))
		case "number":
			return space + fmt.Sprint(rapid.Float64Range(-1e20, 1e20).Draw(t, "number"))
		case "message":
			return space + body("collection_name", quoted(rapid.String().Draw(t, "collection")))
		case "escaped":
			return space + quoted(jsonText(depth-1).Draw(t, "text"))
		case "array":
			return "[" + strings.Join(rapid.SliceOfN(jsonText(depth-1), 0, 4).Draw(t, "elements"), ","+space) + "]"
		case "envelope":
			var records []string
			for _, text := range rapid.SliceOfN(jsonText(depth-1), 0, 4).Draw(t, "bodies") {
				records = append(records, `{"body":`+space+text+`}`)
			}
			return `{"Records":[` + strings.Join(records, ",") + "]" + space + "}"
		default:
			var fields []string
			for _, value := range rapid.SliceOfN(jsonText(depth-1), 0, 5).Draw(t, "values") {
				fields = append(fields, quoted(name.Draw(t, "name"))+":"+space+value)
			}
			return "{" + strings.Join(fields, ",") + "}" + space
		}
	})
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
			record := fmt.Sprintf(`{"messageId":"m%d","body":%s}`, i, quoted(text))
			records = append(records, record)
			alone = append(alone, snapshot.Unwrap([]byte("["+record+"]"), execution)...)
		}
		together := snapshot.Unwrap([]byte("["+strings.Join(records, ",")+"]"), execution)
		if got, want := fmt.Sprintf("%+v", describe(together)), fmt.Sprintf("%+v", describe(alone)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func describe(receipts []snapshot.Receipt) []seen {
	var all []seen
	for _, r := range receipts {
		s := seen{Identity: r.Identity, Raw: r.Raw, Is: fmt.Sprintf("%+v", r.Message)}
		if r.Rejection != nil {
			s.Is = r.Rejection.Error()
		}
		all = append(all, s)
	}
	return all
}

func TestGroupByCollectionLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var messages []string
		for range rapid.IntRange(0, 250).Draw(t, "messages") {
			messages = append(messages, rapid.SampledFrom([]string{
				fmt.Sprintf("m%d a/1", rapid.IntRange(0, 300).Draw(t, "identity")),
				fmt.Sprintf("m%d b/%d", rapid.IntRange(0, 9).Draw(t, "few identities"), rapid.IntRange(0, 1).Draw(t,
					"file")),
				"bad !",
			}).Draw(t, "message"))
		}
		receipts := batch(messages...)
		groups, duplicates, rejected := snapshot.GroupByCollection(receipts)
		total := len(duplicates) + len(rejected)
		counted, grouped := map[string]bool{}, map[snapshot.CollectionKey]bool{}
		for _, g := range groups {
			total += len(g.Receipts)
			if len(g.Receipts) == 0 || grouped[g.CollectionKey] {
				t.Errorf("a group of %d, another of its collection: %v", len(g.Receipts), grouped[g.CollectionKey])
			}
			grouped[g.CollectionKey] = true
			for _, r := range g.Receipts {
				if counted[r.Digest] {
					t.Errorf("%s is counted twice", r.Identity)
				}
				counted[r.Digest] = true
				if r.Rejection != nil || r.Message.CollectionKey != g.CollectionKey {
					t.Errorf("%+v is in the group of %+v", r, g.CollectionKey)
				}
			}
		}
		if total != len(receipts) {
			t.Errorf("%d of %d receipts are left", total, len(receipts))
		}
		for _, r := range rejected {
			if r.Rejection == nil {
				t.Errorf("%s is rejected without a reason", r.Identity)
			}
		}
	})
}

// Without other writers, a reconciliation ends after few steps from any state, and never moves backwards. A collection
// that it moved to Received has its request.
func TestNextStepEnds(t *testing.T) {
	t.Parallel()
	counter := rapid.Custom(func(t *rapid.T) snapshot.Counter {
		if !rapid.Bool().Draw(t, "set") {
			return none
		}
		return n(rapid.Int64Range(-1, 4).Draw(t, "n"))
	})
	rank := map[snapshot.Status]int{snapshot.Sent: 1, snapshot.Received: 2, snapshot.Success: 3}
	rapid.Check(t, func(t *rapid.T) {
		r := row(rapid.SampledFrom([]snapshot.Status{"", "Exported", snapshot.Sent, snapshot.Received, snapshot.Success,
			"Blocked_Topic"}).Draw(t, "status"), counter.Draw(t, "sent"), counter.Draw(t, "received"))
		r.EpochStart, r.SyncedFiles = counter.Draw(t, "epoch start"), counter.Draw(t, "synced")
		c := snapshot.Collection{
			Counted:       rapid.Int64Range(0, 6).Draw(t, "counted"),
			SuccessEpochs: rapid.SliceOfN(rapid.Int64Range(-2, 6), 0, 3).Draw(t, "success epochs"),
			Request: snapshot.Entry{Version: counter.Draw(t, "version"),
				Owner: rapid.SampledFrom([]string{"", "me", "other"}).Draw(t, "owner"),
				Until: now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "lease"))), Delivered: rapid.Bool().Draw(t,
					"delivered")},
		}
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
				if !c.Request.For(c.Epoch(r)) {
					t.Errorf("moved without a request: %+v %+v", r, c)
				}
				r.Status = snapshot.Received
			case snapshot.MoveToSuccess:
				r.Status = snapshot.Success
			case snapshot.Rest:
				return
			default:
				t.Fatalf("step %q", step)
			}
			if rank[r.Status] < rank[before] {
				t.Errorf("moved from %s to %s", before, r.Status)
			}
		}
		t.Errorf("no rest: %+v %+v", r, c)
	})
}
